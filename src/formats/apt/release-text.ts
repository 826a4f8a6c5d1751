/** Writes apt's `Release`. */
import type { FileDigests } from "../digests.ts";
import type { FeedNames } from "../format.ts";
import { writeDate } from "./date.ts";

interface ReleaseContent extends FeedNames {
  /** Milliseconds. */
  readonly date: number;
  readonly validUntil: number;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Fingerprints of the keys that may sign the next file, for clients whose sources name no keyring; empty: no such field. */
  readonly signedBy: readonly string[];
  /**
   * By path below the folder of the Release file. Lists must be included in their uncompressed form, even if no such file is
   * published.
   */
  readonly files: ReadonlyMap<string, Required<Pick<FileDigests, "size" | "sha256">>>;
}

/** The text, with the fields in the order of Debian's. No digest weaker than SHA-256 is written. */
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
