/** What is published, with which key and for how long; and that its clients would accept it. */

import { FeedkeyError } from "../error.ts";
import { type PublishResult, publish } from "../publish/publish.ts";
import type { Reporter } from "../refresh/session.ts";
import { keyOf } from "../signing/load-config.ts";
import { certificatesWith } from "../signing/signer.ts";
import { refuseOffProfile } from "./check-signer.ts";
import { warnOfSigner } from "./ends-ahead.ts";
import type { PublishOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";

/** How long signatures hold where nobody says it. */
const usualValidity = 14 * 86_400_000;

/** Skipped packages are no damage to what was published: that is whole. */
function skipped(error: FeedkeyError): FeedkeyError {
  return new FeedkeyError("not_listed", `left out: ${error.message}`, {
    details: { ...error.details, code: error.code },
    cause: error,
  });
}

/**
 * Publishes the place that the options name, else the archive's.
 * @throws FeedkeyError `usage` where there is nothing to publish or no key, what forbids the key to sign; as `publish`
 */
export async function publishPlace(
  opened: Opened,
  options: PublishOptions,
  reporter: Reporter,
): Promise<PublishResult & { readonly errors: readonly FeedkeyError[] }> {
  const { store, at, passphrase } = opened;
  const { skipBad = false, allowEmpty = false, force = false, dryRun = false } = options;
  const config = (await opened.found())?.config;
  const place = options.place ?? config;
  if (place === undefined) {
    throw new FeedkeyError("usage", "nothing to publish is named", {
      hint: "give a folder of packages, or --config archive.ini",
    });
  }
  const key = options.key === undefined ? config?.key : keyOf(options.key);
  if (key === undefined)
    throw new FeedkeyError("usage", "no key is named", { hint: "say which key signs with --key FINGERPRINT" });
  const { root, feeds } = place;
  const names = feeds.map(({ name }) => name);
  await refuseOffProfile({ store, at, profile: await opened.profile() }, key, names);
  const own = await certificatesWith(store, key);
  const bar = reporter.progress("reading packages", undefined);
  const result = await publish({
    ...{ root, feeds, key, userId: config?.userId, store, passphrase, at, skipBad, allowEmpty, force, dryRun },
    validFor: options.validFor ?? config?.validFor ?? usualValidity,
    notationDomain: options.notationDomain ?? config?.notationDomain,
    onProgress: (_feed, done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
  for (const note of result.notes) reporter.warn(note);
  await warnOfSigner(opened, key, own, options, reporter);
  return { ...result, errors: result.bad.map((error) => (skipBad ? skipped(error) : error)) };
}
