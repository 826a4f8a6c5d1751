/** Makes or withdraws a delegation, and distributes the changed certificates. */

import { didYouMean } from "../did-you-mean.ts";
import { escapeText } from "../escape.ts";
import { writeFileAtomic } from "../files/atomic.ts";
import {
  applyDelegation,
  applyWithdrawal,
  type DelegationPlan,
  planDelegation,
  planWithdrawal,
  type Withdrawal,
} from "../keys/delegate.ts";
import { type DelegationRecord, listDelegations, soonToEnd } from "../keys/delegations.ts";
import { armorCertificates, type RawCertificate } from "../openpgp/certificate/certificate.ts";
import { requireBundle } from "../publish/archive.ts";
import type { Reporter } from "../refresh/session.ts";
import { ownCertificates } from "../signing/signing-key.ts";
import { matchesFeed } from "../trust/delegation-terms.ts";
import type { DelegateOptions, WithdrawOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";
import { readRequest } from "./read-input.ts";

/**
 * Distributes changed certificates: writes the delegate's file if the caller names one, updates the bundle, and sends the first
 * certificate to the key servers.
 */
async function deliver(
  opened: Opened,
  certificates: readonly RawCertificate[],
  output: string | undefined,
  reporter: Reporter,
) {
  const done: string[] = [];
  if (output !== undefined) {
    await writeFileAtomic(output, armorCertificates(certificates), { mode: 0o644 });
    done.push(`wrote ${escapeText(output)}: give it to the delegate and to the publisher`);
  }
  const [first] = certificates;
  const handed = await opened.handOn(first === undefined ? [] : [first.fingerprint], reporter);
  return { done: [...done, ...handed.done], errors: handed.errors };
}

/**
 * Checks that feedkey can write the bundle, before it makes a delegation that the bundle must contain.
 * @throws FeedkeyError the reason why feedkey can't write the bundle
 */
async function requireOwnBundle(opened: Opened): Promise<void> {
  const archive = await opened.found();
  if (archive !== undefined) await requireBundle(archive);
}

/**
 * Warns about names that match no known feed. Such a name is not an error, because the keeper may add the feed later. Without
 * the warning, the keeper would notice a mistyped name only when clients refuse the delegate's first index.
 */
async function warnOfUnknownFeeds(opened: Opened, globs: readonly string[], reporter: Reporter): Promise<void> {
  const feeds = [(await opened.found())?.config.feeds ?? [], (await opened.profile())?.feeds ?? []].flat();
  const names = new Set(feeds.map(({ name }) => name));
  if (names.size === 0) return;
  for (const glob of globs) {
    if ([...names].some((name) => matchesFeed(name, [glob]))) continue;
    const next = didYouMean(glob, names, `the archive's feeds are: ${[...names].join(", ")}`);
    reporter.warn(`no feed of the archive matches "${escapeText(glob)}"; ${next}`);
  }
}

/**
 * Plans a delegation. @throws FeedkeyError as `planDelegation` does; the reason why the bundle can't be written; `not_found` if the
 * delegating key's secret is missing
 */
export async function planGiving(
  opened: Opened,
  request: Uint8Array | string,
  { key, feeds, depth = 0, expires }: Pick<DelegateOptions, "key" | "feeds" | "depth" | "expires">,
  reporter: Reporter,
): Promise<DelegationPlan> {
  const { store, at } = opened;
  await requireOwnBundle(opened);
  const plan = await planDelegation(store, await readRequest(request), { key, feeds, depth, expires, at });
  await store.privateKey(plan.issuer.raw.fingerprint);
  await warnOfUnknownFeeds(opened, feeds, reporter);
  for (const warning of plan.warnings) reporter.warn(warning);
  return plan;
}

/** Makes a delegation. @throws FeedkeyError as `planDelegation` and `applyDelegation` do */
export async function give(opened: Opened, request: Uint8Array | string, options: DelegateOptions, reporter: Reporter) {
  const plan = await planGiving(opened, request, options, reporter);
  const domain = options.notationDomain ?? (await opened.found())?.config.notationDomain;
  const certificates = await applyDelegation(opened.store, plan, opened.passphrase, domain);
  const path = certificates.slice(1).map(({ fingerprint }) => fingerprint);
  return { plan, path, ...(await deliver(opened, certificates, options.output, reporter)) };
}

/**
 * Plans the withdrawal of a delegation. @throws FeedkeyError as `planWithdrawal` does; the reason why the bundle can't be written
 */
export async function planTaking(opened: Opened, request: Uint8Array | string, key: string): Promise<Withdrawal> {
  await requireOwnBundle(opened);
  return await planWithdrawal(opened.store, await readRequest(request), { key, at: opened.at });
}

/** Withdraws a delegation. @throws FeedkeyError as `planWithdrawal` and `applyWithdrawal` do */
export async function take(opened: Opened, request: Uint8Array | string, options: WithdrawOptions, reporter: Reporter) {
  const plan = await planTaking(opened, request, options.key);
  const { certificates, others } = await applyWithdrawal(opened.store, plan, opened.at, opened.passphrase);
  for (const other of others) {
    reporter.warn(`${plan.subject.fingerprint} is still a delegate of ${other}: withdraw this delegation too`);
  }
  return { plan, ...(await deliver(opened, certificates, options.output, reporter)) };
}

/** Lists the delegations, and warns about delegations that end soon. @throws FeedkeyError `bad_config` */
export async function listGiven(
  opened: Opened,
  reporter: Reporter,
): Promise<{ readonly delegations: readonly DelegationRecord[] }> {
  const userId = (await opened.found())?.config.userId;
  const [own, at] = [await ownCertificates(opened.store), opened.at];
  const delegations = listDelegations(own, userId, at);
  for (const warning of soonToEnd(delegations, own, at)) reporter.warn(warning);
  return { delegations };
}
