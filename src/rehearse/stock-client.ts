/** The stock clients (apt, dnf, gpgv...) that a rehearsal runs. The rehearsal runs the real program, and its exit status decides. */
import { escapeText } from "../escape.ts";
import type { Ran } from "../files/programs.ts";
import type { ArchiveFeed, FeedFormat } from "../profile/types.ts";
import type { ExportFormat, ExportPlan } from "../stock/export.ts";
import type { Fingerprint } from "../trust/facts.ts";

export interface Verdict {
  /** The verdict. `fails` means that the client could not be run; this does not count as acceptance. */
  readonly word: "accepts" | "refuses" | "fails";
  /** The reason for the verdict, in words; may be empty. */
  readonly reason: string;
}

/** A published feed, as clients find it. */
export interface Target {
  readonly feed: ArchiveFeed;
  /** The absolute path of the folder with the index. */
  readonly folder: string;
  /** The signed file's name in this folder. */
  readonly index: string;
  /** The absolute path of the same folder in the archive itself, which has the files that the copy lacks. */
  readonly published: string;
  /** The absolute path of the folder with the package files. */
  readonly packages: string;
}

/** A client's keys, whether the client was shipped with them or got them later. */
export interface Keyring {
  /** The certificates, in binary form. */
  readonly bytes: Uint8Array;
  readonly keys: readonly Fingerprint[];
  /** What feedkey's timer gave to the client and removed from it; undefined if a user manages the client's keys. */
  readonly byTimer?: Pick<ExportPlan, "certificates" | "barred">;
}

/** Runs a client that has its keyring on a feed, and returns the verdict. */
export type Judge = (target: Target) => Promise<Verdict>;

export interface StockClient {
  /** The program's name on the search path. */
  readonly name: string;
  /**
   * The format for which `export` chooses the client's keys; undefined if `export` does not support the client. For a client with a GnuPG
   * home, this is `gpgv`, because its keys are those of a keyring file.
   */
  readonly exported?: Exclude<ExportFormat, "opkg">;
  /** Set if users of this client do not import the archive's key bundle. */
  readonly takesBundle?: false;
  /**
   * Which signers the client must know if a file has several signatures: any of them, the first, the last, or all (measured). Undefined if
   * the client reads no index.
   */
  readonly needs?: "any" | "first" | "last" | "all";
  /**
   * Set if the client remembers the indexes that it accepted, and its keys. A rehearsal then runs the client both newly installed and in
   * use.
   */
  readonly remembers?: true;
  reads(format: FeedFormat): boolean;
  /**
   * Gives a keyring to the client, as its users or feedkey's timer would.
   * @param folder the client's own private folder; if the client used it before, it has the client's state
   */
  equip(program: string, keyring: Keyring, folder: string): Promise<Judge>;
}

/**
 * Returns the verdict for a program's exit status.
 * @param reason a reason from the program's output
 */
export function verdictOf({ status, stderr }: Ran, reason: string): Verdict {
  if (status === undefined) return { word: "fails", reason: `the program failed: ${lastLine(stderr)}` };
  return { word: status === 0 ? "accepts" : "refuses", reason };
}

/**
 * Returns the verdict of a client that remembers accepted indexes.
 * @param holds tells whether the client keeps using an index that it accepted before
 */
export async function rememberingVerdict(ran: Ran, reason: string, holds: () => Promise<boolean>): Promise<Verdict> {
  const verdict = verdictOf(ran, ran.status === 0 ? "" : reason);
  if (verdict.word !== "refuses" || !(await holds())) return verdict;
  return { ...verdict, reason: `${reason}; it keeps using what it accepted before` };
}

/** Returns the last line of a program's output, escaped for the terminal. */
export function lastLine(text: string): string {
  return escapeText(text.trim().split("\n").at(-1)?.trim() ?? "");
}
