/** `feedkey delegate`: build machines that come and go without touching any client. */
import { readFile } from "node:fs/promises";
import { refreshBundle } from "../archive/archive.ts";
import { delegate as delegateTo, withdraw } from "../archive/delegate.ts";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { armor } from "../openpgp/armor.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate.ts";
import { writeFileAtomic } from "../store/atomic.ts";
import { KeyStore } from "../store/key-store.ts";
import { iso } from "../time.ts";
import { openArchive, type ServerOptions, spread } from "./archive-terms.ts";
import type { Context } from "./context.ts";
import { duration } from "./keygen.ts";
import { type PassphraseOptions, passphraseSource } from "./passphrase.ts";
import type { Outcome } from "./run.ts";

export interface DelegateCommandOptions extends PassphraseOptions, ServerOptions {
  readonly key: string;
  readonly feeds: string;
  readonly depth: string;
  readonly expires?: string;
  readonly withdraw?: boolean;
  readonly output?: string;
}

async function readRequest(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FeedkeyError("not_found", `${escapeText(path)} can't be read`, {
      cause,
      details: { path, reason: systemCode(cause) },
    });
  }
}

/** The bundle and key servers, where the machine that certifies has them; an air-gapped one has neither. */
async function publishDelegate(context: Context, certificate: RawCertificate, options: DelegateCommandOptions) {
  const lines: string[] = [];
  if (options.output !== undefined) {
    await writeFileAtomic(options.output, armor(writeCertificate(certificate), "PUBLIC KEY BLOCK"), { mode: 0o644 });
    lines.push(`wrote ${escapeText(options.output)}: bring it to the delegate and to whoever publishes`);
  }
  if (options.config === undefined) return { lines, errors: [] };
  const archive = await openArchive(context, options.config, options);
  lines.push(...(await refreshBundle(archive)).map((file) => `wrote ${escapeText(file)}`));
  if (archive.config.keyservers.length === 0) return { lines, errors: [] };
  const sent = await spread(context, options, [certificate.fingerprint]);
  return { lines: [...lines, ...sent.lines], errors: sent.errors };
}

/** Delegates or takes a delegation back. @throws FeedkeyError `usage`, `not_found`, `bad_certificate`, `revoked`... */
export async function delegate(context: Context, subject: string, options: DelegateCommandOptions): Promise<Outcome> {
  const store = await KeyStore.open(context.home);
  const common = { key: options.key, at: context.at, passphrase: passphraseSource(options) };
  if (options.withdraw === true) {
    const certificate = await withdraw(store, subject, common);
    const { lines, errors } = await publishDelegate(context, certificate, options);
    const head = `${certificate.fingerprint} is no delegate of ${options.key} any more`;
    return { text: [head, ...lines].join("\n"), json: { withdrawn: certificate.fingerprint }, errors };
  }
  if (options.expires === undefined) {
    throw new FeedkeyError("usage", "a delegation must end: say when with --expires", {
      hint: "for example --expires 90d",
    });
  }
  if (!/^\d$/.test(options.depth))
    throw new FeedkeyError("usage", `"${escapeText(options.depth)}" is no depth`, {
      hint: "give a number from 0 to 8",
    });
  const made = await delegateTo(store, await readRequest(subject), {
    ...common,
    feeds: options.feeds.split(","),
    depth: Number(options.depth),
    expires: duration(options.expires, "--expires"),
  });
  const { lines, errors } = await publishDelegate(context, made.certificate, options);
  const head = `${made.delegate} (${escapeText(made.userId)}) may sign: ${made.terms}; until ${iso(made.expiresAt)}`;
  const { delegate: fingerprint, userId, terms } = made;
  return {
    text: [head, ...lines].join("\n"),
    json: { delegate: fingerprint, userId, terms, expiresAt: iso(made.expiresAt) },
    errors,
  };
}
