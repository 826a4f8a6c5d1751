/** Publishes a folder or an archive: combines the options with `archive.ini`, and checks that clients will accept the signatures. */

import { FeedkeyError } from "../error.ts";
import { defaultValidFor } from "../profile/read-archive.ts";
import { type PublishResult, publishFeeds } from "../publish/publish.ts";
import { scannedIndexes } from "../publish/scan/scan-feeds.ts";
import { uploadTarget } from "../publish/upload/with-upload.ts";
import type { Reporter } from "../refresh/session.ts";
import { keyOf } from "../signing/load-config.ts";
import { refuseOffProfile } from "./check-signer.ts";
import { warnOfSigner } from "./ends-ahead.ts";
import type { PublishOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";

/** Makes the error for a damaged package that `skipBad` left out of the published feed. */
function skipped(error: FeedkeyError): FeedkeyError {
  return new FeedkeyError("not_listed", `left out: ${error.message}`, {
    details: { ...error.details, code: error.code },
    cause: error,
  });
}

/**
 * Publishes the folder that the options name, or else the archive.
 * @throws FeedkeyError `usage` if the options name neither a folder nor an archive, or no key; the reason why the key may not
 *   sign; as `publish`
 */
export async function publishPlace(
  opened: Opened,
  options: PublishOptions,
  reporter: Reporter,
): Promise<PublishResult & { readonly page: string | undefined; readonly errors: readonly FeedkeyError[] }> {
  const { store, at, passphrase } = opened;
  const { skipBad = false, allowEmpty = false, force = false, dryRun = false } = options;
  const config = (await opened.found())?.config;
  const place = options.place ?? config;
  if (place === undefined) {
    throw new FeedkeyError("usage", "no folder or --config given", {
      hint: "give a folder of packages, or --config archive.ini",
    });
  }
  if (options.page === true && config === undefined) {
    throw new FeedkeyError("usage", "only an archive with an archive.ini has a trust page, and no --config was given", {
      hint: "give --config archive.ini",
    });
  }
  const key = options.key === undefined ? config?.key : keyOf(options.key);
  if (key === undefined)
    throw new FeedkeyError("usage", "no key given", { hint: "give the key that signs with --key FINGERPRINT" });
  const { root, feeds } = place;
  const names = feeds.map(({ name }) => name);
  const profile = await opened.profile();
  const bar = reporter.progress("reading packages", undefined);
  const onProgress = (_feed: string, done: number, total: number) => bar.update(done, total);
  const {
    own,
    delegated: _,
    left,
    ...result
  } = await publishFeeds({
    target: options.place === undefined && config !== undefined ? uploadTarget(config) : undefined,
    ...{ root, feeds, key, userId: config?.userId, store, passphrase, at, skipBad, allowEmpty, force, dryRun },
    validFor: options.validFor ?? config?.validFor ?? defaultValidFor,
    notationDomain: options.notationDomain ?? config?.notationDomain,
    withBundle: true,
    source: scannedIndexes({ root, store, dryRun, onProgress }),
    permit: (known) => refuseOffProfile({ store, at, profile }, key, names, known),
  }).finally(() => bar.stop());
  for (const note of [...result.notes, ...(result.upload?.notes ?? [])]) reporter.warn(note);
  await warnOfSigner(opened, key, own, options, reporter);
  const page = result.applied ? await opened.refreshPage(options.page) : { done: [], errors: [] };
  const bad = result.bad.map((error) => (skipBad ? skipped(error) : error));
  return { ...result, page: page.done[0], errors: [...bad, ...left, ...page.errors] };
}
