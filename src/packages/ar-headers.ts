/**
 * The bytes between the contents of an `ar` archive (ar(5)), exactly as libarchive (BSD) or binutils (GNU) write them. No
 * digest covers them, so a verifier must accept no other bytes here.
 */
import { AR_MAGIC } from "./ar.ts";

export interface MemberShape {
  readonly name: string;
  /** Bytes of content. */
  readonly size: number;
}

/** Time, owner, group and mode: the columns 16 to 48 of a header. */
export const plainOwner = ["0".padEnd(12), "0".padEnd(6), "0".padEnd(6), "100644".padEnd(8)].join("");

/** The owner columns of a header. */
export function ownerOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(16, 48)).toString("latin1");
}

function header(name: string, owner: string, size: number): Buffer {
  return Buffer.from(`${name.padEnd(16)}${owner}${String(size).padEnd(10)}\`\n`, "latin1");
}

function withMagic(prefixes: readonly Buffer[]): Buffer[] {
  return prefixes.map((prefix, index) => (index === 0 ? Buffer.concat([Buffer.from(AR_MAGIC), prefix]) : prefix));
}

/** The bytes before the content of each member, including the magic before the first, in the BSD form, `#1/length`. */
export function bsdPrefixes(members: readonly MemberShape[], owner: string): Buffer[] {
  const prefixes = members.map(({ name, size }) => {
    if (name.length <= 16 && !name.includes(" ")) return header(name, owner, size);
    return Buffer.concat([header(`#1/${name.length}`, owner, size + name.length), Buffer.from(name, "latin1")]);
  });
  return withMagic(prefixes);
}

/** The same in the GNU form: names that are too long are in a table before the first member. */
export function gnuPrefixes(members: readonly MemberShape[], owner: string): Buffer[] {
  let table = "";
  const headers = members.map(({ name, size }) => {
    if (name.length < 16) return header(`${name}/`, owner, size);
    const place = table.length;
    table += `${name}/\n`;
    return header(`/${place}`, owner, size);
  });
  if (table === "") return withMagic(headers);
  const padded = table.length % 2 === 0 ? table : `${table}\n`;
  const before = Buffer.concat([header("//", " ".repeat(owner.length), padded.length), Buffer.from(padded, "latin1")]);
  return withMagic(headers.map((one, index) => (index === 0 ? Buffer.concat([before, one]) : one)));
}

/** The padding after a content of odd length. */
export function paddingOf(size: number): Buffer {
  return Buffer.from(size % 2 === 0 ? "" : "\n");
}
