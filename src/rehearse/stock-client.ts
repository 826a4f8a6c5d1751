/** The programs that a rehearsal asks. Each decides by its own exit status; nothing is simulated. */
import { escapeText } from "../escape.ts";
import type { Ran } from "../files/programs.ts";
import type { ArchiveFeed, FeedFormat } from "../profile/types.ts";
import type { ExportFormat, ExportPlan } from "../stock/export.ts";
import type { Fingerprint } from "../trust/facts.ts";

export interface Verdict {
  /** `fails`: it could not be asked, which does not count as acceptance. */
  readonly word: "accepts" | "refuses" | "fails";
  /** Why, in words; empty where there is nothing to add. */
  readonly reason: string;
}

/** A published feed, as a client gets it. */
export interface Target {
  readonly feed: ArchiveFeed;
  /** The folder of the index. Absolute. */
  readonly folder: string;
  /** Name of the signed file in it. */
  readonly index: string;
  /** The same folder where the archive publishes: there is what the copy lacks. Absolute. */
  readonly published: string;
  /** Folder of the package files. Absolute. */
  readonly packages: string;
}

/** What a client was shipped with, or was given since. */
export interface Keyring {
  /** Binary certificates. */
  readonly bytes: Uint8Array;
  readonly keys: readonly Fingerprint[];
  /** The run of feedkey's timer that gave it these, and takes others from it; undefined if its user did. */
  readonly byTimer?: Pick<ExportPlan, "certificates" | "barred">;
}

/** A client with a keyring. */
export type Judge = (target: Target) => Promise<Verdict>;

export interface StockClient {
  /** Of the program, as it is called on the search path. */
  readonly name: string;
  /** How `export` chooses the keys for it; undefined if it writes none. A GnuPG home is made from the same keys as a plain keyring. */
  readonly exported?: Exclude<ExportFormat, "opkg">;
  /** Whether users give it the key bundle as it is. */
  readonly takesBundle: boolean;
  /**
   * Of several signatures in a file, those whose keys it must know: any one, the first or the last, or all (measured). Undefined: it
   * reads no index.
   */
  readonly needs?: "any" | "first" | "last" | "all";
  /** It goes on with what it accepted where it refuses later, and with keys that it has: it is also asked while in use. */
  readonly remembers?: true;
  reads(format: FeedFormat): boolean;
  /**
   * Gives it a keyring, as its users do, or as feedkey's timer does.
   * @param folder its own and private; what is in it already it remembers
   */
  equip(program: string, keyring: Keyring, folder: string): Promise<Judge>;
}

/** The verdict that an exit status is, with a reason from what the program said. */
export function verdictOf({ status, stderr }: Ran, reason: string): Verdict {
  if (status === undefined) return { word: "fails", reason: `it could not be run to its end: ${lastLine(stderr)}` };
  return { word: status === 0 ? "accepts" : "refuses", reason };
}

/** The verdict of a client that remembers. @param holds whether it has an index that it accepted, and goes on with that */
export async function rememberingVerdict(ran: Ran, reason: string, holds: () => Promise<boolean>): Promise<Verdict> {
  const verdict = verdictOf(ran, ran.status === 0 ? "" : reason);
  if (verdict.word !== "refuses" || !(await holds())) return verdict;
  return { ...verdict, reason: `${reason}; it keeps using what it accepted before` };
}

/** What a program said last, made safe to print. */
export function lastLine(text: string): string {
  return escapeText(text.trim().split("\n").at(-1)?.trim() ?? "");
}
