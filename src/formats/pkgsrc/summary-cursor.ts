/**
 * The lines of a pkg_summary(5): `VARIABLE=value`, stanzas separated by empty lines. It is as strict as opkg's grammar (T13): a
 * line that is neither a variable nor empty is refused, so that all readers see the same stanzas.
 */
import { hashStart, hashStep, LineWalker } from "../line-cursor.ts";

const equals = 0x3d;

// Characters of a variable's name: upper-case letters, digits and the underscore.
const nameByte = new Uint8Array(256);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") nameByte[character.charCodeAt(0)] = 1;

/** Walks over the lines; its properties describe the line that `next` reached. */
export class SummaryCursor extends LineWalker {
  kind: "blank" | "variable" = "blank";
  /** Variables only: offset of the equals sign. */
  equals = 0;
  /** Variables only: FNV-1a over the name. */
  nameHash = 0;

  /**
   * Goes to the next line; false at the end of the text.
   * @throws FeedkeyError with the code of the text's kind
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
      throw this.error("has a variable whose name is not made of upper-case letters, digits and underscores");
    }
    if (at === start) throw this.error("has a variable without a name");
    this.kind = "variable";
    this.equals = at;
    this.nameHash = hash;
  }
}
