/** Fields with their logical values: what package control data gives and an index is written from. */
import { badText, type TextKind } from "./line-cursor.ts";
import { readStanzas, type StanzaField } from "./stanza.ts";

/** Control data of a package: where it breaks the grammar, the package is bad. */
export const controlText: TextKind = { name: "the control data", code: "bad_package" };

/** A field whose value is kept byte for byte, whatever its encoding. */
export interface Field {
  readonly name: string;
  /** Without the spaces that follow the colon; continuation lines with their newline and their first space or tab. */
  readonly value: Uint8Array;
}

/** The logical value of a field as it was read. */
export function fieldOf(read: StanzaField): Field {
  let start = 0;
  while (read.raw[start] === 0x20 || read.raw[start] === 0x09) start++;
  return { name: read.name, value: read.raw.subarray(start) };
}

/** The value of the field with this name in any case, as UTF-8 text without trailing spaces; undefined if missing. */
export function fieldText(fields: readonly Field[], name: string): string | undefined {
  const field = fields.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  return field && Buffer.from(field.value).toString("utf8").trimEnd();
}

/**
 * Reads the control paragraph of a package: exactly one stanza, in which no field stands twice.
 * What the fields must say is checked where they are written into an index (`packageStanza`).
 * @throws FeedkeyError `bad_package` with the line
 */
export function parseControl(bytes: Uint8Array): Field[] {
  let control: readonly StanzaField[] = [];
  for (const piece of readStanzas(bytes, controlText)) {
    if (piece.kind === "blank") continue;
    if (control.length > 0) throw badText(controlText, piece.line, "begins a second paragraph");
    control = piece.fields;
  }
  if (control.length === 0) throw badText(controlText, 1, "begins no paragraph: there are no fields");
  const seen = new Set<string>();
  for (const { name, line } of control) {
    if (seen.has(name.toLowerCase())) throw badText(controlText, line, `gives the field "${name}" a second time`);
    seen.add(name.toLowerCase());
  }
  return control.map(fieldOf);
}
