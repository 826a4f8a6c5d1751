/** The stock programs that a rehearsal runs. A program's exit status decides; nothing is simulated. */
import { escapeText } from "../escape.ts";
import type { Ran } from "../files/programs.ts";
import type { ArchiveFeed, FeedFormat } from "../profile/types.ts";
import type { ExportFormat, ExportPlan } from "../stock/export.ts";
import type { Fingerprint } from "../trust/facts.ts";

export interface Verdict {
  /** `fails`: the client could not be run, which does not count as acceptance. */
  readonly word: "accepts" | "refuses" | "fails";
  /** The reason for the verdict, in words; may be empty. */
  readonly reason: string;
}

/** A published feed, as clients get it. */
export interface Target {
  readonly feed: ArchiveFeed;
  /** The absolute path of the folder with the index. */
  readonly folder: string;
  /** The signed file's name in this folder. */
  readonly index: string;
  /** The absolute path of the same folder in the archive itself, for files that the copy lacks. */
  readonly published: string;
  /** The absolute path of the folder with the package files. */
  readonly packages: string;
}

/** The keys of a client: shipped with the client or added later. */
export interface Keyring {
  /** Binary certificates. */
  readonly bytes: Uint8Array;
  readonly keys: readonly Fingerprint[];
  /** What feedkey's timer installed and removed; undefined if a user manages the client's keys. */
  readonly byTimer?: Pick<ExportPlan, "certificates" | "barred">;
}

/** Runs a client with its keyring on a feed. */
export type Judge = (target: Target) => Promise<Verdict>;

export interface StockClient {
  /** The program's name on the search path. */
  readonly name: string;
  /**
   * The format with which `export` chooses the client's keys; undefined if `export` does not support the client. A GnuPG home
   * is made from the same keys as a plain keyring.
   */
  readonly exported?: Exclude<ExportFormat, "opkg">;
  /** Whether users give the key bundle itself to the client. */
  readonly takesBundle: boolean;
  /**
   * Whose keys the client must know if a file has several signatures: any signer's, the first or the last signer's, or all
   * signers' (measured). Undefined if the client reads no index.
   */
  readonly needs?: "any" | "first" | "last" | "all";
  /** Set if the client remembers accepted indexes and its keys. A rehearsal then runs the client both new and in use. */
  readonly remembers?: true;
  reads(format: FeedFormat): boolean;
  /**
   * Gives the client a keyring, as its users or feedkey's timer do.
   * @param folder the client's own private folder; existing contents are the client's memory
   */
  equip(program: string, keyring: Keyring, folder: string): Promise<Judge>;
}

/** Returns the verdict for an exit status. @param reason a reason from the program's output */
export function verdictOf({ status, stderr }: Ran, reason: string): Verdict {
  if (status === undefined) return { word: "fails", reason: `the program failed: ${lastLine(stderr)}` };
  return { word: status === 0 ? "accepts" : "refuses", reason };
}

/** Returns the verdict of a client that remembers. @param holds tells whether the client keeps using an earlier accepted index */
export async function rememberingVerdict(ran: Ran, reason: string, holds: () => Promise<boolean>): Promise<Verdict> {
  const verdict = verdictOf(ran, ran.status === 0 ? "" : reason);
  if (verdict.word !== "refuses" || !(await holds())) return verdict;
  return { ...verdict, reason: `${reason}; it keeps using what it accepted before` };
}

/** Returns the last line of a program's output, escaped for the terminal. */
export function lastLine(text: string): string {
  return escapeText(text.trim().split("\n").at(-1)?.trim() ?? "");
}
