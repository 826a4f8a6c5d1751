/** `feedkey delegate`: build machines that come and go without touching any client. */
import { requireBundle } from "../archive/archive.ts";
import { delegate as delegateTo, type Request, withdraw } from "../archive/delegate.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { armor } from "../openpgp/armor.ts";
import { type RawCertificate, writeCertificate } from "../openpgp/certificate.ts";
import { writeFileAtomic } from "../store/atomic.ts";
import { isFingerprint } from "../store/fingerprint.ts";
import { KeyStore } from "../store/key-store.ts";
import { iso } from "../time.ts";
import { handOn, openArchive, readInput, type ServerOptions } from "./archive-terms.ts";
import type { Context } from "./context.ts";
import { duration } from "./keygen.ts";
import { type PassphraseOptions, passphraseSource } from "./passphrase.ts";
import type { Outcome } from "./run.ts";

export interface DelegateCommandOptions extends PassphraseOptions, ServerOptions {
  readonly key?: string;
  readonly feeds: string;
  readonly depth: string;
  readonly expires?: string;
  readonly withdraw?: boolean;
  readonly status?: boolean;
  readonly output?: string;
}

/** A file with the delegate's certificate, or the fingerprint of one that is in the key store already. */
async function requestOf(subject: string): Promise<Request> {
  const hex = subject.replace(/\s/g, "").replace(/^0x/i, "").toUpperCase();
  return isFingerprint(hex) ? hex : await readInput(subject);
}

/** The file that goes to the delegate, the bundle and the key servers: each where it was asked for. */
async function deliver(context: Context, certificates: readonly RawCertificate[], options: DelegateCommandOptions) {
  const lines: string[] = [];
  if (options.output !== undefined) {
    const bytes = Buffer.concat(certificates.map(writeCertificate));
    await writeFileAtomic(options.output, armor(bytes, "PUBLIC KEY BLOCK"), { mode: 0o644 });
    lines.push(`wrote ${escapeText(options.output)}: bring it to the delegate and to whoever publishes`);
  }
  const handed = await handOn(
    context,
    certificates.slice(0, 1).map(({ fingerprint }) => fingerprint),
    options,
  );
  return { lines: [...lines, ...handed.lines], errors: handed.errors };
}

/** @throws FeedkeyError `usage` */
function termsOf({ depth, expires, feeds }: DelegateCommandOptions) {
  if (expires === undefined) {
    throw new FeedkeyError("usage", "a delegation must end: say when with --expires", {
      hint: "for example --expires 90d",
    });
  }
  if (!/^\d$/.test(depth)) {
    throw new FeedkeyError("usage", `"${escapeText(depth)}" is no depth`, { hint: "give a number from 0 to 8" });
  }
  return { feeds: feeds.split(","), depth: Number(depth), expires: duration(expires, "--expires") };
}

/** Delegates or takes a delegation back. @throws FeedkeyError `usage`, `not_found`, `bad_certificate`, `revoked`... */
export async function delegate(
  context: Context,
  subject: string | undefined,
  options: DelegateCommandOptions,
): Promise<Outcome> {
  if (options.status === true)
    return await (await import("./delegate-status.ts")).delegateStatus(context, subject, options);
  const { key } = options;
  if (subject === undefined || key === undefined) {
    throw new FeedkeyError("usage", `no ${key === undefined ? "key" : "certificate"} is named`, {
      hint: "feedkey delegate CERTIFICATE --key FINGERPRINT --expires 90d; --status shows what has been delegated",
    });
  }
  const store = await KeyStore.open(context.home);
  if (options.config !== undefined) await requireBundle(await openArchive(context, options.config, options));
  const common = { key, at: context.at, passphrase: passphraseSource(options) };
  if (options.withdraw === true) {
    const taken = await withdraw(store, await requestOf(subject), common);
    for (const warning of taken.warnings) context.reporter.warn(warning);
    const { lines, errors } = await deliver(context, taken.certificates, options);
    const head = `${taken.delegate} is no delegate of ${key} any more`;
    return { text: [head, ...lines].join("\n"), json: { withdrawn: taken.delegate }, errors };
  }
  const terms = termsOf(options);
  const made = await delegateTo(store, await requestOf(subject), { ...common, ...terms });
  for (const warning of made.warnings) context.reporter.warn(warning);
  const { lines, errors } = await deliver(context, made.certificates, options);
  const head = `${made.delegate} (${escapeText(made.userId)}) may sign: ${made.terms}; until ${iso(made.expiresAt)}`;
  return {
    text: [head, ...lines].join("\n"),
    json: {
      delegate: made.delegate,
      userId: made.userId,
      terms: made.terms,
      expiresAt: iso(made.expiresAt),
      path: made.certificates.slice(1).map(({ fingerprint }) => fingerprint),
    },
    errors,
  };
}
