/** `feedkey verify`: the judgement of `update` on local files. */
import { withFreshKeys } from "../client/refresh.ts";
import { accept } from "../client/update.ts";
import { feedOf, verifyFolder, verifyLocal, verifyPackageFile } from "../client/verify.ts";
import { FeedkeyError } from "../error.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";
import { signaturesJson, signedBy } from "./show.ts";

export interface VerifyOptions {
  readonly signature?: string;
  readonly feed?: string;
  readonly packages?: string;
  readonly complete?: boolean;
  /** False for `--no-state`: an audit, which neither compares with the state nor changes it. */
  readonly state?: boolean;
  readonly allowEmpty?: boolean;
  readonly resetState?: boolean;
}

/** Verifies an index and package files against it; what is wrong with single files is in the outcome. @throws FeedkeyError `usage`, and the index's refusal */
export async function verify(
  context: Context,
  indexPath: string,
  files: readonly string[],
  options: VerifyOptions,
): Promise<Outcome> {
  const audit = options.state === false;
  if (options.complete === true && options.packages === undefined) {
    throw new FeedkeyError("usage", "--complete needs --packages DIR");
  }
  const terms = { readOnly: audit, resetState: options.resetState === true };
  return await context.withSession(terms, async (session) => {
    const feed = feedOf(session.profile, options.feed, indexPath);
    const how = { compare: !audit, allowEmpty: options.allowEmpty === true };
    const index = await withFreshKeys(session, (judged) => {
      return verifyLocal(session, judged, feed, indexPath, options.signature, how);
    });
    const good: string[] = [];
    const errors: FeedkeyError[] = [];
    for (const file of files) {
      try {
        good.push(await verifyPackageFile(index, file));
      } catch (error) {
        if (!(error instanceof FeedkeyError)) throw error;
        errors.push(error);
      }
    }
    if (options.packages !== undefined) {
      const bar = context.reporter.progress("packages", index.packages.count);
      const found = await verifyFolder(index, options.packages, options.complete === true, (done) => bar.update(done));
      bar.stop();
      good.push(...found.good);
      errors.push(...found.errors);
    }
    await accept(session, index, indexPath);
    const packages =
      files.length > 0 || options.packages !== undefined ? `, ${good.length} package files match it` : "";
    return {
      // "verified" is said of the index only when it is, and of package files only by number.
      text: `index verified: feed "${feed.name}", ${index.packages.count} packages, ${signedBy(index)}${packages}`,
      json: {
        feed: feed.name,
        index: indexPath,
        sha256: index.sha256,
        entries: index.packages.count,
        signatures: signaturesJson(index),
        packages: good,
        refused: errors.map(({ code, message, details }) => ({ code, message, details })),
      },
      errors,
    };
  });
}
