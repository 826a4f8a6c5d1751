/** Names the fields in an opkg index that feedkey uses. Finds field names by their bytes in a table. */
import { hashStart, hashStep, type LineCursor, nameByte } from "../line-cursor.ts";

/** The limit for different field names. A text with more names is not an index: Debian's lists have about 40 names. */
export const maxFieldNames = 1000;

/** The role of a field, as an index into the scanner's tables. */
export const role = {
  other: 0,
  package: 1,
  version: 2,
  architecture: 3,
  filename: 4,
  size: 5,
  md5: 6,
  sha1: 7,
  sha256: 8,
  sha512: 9,
  description: 10,
} as const;

export type Role = (typeof role)[keyof typeof role];

export const roleCount = 11;

/** The number of hex digits in each role's digest; 0 if the role is not a digest. */
export const digestLength: readonly number[] = [0, 0, 0, 0, 0, 0, 32, 40, 64, 128, 0];

/** The role of each field, by lower-case name. opkg writes SHA256sum, Debian writes SHA256, and OpenWrt writes either name. */
const roleOf: Readonly<Record<string, Role>> = {
  package: role.package,
  version: role.version,
  architecture: role.architecture,
  filename: role.filename,
  size: role.size,
  md5: role.md5,
  md5sum: role.md5,
  sha1: role.sha1,
  sha1sum: role.sha1,
  sha256: role.sha256,
  sha256sum: role.sha256,
  sha512: role.sha512,
  sha512sum: role.sha512,
  description: role.description,
};

/** A field name. Names that differ only in upper and lower case count as the same name. */
interface FieldName {
  /** The name in lower case. */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly role: Role;
  /** Number of the last stanza with this field. The number reveals a field that appears twice in a stanza. */
  seenIn: number;
  /** The field that followed this field in the last stanza. Usually the same field follows again. */
  follower: FieldName | undefined;
  /** Offset of the name's last occurrence. Usually the next occurrence has the same spelling. */
  place: number;
  /** The next name with the same hash. */
  readonly next: FieldName | undefined;
}

/** All field names seen so far. */
export class FieldNames {
  readonly #byHash = new Map<number, FieldName>();
  #count = 0;
  #before: FieldName | undefined;

  /**
   * Returns the name of the field under the cursor.
   * @throws FeedkeyError with the code of the text's kind if the index has too many different names
   */
  at(cursor: LineCursor): FieldName {
    const before = this.#before;
    let name = cursor.isExpected ? before?.follower : undefined;
    if (name === undefined) {
      name = this.#find(cursor);
      name.place = cursor.start;
      if (before !== undefined) before.follower = name;
    }
    this.#before = name;
    const { follower } = name;
    cursor.expect(follower?.place ?? 0, follower?.bytes.length ?? 0);
    return name;
  }

  /** Resets the names' offsets, because the next field is in another text. Keeps the names. */
  forgetPlaces(): void {
    this.#before = undefined;
    for (const first of this.#byHash.values()) {
      for (let name: FieldName | undefined = first; name !== undefined; name = name.next) {
        name.follower = undefined;
        name.seenIn = -1;
      }
    }
  }

  #find(cursor: LineCursor): FieldName {
    const { bytes, start, colon } = cursor;
    let hash = hashStart;
    for (let at = start; at < colon; at++) hash = hashStep(hash, nameByte[bytes[at] ?? 0] ?? 0);
    for (let name = this.#byHash.get(hash); name !== undefined; name = name.next) {
      if (isName(bytes, start, colon, name.bytes)) return name;
    }
    if (this.#count >= maxFieldNames) {
      throw cursor.error(`has more than ${maxFieldNames} different field names`);
    }
    const text = bytes.toString("latin1", start, colon).toLowerCase();
    const meaning = Object.hasOwn(roleOf, text) ? (roleOf[text] ?? role.other) : role.other;
    const name: FieldName = {
      text,
      bytes: Buffer.from(text, "latin1"),
      role: meaning,
      seenIn: -1,
      follower: undefined,
      place: start,
      next: this.#byHash.get(hash),
    };
    this.#byHash.set(hash, name);
    this.#count++;
    return name;
  }
}

function isName(bytes: Buffer, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let at = 0; at < name.length; at++) if (nameByte[bytes[start + at] ?? 0] !== name[at]) return false;
  return true;
}
