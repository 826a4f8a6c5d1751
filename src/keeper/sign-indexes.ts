/** Indexes that another program wrote: signed, if clients would accept it. */
import { type SignedIndex, signIndexFiles } from "../publish/sign-index.ts";
import type { Reporter } from "../refresh/session.ts";
import { keyOf } from "../signing/load-config.ts";
import { certificatesWith, openSigner } from "../signing/signer.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refuseOffProfile } from "./check-signer.ts";
import { warnOfSigner } from "./ends-ahead.ts";
import type { SignOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";

/** Signs each. @throws FeedkeyError `usage`, `not_found`, `output`, and what forbids the key to sign */
export async function signIndexes(
  opened: Opened,
  indexes: readonly string[],
  options: SignOptions,
  reporter: Reporter,
): Promise<{ readonly key: Fingerprint; readonly signed: readonly SignedIndex[] }> {
  const { feed, validFor, addChecksums = false, form = "both", force = false } = options;
  const { store, at } = opened;
  const place = keyOf(options.key);
  const own = await certificatesWith(store, place);
  const key = await openSigner(store, place, opened.passphrase, own);
  const profile = await opened.profile();
  await refuseOffProfile({ store, at, profile }, place, feed === undefined ? [] : [feed], own);
  const notationDomain = options.notationDomain ?? (await opened.found())?.config.notationDomain;
  const terms = { at, validFor, feed, notationDomain, addChecksums, form, force, own };
  const { signed, warnings } = await signIndexFiles(indexes, key, terms);
  for (const warning of warnings) reporter.warn(warning);
  await warnOfSigner(opened, place, own, options, reporter);
  return { key: key.raw.fingerprint, signed };
}
