/** Writes apt's `Release`. */
import type { FileDigests } from "../digests.ts";
import { writeDate } from "./date.ts";

/** What the keepers say of a suite. */
export interface SuiteNames {
  readonly origin?: string;
  readonly label?: string;
  readonly suite?: string;
  readonly codename?: string;
  readonly description?: string;
}

export interface ReleaseContent extends SuiteNames {
  /** Milliseconds. */
  readonly date: number;
  readonly validUntil: number;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Fingerprints of the keys that may sign the next one, for clients that are told of none; none: it says nothing of them. */
  readonly signedBy: readonly string[];
  /** By path below the folder of the Release file. Lists must be there in their uncompressed form, even where no such file is published. */
  readonly files: ReadonlyMap<string, Required<Pick<FileDigests, "size" | "sha256">>>;
}

/** The text, with the fields in the order of Debian's. Nothing weaker than SHA-256 is given. */
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

/** The text without what changes when it is written again later. */
export function withoutDates(release: Uint8Array): string {
  return Buffer.from(release)
    .toString("latin1")
    .replace(/^(?:Date|Valid-Until): .*\n/gm, "");
}
