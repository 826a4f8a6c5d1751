/** The scanned packages in a folder, stored in columns to save memory. Their stanzas are in a temporary file. */
import type { Spool } from "../../files/spool.ts";
import { identitySize } from "./file-identity.ts";
import type { ScannedPackage } from "./scan-file.ts";
import type { FoundPackages } from "./scan-walk.ts";

/** The size, in bytes, of a package's digests: SHA-256, then MD5. */
export const digestsSize = 48;

/** The start of the stanza in a row whose package could not be read. */
const missing = -1;

/** A table with a row for each found package, in the order of their paths. */
export class ScanTable {
  readonly found: FoundPackages;
  readonly names: string[];
  readonly versions: string[];
  readonly architectures: string[];
  readonly digests: Buffer;
  /** The offset in `texts` of each package's own part of its stanza; -1 for a package that could not be read. */
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

  /** The rows of packages that could be read. */
  get rows(): number[] {
    return [...this.starts.keys()].filter((row) => this.has(row));
  }

  has(row: number): boolean {
    return this.starts[row] !== missing;
  }

  set(row: number, { name, version, architecture, sha256, md5, own }: ScannedPackage): void {
    this.names[row] = name;
    this.versions[row] = version;
    this.architectures[row] = architecture;
    this.digests.write(sha256 + md5, row * digestsSize, "hex");
    this.starts[row] = this.texts.length;
    this.lengths[row] = own.length;
    this.texts.write(own);
  }

  /** Returns the package in a row. Its stanza is valid only until the next text is added. */
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
