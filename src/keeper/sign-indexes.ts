/** Indexes that another program wrote: signed, if clients would accept it. */
import { FeedkeyError } from "../error.ts";
import type { SignedIndex } from "../publish/sign-index.ts";
import { signIndexFiles } from "../publish/sign-index.ts";
import type { Reporter } from "../refresh/session.ts";
import { keyOf } from "../signing/load-config.ts";
import { certificatesWith, openSigner } from "../signing/signer.ts";
import type { SignerOf } from "../signing/signing-key.ts";
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
  const { feed, validFor, addChecksums = false, clearsign = false, form = "both", force = false } = options;
  const { store, at } = opened;
  const place = keyOf(options.key);
  const own = await certificatesWith(store, place);
  const key = await openSigner(store, place, opened.passphrase, own);
  const keys: [SignerOf, ...SignerOf[]] = [key];
  for (const also of (options.alsoKeys ?? []).map(keyOf)) {
    keys.push(await openSigner(store, also, opened.passphrase, await certificatesWith(store, also)));
  }
  refuseTwice(keys);
  const profile = await opened.profile();
  await refuseOffProfile({ store, at, profile }, place, feed === undefined ? [] : [feed], own);
  const notationDomain = options.notationDomain ?? (await opened.found())?.config.notationDomain;
  const terms = { at, validFor, feed, notationDomain, addChecksums, framed: clearsign, form, force, own };
  const { signed, warnings } = await signIndexFiles(indexes, keys, terms);
  for (const warning of warnings) reporter.warn(warning);
  await warnOfSigner(opened, place, own, options, reporter);
  return { key: key.raw.fingerprint, signed };
}

function refuseTwice(keys: readonly SignerOf[]): void {
  const names = keys.map(({ raw }) => raw.fingerprint);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice === undefined) return;
  throw new FeedkeyError("usage", `key ${twice} appears twice`, { hint: "say each key once, in --key or --also-key" });
}
