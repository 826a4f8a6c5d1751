/** Stores the scanned packages in a folder, in columns to save memory. The packages' stanzas are in a temporary file. */
import type { Spool } from "../../files/spool.ts";
import { identitySize } from "./file-identity.ts";
import type { ScannedBatch } from "./scan-batch.ts";
import type { ScannedPackage } from "./scan-file.ts";
import type { FoundPackages } from "./scan-walk.ts";

/** The size, in bytes, of the digests of one package: SHA-256, then MD5. */
export const digestsSize = 48;

/** The value in `starts` for an unreadable package. */
const missing = -1;

/** A table with one row for each found package file, in the order of the paths. */
export class ScanTable {
  readonly found: FoundPackages;
  readonly names: string[];
  readonly versions: string[];
  readonly architectures: string[];
  readonly digests: Buffer;
  /** The offset in `texts` of each package's own part of its stanza; -1 for an unreadable package. */
  readonly starts: Float64Array;
  readonly lengths: Uint32Array;
  readonly texts: Spool;

  constructor(found: FoundPackages, texts: Spool) {
    const { count } = found;
    this.found = found;
    this.names = new Array(count).fill("");
    this.versions = new Array(count).fill("");
    this.architectures = new Array(count).fill("");
    this.digests = Buffer.alloc(count * digestsSize);
    this.starts = new Float64Array(count).fill(missing);
    this.lengths = new Uint32Array(count);
    this.texts = texts;
  }

  /** The rows of readable packages. */
  get rows(): number[] {
    return [...this.starts.keys()].filter((row) => this.has(row));
  }

  has(row: number): boolean {
    return this.starts[row] !== missing;
  }

  /** Adds scanned packages. */
  add({ rows, words, digests, lengths, own }: ScannedBatch): void {
    const lines = words.split("\n");
    const hashes = Buffer.from(digests, "hex");
    let start = this.texts.length;
    for (const [place, row] of rows.entries()) {
      const length = lengths[place] ?? 0;
      this.names[row] = lines[place * 3] ?? "";
      this.versions[row] = lines[place * 3 + 1] ?? "";
      this.architectures[row] = lines[place * 3 + 2] ?? "";
      hashes.copy(this.digests, row * digestsSize, place * digestsSize, (place + 1) * digestsSize);
      this.starts[row] = start;
      this.lengths[row] = length;
      start += length;
    }
    this.texts.write(own);
  }

  /** Returns the package in a row. The package's stanza is valid only until the caller requests or adds another package. */
  at(row: number): ScannedPackage {
    const digests = this.digests.toString("hex", row * digestsSize, (row + 1) * digestsSize);
    return {
      path: this.found.paths[row] ?? "",
      size: this.found.identities[row * identitySize] ?? 0,
      sha256: digests.slice(0, 64),
      md5: digests.slice(64),
      name: this.names[row] ?? "",
      version: this.versions[row] ?? "",
      architecture: this.architectures[row] ?? "",
      own: this.texts.read(this.starts[row] ?? 0, this.lengths[row] ?? 0),
    };
  }
}
