import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder of its own for one test. */
export class ScanFolder {
  readonly path = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "feedkey-scan-")));

  /** Writes a file, and the folders above it. */
  write(name: string, data: string | Uint8Array): string {
    const path = join(this.path, name);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, data);
    return path;
  }

  link(name: string, target: string): void {
    fs.mkdirSync(dirname(join(this.path, name)), { recursive: true });
    fs.symlinkSync(target, join(this.path, name));
  }

  remove(): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}
