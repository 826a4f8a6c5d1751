/** `feedkey delegate`: build machines that come and go without touching any client. */
import { requireBundle } from "../archive/archive.ts";
import { applyDelegation, applyWithdrawal, planDelegation, planWithdrawal, type Request } from "../archive/delegate.ts";
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
  readonly dryRun?: boolean;
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

async function take(context: Context, store: KeyStore, subject: string, key: string, options: DelegateCommandOptions) {
  const plan = await planWithdrawal(store, await requestOf(subject), { key, at: context.at });
  const { fingerprint } = plan.subject;
  const below = plan.below.map((one) => `${one}, to which it delegated, falls with it`);
  const json = { withdrawn: fingerprint, below: plan.below };
  if (options.dryRun === true) {
    const head = `would take the delegation of ${fingerprint} (${plan.userIds.map(escapeText).join(", ")}) back, for good`;
    return { text: [head, ...below].join("\n"), json: { ...json, dryRun: true } };
  }
  const { certificates, others } = await applyWithdrawal(store, plan, context.at, passphraseSource(options));
  for (const other of others) {
    context.reporter.warn(`${fingerprint} is still a delegate of ${other}, who must withdraw it too`);
  }
  const { lines, errors } = await deliver(context, certificates, options);
  const head = `${fingerprint} is no delegate of ${key} any more`;
  return { text: [head, ...below, ...lines].join("\n"), json, errors };
}

async function give(context: Context, store: KeyStore, subject: string, key: string, options: DelegateCommandOptions) {
  const wanted = { ...termsOf(options), key, at: context.at };
  const plan = await planDelegation(store, await requestOf(subject), wanted);
  for (const warning of plan.warnings) context.reporter.warn(warning);
  const { subject: certificate, userId, terms, expiresAt } = plan;
  const who = `${certificate.fingerprint} (${escapeText(userId)})`;
  const json = { delegate: certificate.fingerprint, userId, terms, expiresAt: iso(expiresAt) };
  if (options.dryRun === true) {
    const text = `would let ${who} sign: ${terms}; until ${iso(expiresAt)}`;
    return { text, json: { ...json, dryRun: true } };
  }
  const certificates = await applyDelegation(store, plan, passphraseSource(options));
  const { lines, errors } = await deliver(context, certificates, options);
  return {
    text: [`${who} may sign: ${terms}; until ${iso(expiresAt)}`, ...lines].join("\n"),
    json: { ...json, path: certificates.slice(1).map(({ fingerprint }) => fingerprint) },
    errors,
  };
}

/** Delegates or takes a delegation back. @throws FeedkeyError `usage`, `not_found`, `bad_certificate`, `revoked`... */
export async function delegate(
  context: Context,
  subject: string | undefined,
  options: DelegateCommandOptions,
): Promise<Outcome> {
  if (options.status === true) {
    return await (await import("./delegate-status.ts")).delegateStatus(context, subject, options);
  }
  const { key } = options;
  if (subject === undefined || key === undefined) {
    throw new FeedkeyError("usage", `no ${key === undefined ? "key" : "certificate"} is named`, {
      hint: "feedkey delegate CERTIFICATE --key FINGERPRINT --expires 90d; --status shows what has been delegated",
    });
  }
  const store = await KeyStore.open(context.home);
  const { config, dryRun, withdraw } = options;
  if (dryRun !== true && config !== undefined) await requireBundle(await openArchive(context, config, options));
  return await (withdraw === true ? take : give)(context, store, subject, key, options);
}
