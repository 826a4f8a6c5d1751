/**
 * Writes the bytes between the members' contents in an `ar` archive (ar(5)), exactly as libarchive (BSD) or binutils (GNU) writes
 * them. No digest covers these bytes, so a verifier must not accept other bytes in their place.
 */
import { AR_MAGIC } from "./ar.ts";

interface MemberShape {
  readonly name: string;
  /** The size of the content, in bytes. */
  readonly size: number;
}

/** The columns for time, owner, group and mode (16 to 48) in the headers that feedkey writes. */
export const plainOwner = ["0".padEnd(12), "0".padEnd(6), "0".padEnd(6), "100644".padEnd(8)].join("");

/** Returns the columns for time, owner, group and mode in a header. */
export function ownerOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(16, 48)).toString("latin1");
}

function header(name: string, owner: string, size: number): Buffer {
  return Buffer.from(`${name.padEnd(16)}${owner}${String(size).padEnd(10)}\`\n`, "latin1");
}

function withMagic(prefixes: readonly Buffer[]): Buffer[] {
  return prefixes.map((prefix, index) => (index === 0 ? Buffer.concat([Buffer.from(AR_MAGIC), prefix]) : prefix));
}

/** Returns the bytes before each member's content in the BSD form, `#1/length`. The first bytes include the archive's magic. */
export function bsdPrefixes(members: readonly MemberShape[], owner: string): Buffer[] {
  const prefixes = members.map(({ name, size }) => {
    if (name.length <= 16 && !name.includes(" ")) return header(name, owner, size);
    return Buffer.concat([header(`#1/${name.length}`, owner, size + name.length), Buffer.from(name, "latin1")]);
  });
  return withMagic(prefixes);
}

/** Returns the bytes before each member's content in the GNU form. Long names are in a table before the first member. */
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

/** Returns the padding after a member's content: a newline if the size is odd. @param size the content's size in bytes */
export function paddingOf(size: number): Buffer {
  return Buffer.from(size % 2 === 0 ? "" : "\n");
}
