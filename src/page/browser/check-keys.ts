/** The page's first check: judges the archive's keys, starting from the visitor's fingerprint, and then the archive's feeds. */
import type { VerifiedIndex } from "../../client/verified-index.ts";
import { largest } from "../../extremes.ts";
import { iso } from "../../time.ts";
import { type ClaimedArchive, judgeArchive, type Source, verifyFeed } from "../check-archive.ts";
import { grouped, momentText } from "../words.ts";
import { made } from "./elements.ts";
import { line, refusalLine } from "./verdicts.ts";

/** The result of the first check: the indexes of the feeds that passed, and the worst mark of any line. */
export interface Checked {
  readonly indexes: readonly VerifiedIndex[];
  readonly mark: "good" | "refused" | "unchecked";
}

function feedLine(index: VerifiedIndex): HTMLLIElement {
  const { feed, signers, createdAt, packages } = index;
  const who = [...new Set(signers.map(({ certificate }) => grouped(certificate)))].join(" and ");
  const ends = signers.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY);
  const end = largest(ends);
  const until = Number.isFinite(end) ? `, valid until ${momentText(iso(end))}` : ", without an expiry";
  const count = packages.count === 1 ? "1 file" : `${packages.count} files`;
  const when = `Signed on ${momentText(iso(createdAt))}${until}. It lists ${count}.`;
  return line("good", `feed “${feed.name}”`, [made("p", "", when), made("p", "by", ["By ", made("code", "", who)])]);
}

/**
 * Judges the keys, then the feeds, and shows each verdict at once.
 * @param show adds a line to the page
 */
export async function checkKeys(
  claimed: ClaimedArchive,
  fingerprint: string,
  source: Source,
  show: (line: HTMLLIElement) => void,
): Promise<Checked> {
  let archive: Awaited<ReturnType<typeof judgeArchive>>;
  try {
    archive = await judgeArchive(claimed, fingerprint, source, Date.now());
  } catch (error) {
    const { mark, line: refused } = refusalLine("your fingerprint", error, "fingerprint");
    show(refused);
    return { indexes: [], mark };
  }
  const { trusted } = archive.judged.trust;
  const keys = trusted.size === 1 ? "It leads to no other key." : `It leads to ${trusted.size} keys, itself included.`;
  show(line("good", "your fingerprint names a key of this archive", [made("p", "", keys)]));
  const indexes: VerifiedIndex[] = [];
  const marks = new Set<string>();
  for (const feed of claimed.feeds) {
    try {
      const index = await verifyFeed(archive, feed, source);
      indexes.push(index);
      show(feedLine(index));
    } catch (error) {
      const { mark, line: refused } = refusalLine(`feed “${feed.name}”`, error);
      marks.add(mark);
      show(refused);
    }
  }
  const isGood = marks.size === 0 && indexes.length > 0;
  return { indexes, mark: isGood ? "good" : marks.has("refused") ? "refused" : "unchecked" };
}
