/**
 * Reads the lines of a pkg_summary(5): `VARIABLE=value`, in stanzas separated by empty lines. The reader is strict (T13): it
 * refuses a line that is neither a variable nor empty. So all readers see the same stanzas.
 */
import { hashStart, hashStep, LineWalker } from "../line-cursor.ts";

const equals = 0x3d;

// The characters that a variable's name may contain: upper-case letters, digits and the underscore.
const nameByte = new Uint8Array(256);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") nameByte[character.charCodeAt(0)] = 1;

/** Visits the lines. The properties describe the line that `next` reached. */
export class SummaryCursor extends LineWalker {
  kind: "blank" | "variable" = "blank";
  /** Offset of the equals sign, if the line is a variable. */
  equals = 0;
  /** FNV-1a hash of the variable's name, if the line is a variable. */
  nameHash = 0;

  /**
   * Goes to the next line; returns false at the end of the text.
   * @throws FeedkeyError with the code of the text's kind if the line is malformed
   */
  next(): boolean {
    if (!this.advance()) return false;
    if (this.end === this.start) this.kind = "blank";
    else this.#variable();
    return true;
  }

  #variable(): void {
    const { bytes, start, end } = this;
    let hash = hashStart;
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (nameByte[byte] === 0) break;
      hash = hashStep(hash, byte);
    }
    if (at === end || bytes[at] !== equals) {
      if (!bytes.subarray(at, end).includes(equals)) throw this.error("is not a variable: it has no equals sign");
      throw this.error(
        "has a variable whose name contains other characters than upper-case letters, digits and underscores",
      );
    }
    if (at === start) throw this.error("has a variable without a name");
    this.kind = "variable";
    this.equals = at;
    this.nameHash = hash;
  }
}
