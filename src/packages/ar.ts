/**
 * Reads `ar` archives (ar(5)), the outer form of .deb packages, newer .ipk packages, and pkgsrc's signed packages.
 * Supports plain names and the long names of BSD (`#1/length`) and GNU (`//` table, `/offset`).
 */
import { asBuffer } from "../formats/line-cursor.ts";
import { withoutTrailing } from "../trailing.ts";
import { damage, quote } from "./damage.ts";
import { MAX_AR_MEMBERS, MAX_AR_NAME, MAX_AR_NAME_TABLE } from "./limits.ts";
import type { ByteSource } from "./source.ts";

export const AR_MAGIC = "!<arch>\n";

/** The size of a header in bytes. A long name after the header does not count. */
export const HEADER_SIZE = 60;

/** A member, with the position of its content in the archive. */
export interface ArMember {
  readonly name: string;
  /** Offset of the content's first byte. A BSD long name before the content does not count. */
  readonly offset: number;
  /** The size of the content, in bytes. */
  readonly size: number;
}

/**
 * Returns all members in order, except symbol tables and tables of names. Reads only headers and names. Two members may have the same
 * name, so the caller must check the names.
 * @throws FeedkeyError `bad_package` unless the archive is complete and well-formed
 */
export function readArMembers(source: ByteSource): ArMember[] {
  if (source.size < AR_MAGIC.length || latin1(source.read(0, AR_MAGIC.length)) !== AR_MAGIC) {
    throw damage("does not begin like an ar archive");
  }
  const members: ArMember[] = [];
  let names: string | undefined;
  let position = AR_MAGIC.length;
  while (position < source.size) {
    const header = readHeader(source, position);
    if (header.name === "//") {
      if (names !== undefined) throw damage(`second table of long names at byte ${position}`);
      if (header.size > MAX_AR_NAME_TABLE) throw tooLarge("table of long names", header.size, MAX_AR_NAME_TABLE);
      names = latin1(source.read(header.offset, header.size));
    } else if (header.name !== "/" && header.name !== "/SYM64/") {
      if (members.length === MAX_AR_MEMBERS) throw damage(`ar archive has more than ${MAX_AR_MEMBERS} members`);
      members.push(resolveName(source, header, names));
    }
    position = afterPadding(source, header.offset + header.size);
  }
  return members;
}

function readHeader(source: ByteSource, position: number): ArMember {
  const text = latin1(source.read(position, HEADER_SIZE));
  if (text.slice(58) !== "`\n") throw damage(`ar header at byte ${position} does not end with the usual two bytes`);
  const owner = [text.slice(16, 28), text.slice(28, 34), text.slice(34, 40)];
  // GNU ar leaves these fields empty in the headers of its tables.
  if (!owner.every((field) => /^\d* *$/.test(field)) || !/^[0-7]* *$/.test(text.slice(40, 48))) {
    throw damage(`ar header at byte ${position} has a time, owner or mode that is not a number`);
  }
  const digits = /^(\d+) *$/.exec(text.slice(48, 58))?.[1];
  if (digits === undefined) throw damage(`ar header at byte ${position} has a size that is not a number`);
  const member = { name: text.slice(0, 16).trimEnd(), offset: position + HEADER_SIZE, size: Number(digits) };
  if (member.offset + member.size > source.size) {
    throw damage(
      `ar member ${quote(member.name)} ends at byte ${member.offset + member.size}, but the file ends at byte ${source.size}`,
    );
  }
  return member;
}

function resolveName(source: ByteSource, header: ArMember, names: string | undefined): ArMember {
  const bsd = /^#1\/(\d+)$/.exec(header.name)?.[1];
  const gnu = /^\/(\d+)$/.exec(header.name)?.[1];
  if (bsd !== undefined) {
    const length = Number(bsd);
    if (length > header.size) throw damage(`ar member at byte ${header.offset} is shorter than its own name`);
    if (length > MAX_AR_NAME) throw tooLarge("ar member name", length, MAX_AR_NAME);
    const name = withoutTrailing(latin1(source.read(header.offset, length)), "\0");
    return checkName({ name, offset: header.offset + length, size: header.size - length });
  }
  if (gnu !== undefined) {
    const start = Number(gnu);
    const end = names?.indexOf("/\n", start) ?? -1;
    // The offset must be the start of a name in the table. An offset into the middle of a name would be ambiguous.
    const starts = start === 0 || names?.[start - 1] === "\n";
    if (names === undefined || end === -1 || !starts) {
      throw damage(`ar member at byte ${header.offset} refers to a name that is not in the table of long names`);
    }
    if (end - start > MAX_AR_NAME) throw tooLarge("ar member name", end - start, MAX_AR_NAME);
    return checkName({ ...header, name: names.slice(start, end) });
  }
  return checkName({ ...header, name: header.name.replace(/\/$/, "") });
}

function checkName(member: ArMember): ArMember {
  // Package tools write only ASCII names. Any other name is damage or an attempt to deceive readers.
  if (!/^[\x20-\x7e]+$/.test(member.name)) {
    throw damage(`ar member at byte ${member.offset} has the unusable name ${quote(member.name)}`);
  }
  return member;
}

function afterPadding(source: ByteSource, end: number): number {
  if (end % 2 === 0) return end;
  if (latin1(source.read(end, 1)) !== "\n") throw damage(`expected a line feed as padding at byte ${end}`);
  return end + 1;
}

function tooLarge(what: string, size: number, limit: number): Error {
  return damage(`${what} has ${size} bytes, but feedkey reads at most ${limit}`, { reason: "limits" });
}

function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("latin1");
}
