/** `feedkey verify`: the judgement of `update` on local files. */
import { availableParallelism } from "node:os";
import type { Judged } from "../client/knowledge.ts";
import { withFreshKeys } from "../client/refresh.ts";
import type { Session } from "../client/session.ts";
import { accept } from "../client/update.ts";
import type { VerifiedIndex } from "../client/verified-index.ts";
import { feedOf, readIndexAhead, verifyLocal } from "../client/verify.ts";
import { type CheckedFiles, PackageFiles } from "../client/verify-files.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { Digests } from "../store/digests.ts";
import type { ReadAhead } from "../store/read-ahead.ts";
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

/** Checks the package files that were named, and those below `--packages`. */
async function verifyPackages(
  context: Context,
  index: VerifiedIndex,
  packages: PackageFiles | undefined,
  named: number,
  complete: boolean,
): Promise<CheckedFiles> {
  if (packages === undefined) return { good: [], errors: [] };
  const bar = context.reporter.progress("packages", named > 0 ? named : index.packages.count);
  try {
    return await packages.verify(index, complete, (done) => bar.update(done));
  } finally {
    bar.stop();
  }
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
  // Begun here, so that the second thread is ready when there is something for it.
  const count = options.packages === undefined ? files.length : Number.POSITIVE_INFINITY;
  const threads = count > 0 ? new Digests(count) : undefined;
  // On two cores the second one has the packages to do.
  const ahead = threads === undefined || availableParallelism() > 2 ? readIndexAhead(indexPath) : undefined;
  try {
    return await context.withSession(terms, (session) =>
      verifyWith(session, context, indexPath, files, options, threads, ahead),
    );
  } finally {
    await threads?.close();
  }
}

async function verifyWith(
  session: Session,
  context: Context,
  indexPath: string,
  files: readonly string[],
  options: VerifyOptions,
  threads: Digests | undefined,
  ahead: ReadAhead | undefined,
): Promise<Outcome> {
  const audit = options.state === false;
  const feed = feedOf(session.profile, options.feed, indexPath);
  const how = { compare: !audit, allowEmpty: options.allowEmpty === true, ...(ahead && { ahead }) };
  // Digested while the index is judged; only then is anything said of them.
  const packages = threads && (await PackageFiles.begin(threads, files, options.packages));
  const verifyIndex = (judged: Judged) => verifyLocal(session, judged, feed, indexPath, options.signature, how);
  const index = await withFreshKeys(session, verifyIndex);
  const { good, errors } = await verifyPackages(context, index, packages, files.length, options.complete === true);
  await accept(session, index, indexPath, async (judged) => {
    const again = await verifyIndex(judged);
    if (again.sha256 === index.sha256) return again;
    throw new FeedkeyError("bad_index", `index ${escapeText(indexPath)} was replaced while it was verified`, {
      details: { feed: feed.name },
      hint: "verify it again",
    });
  });
  const matching = packages === undefined ? "" : `, ${good.length} package files match it`;
  return {
    // "verified" is said of the index only when it is, and of package files only by number.
    text: `index verified: feed "${feed.name}", ${index.packages.count} packages, ${signedBy(index)}${matching}`,
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
}
