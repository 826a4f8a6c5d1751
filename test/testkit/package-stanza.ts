/** Stanzas of an opkg index as `publish` writes them. */
import type { Field } from "../../src/formats/opkg/field.ts";
import { fileFields, ownStanza, stanzaParts } from "../../src/formats/opkg/package-stanza.ts";

/** Returns the stanza of a package: its control fields, with the file's path, size and digests. */
export function packageStanza(
  entry: Parameters<typeof fileFields>[0] & { readonly control: readonly Field[] },
): Uint8Array {
  const { own, added } = stanzaParts(ownStanza(entry.control), fileFields(entry));
  return Buffer.concat([own, Buffer.from(added)]);
}
