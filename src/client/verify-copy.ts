/** Use case: verify a local copy of a feed, its index and package files against it. */
import { availableParallelism } from "node:os";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { Digests } from "../files/digests.ts";
import type { ReadAhead } from "../files/read-ahead.ts";
import type { Judged } from "../refresh/certificate-pool.ts";
import { withFreshKeys } from "../refresh/refresh.ts";
import type { Session } from "../refresh/session.ts";
import type { TrustSet } from "../trust/judge.ts";
import { warnOfAlgorithms } from "./algorithm-warnings.ts";
import { type CheckedFiles, PackageFiles } from "./packages/verify-files.ts";
import { accept } from "./update.ts";
import type { VerifiedIndex } from "./verified-index.ts";
import { feedOf, readIndexAhead, verifyLocal } from "./verify.ts";

/** What is to be verified, and how. */
export interface Copy {
  /** Path of the index. */
  readonly index: string;
  /** Path of its signature; undefined: beside it. */
  readonly signature: string | undefined;
  /** Its feed in the profile; undefined: the only one, or the one whose path is that of the index. */
  readonly feed: string | undefined;
  /** Package files that the index must list. */
  readonly files: readonly string[];
  /** A folder of packages: every listed file below it is checked, and none may be there that is not listed. */
  readonly folder: string | undefined;
  /** A listed package that is missing in the folder is refused too. */
  readonly complete: boolean;
  /** Accept an index that became empty. */
  readonly allowEmpty: boolean;
  /** An audit: does not compare with an earlier index. */
  readonly audit: boolean;
}

export interface VerifiedCopy {
  readonly index: VerifiedIndex;
  /** Package files that match it. */
  readonly packages: readonly string[];
  /** What is wrong with the others. */
  readonly errors: readonly FeedkeyError[];
}

/** Checks the given package files, and those in the folder. */
async function verifyPackages(
  { options }: Session,
  index: VerifiedIndex,
  packages: PackageFiles | undefined,
  copy: Copy,
): Promise<CheckedFiles> {
  if (packages === undefined) return { good: [], errors: [] };
  const { files } = copy;
  const bar = options.reporter.progress("packages", files.length > 0 ? files.length : index.packages.count);
  try {
    return await packages.verify(index, copy, copy.complete, (done) => bar.update(done));
  } finally {
    bar.stop();
  }
}

/**
 * Verifies an index, then package files against it.
 * @param withSession opens the client, as soon as its files are being read
 * @throws FeedkeyError the index's refusal; `usage` if it is unclear which feed it is
 */
export async function verifyCopy<Verified>(
  copy: Copy,
  withSession: (action: (session: Session) => Promise<VerifiedCopy>) => Promise<Verified>,
): Promise<Verified> {
  // Begun here, so that the second thread is ready when there is something for it.
  const count = copy.folder === undefined ? copy.files.length : Number.POSITIVE_INFINITY;
  const threads = count > 0 ? new Digests(count) : undefined;
  // On two cores the second one has the packages to do.
  const ahead = threads === undefined || availableParallelism() > 2 ? readIndexAhead(copy.index) : undefined;
  try {
    return await withSession((session) => verifyWith(session, copy, threads, ahead));
  } finally {
    await threads?.close();
  }
}

async function verifyWith(
  session: Session,
  copy: Copy,
  threads: Digests | undefined,
  ahead: ReadAhead | undefined,
): Promise<VerifiedCopy> {
  const feed = feedOf(session.profile, copy.feed, copy.index);
  const how = { compare: !copy.audit, allowEmpty: copy.allowEmpty, ...(ahead && { ahead }) };
  // Digested while the index is judged; only then is anything said of them.
  const packages = threads && (await PackageFiles.begin(threads, copy.files, copy.folder));
  let trust: TrustSet | undefined;
  const verifyIndex = (judged: Judged) => {
    trust = judged.trust;
    return verifyLocal(session, judged, feed, copy.index, copy.signature, how);
  };
  const index = await withFreshKeys(session, verifyIndex);
  const { good, errors } = await verifyPackages(session, index, packages, copy);
  await accept(session, index, copy.index, async (judged) => {
    const again = await verifyIndex(judged);
    if (again.sha256 === index.sha256) return again;
    throw new FeedkeyError("bad_index", `index ${escapeText(copy.index)} was replaced while it was verified`, {
      details: { feed: feed.name },
      hint: "verify it again",
    });
  });
  if (trust !== undefined) warnOfAlgorithms(session, trust, index.signers);
  return { index, packages: good, errors };
}
