/** The programs that a rehearsal runs. The exit status of each decides; nothing is simulated. */
import { escapeText } from "../escape.ts";
import type { Ran } from "../files/programs.ts";
import type { ArchiveFeed, FeedFormat } from "../profile/types.ts";
import type { ExportFormat, ExportPlan } from "../stock/export.ts";
import type { Fingerprint } from "../trust/facts.ts";

export interface Verdict {
  /** `fails`: it could not be run, which does not count as acceptance. */
  readonly word: "accepts" | "refuses" | "fails";
  /** The reason, in words; may be empty. */
  readonly reason: string;
}

/** A published feed, as clients get it. */
export interface Target {
  readonly feed: ArchiveFeed;
  /** The folder of the index. Absolute. */
  readonly folder: string;
  /** Name of the signed file in it. */
  readonly index: string;
  /** The same folder in the archive itself, for files that the copy lacks. Absolute. */
  readonly published: string;
  /** Folder of the package files. Absolute. */
  readonly packages: string;
}

/** The keys of a client, shipped or added later. */
export interface Keyring {
  /** Binary certificates. */
  readonly bytes: Uint8Array;
  readonly keys: readonly Fingerprint[];
  /** The run of feedkey's timer that installed and removed its keys; undefined if its user did. */
  readonly byTimer?: Pick<ExportPlan, "certificates" | "barred">;
}

/** A client with a keyring. */
export type Judge = (target: Target) => Promise<Verdict>;

export interface StockClient {
  /** The program's name on the search path. */
  readonly name: string;
  /** How `export` chooses the keys for it; undefined if it writes none. A GnuPG home is made from the same keys as a plain keyring. */
  readonly exported?: Exclude<ExportFormat, "opkg">;
  /** Whether users give it the key bundle as it is. */
  readonly takesBundle: boolean;
  /**
   * Which keys it must know if a file has several signatures: any one, the first or the last, or all (measured). Undefined: it
   * reads no index.
   */
  readonly needs?: "any" | "first" | "last" | "all";
  /** It remembers what it accepted, and its keys; so it is also run while in use. */
  readonly remembers?: true;
  reads(format: FeedFormat): boolean;
  /**
   * Gives it a keyring, as its users do, or as feedkey's timer does.
   * @param folder its own and private; existing contents are its memory
   */
  equip(program: string, keyring: Keyring, folder: string): Promise<Judge>;
}

/** The verdict from an exit status, with a reason from the program's output. */
export function verdictOf({ status, stderr }: Ran, reason: string): Verdict {
  if (status === undefined) return { word: "fails", reason: `it could not be run to its end: ${lastLine(stderr)}` };
  return { word: status === 0 ? "accepts" : "refuses", reason };
}

/** The verdict of a client that remembers. @param holds whether it has an accepted index that it keeps using */
export async function rememberingVerdict(ran: Ran, reason: string, holds: () => Promise<boolean>): Promise<Verdict> {
  const verdict = verdictOf(ran, ran.status === 0 ? "" : reason);
  if (verdict.word !== "refuses" || !(await holds())) return verdict;
  return { ...verdict, reason: `${reason}; it keeps using what it accepted before` };
}

/** The last line of a program's output, made safe to print. */
export function lastLine(text: string): string {
  return escapeText(text.trim().split("\n").at(-1)?.trim() ?? "");
}
