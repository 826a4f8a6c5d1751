/** Reads the fields of a package's control data. feedkey writes these fields into an index. */
import { asBuffer, badText, LineCursor, type TextKind } from "../line-cursor.ts";

/** The kind of text for a package's control data. An error in the control data makes the package bad. */
export const controlText: TextKind = { name: "the control data", code: "bad_package" };

/** A field of any encoding. The bytes are unchanged: each character represents one byte. */
export interface Field {
  readonly name: string;
  /** The value without the spaces after the colon. Continuation lines keep their newline and their first space or tab. */
  readonly value: string;
}

/** Returns a field's value as UTF-8 text without trailing spaces; undefined if the field is missing. Ignores the name's case. */
export function fieldText(fields: readonly Field[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  const field = fields.find((one) => one.name.length === wanted.length && one.name.toLowerCase() === wanted);
  return field && Buffer.from(field.value, "latin1").toString("utf8").trimEnd();
}

/**
 * Reads the control paragraph of a package: exactly one stanza, in which no field appears twice.
 * Does not check the values: `ownStanza` checks them.
 * @throws FeedkeyError `bad_package`, with the line, if the control data is malformed
 */
export function parseControl(bytes: Uint8Array): Field[] {
  const cursor = new LineCursor(bytes, controlText);
  const text = asBuffer(bytes).toString("latin1");
  const fields: { name: string; value: string }[] = [];
  const seen = new Set<string>();
  let ended = false;
  while (cursor.next()) {
    const { kind, start, colon, end } = cursor;
    if (kind === "blank") {
      ended = fields.length > 0;
    } else if (ended) {
      throw cursor.error("begins a second paragraph");
    } else if (kind === "continuation") {
      const last = fields.at(-1);
      if (last !== undefined) last.value += text.slice(start - 1, end);
    } else {
      const name = text.slice(start, colon);
      const key = name.toLowerCase();
      if (seen.has(key)) throw cursor.error(`gives the field "${name}" a second time`);
      seen.add(key);
      let at = colon + 1;
      while (text[at] === " " || text[at] === "\t") at++;
      fields.push({ name, value: text.slice(at, end) });
    }
  }
  if (fields.length === 0) throw badText(controlText, 1, "begins no paragraph: there are no fields");
  return fields;
}
