/** Use case: verify a local copy of a feed: first its index, then package files against the index. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { Digests } from "../files/digests.ts";
import type { Judged } from "../refresh/certificate-pool.ts";
import { withFreshKeys } from "../refresh/refresh.ts";
import { type Session, withProgress } from "../refresh/session.ts";
import { warnOfAlgorithms } from "./algorithm-warnings.ts";
import type { VerifyOptions } from "./client-options.ts";
import { type CheckedFiles, PackageFiles } from "./packages/verify-files.ts";
import { accept } from "./update.ts";
import type { VerifiedIndex } from "./verified-index.ts";
import { feedOf, verifyLocal } from "./verify.ts";

export interface VerifiedCopy {
  readonly index: VerifiedIndex;
  /** The paths of the package files that match the index. */
  readonly packages: readonly string[];
  /** An error for each other package file. */
  readonly errors: readonly FeedkeyError[];
}

/** Checks the given package files, and the package files in the given folder. */
async function verifyPackages(
  session: Session,
  index: VerifiedIndex,
  packages: PackageFiles | undefined,
  path: string,
  { files = [], folder, signature }: VerifyOptions,
): Promise<CheckedFiles> {
  if (packages === undefined) return { good: [], errors: [] };
  const total = files.length > 0 ? files.length : index.count;
  return await withProgress(session, "packages", total, (update) => {
    return packages.verify(index, { index: path, signature }, folder?.complete === true, update);
  });
}

/**
 * Verifies an index, then package files against the index.
 * @param path the index's path
 * @param withSession opens the client's state and runs the action; meanwhile other threads may read the files
 * @throws FeedkeyError the reason why feedkey refuses the index; `usage` if feedkey can't tell which feed the index belongs to
 */
export async function verifyCopy<Verified>(
  path: string,
  options: VerifyOptions,
  withSession: (action: (session: Session) => Promise<VerifiedCopy>) => Promise<Verified>,
): Promise<Verified> {
  // The hashing threads start here, so that they are ready when feedkey knows the files.
  const count = options.folder === undefined ? (options.files?.length ?? 0) : Number.POSITIVE_INFINITY;
  const threads = count > 0 ? new Digests(count) : undefined;
  try {
    return await withSession((session) => verifyWith(session, path, options, threads));
  } finally {
    await threads?.close();
  }
}

async function verifyWith(
  session: Session,
  path: string,
  options: VerifyOptions,
  threads: Digests | undefined,
): Promise<VerifiedCopy> {
  const { files = [], folder, signature, allowEmpty = false } = options;
  const feed = feedOf(session.profile, options.feed, path);
  const how = { compare: options.audit !== true, allowEmpty };
  // The threads hash the packages while feedkey judges the index; feedkey reports about packages only after that.
  const packages = threads && (await PackageFiles.begin(threads, files, folder?.path));
  const verifyIndex = (judged: Judged) => verifyLocal(session, judged, feed, path, signature, how);
  const index = await withFreshKeys(session, verifyIndex);
  const { good, errors } = await verifyPackages(session, index, packages, path, options);
  await accept(session, index, path, async (judged) => {
    const again = await verifyIndex(judged);
    if (again.sha256 === index.sha256) return again;
    throw new FeedkeyError("bad_index", `index ${escapeText(path)} was replaced while it was verified`, {
      details: { feed: feed.name },
      hint: "run the command again",
    });
  });
  warnOfAlgorithms(session, index.signers);
  return { index, packages: good, errors };
}
