/** Writes apt's `Release`. */
import type { FileDigests } from "../digests.ts";
import type { FeedNames } from "../format.ts";
import { writeDate } from "./date.ts";

interface ReleaseContent extends FeedNames {
  /** The date in milliseconds. */
  readonly date: number;
  readonly validUntil: number;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Fingerprints of the keys that may sign the next Release file. Used by clients whose sources name no keyring. Empty: no such field. */
  readonly signedBy: readonly string[];
  /**
   * The listed files, by path below the Release file's folder. Every package list must be here in uncompressed form, even if the
   * archive publishes only compressed forms.
   */
  readonly files: ReadonlyMap<string, Required<Pick<FileDigests, "size" | "sha256">>>;
}

/** Returns the text of a Release file, with the fields in Debian's order. The text has no digest weaker than SHA-256. */
export function releaseText(content: ReleaseContent): Uint8Array {
  const { origin, label, suite, codename, description, date, validUntil, signedBy } = content;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ["Origin", origin],
    ["Label", label],
    ["Suite", suite],
    ["Codename", codename],
    ["Date", writeDate(date)],
    ["Valid-Until", writeDate(validUntil)],
    ["Acquire-By-Hash", "yes"],
    ["Architectures", content.architectures.join(" ")],
    ["Components", content.components.join(" ")],
    ["Description", description],
    ["Signed-By", signedBy.length === 0 ? undefined : signedBy.join(", ")],
  ];
  const lines = fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const files = [...content.files].map(([path, { size, sha256 }]) => ` ${sha256} ${size} ${path}`);
  return Buffer.from(`${[...lines, "SHA256:", ...files].join("\n")}\n`);
}
