/** An archive through steps of its life, and what its clients were given on the way. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { bundlePath } from "../../src/profile/layout.ts";
import type { LiveArchive } from "../testkit/archives/live-archive.ts";

export interface RowJson {
  readonly generation: string;
  readonly client: string;
  readonly feed: string;
  readonly before: string;
  readonly after: string;
}

/** Verdicts by generation and client. */
export type Table = Record<string, Readonly<Record<string, string>>>;

export function tableOf(rows: readonly RowJson[], when: "before" | "after"): Table {
  const table: Record<string, Record<string, string>> = {};
  for (const row of rows) {
    const line = table[row.generation] ?? {};
    line[row.client] = row[when];
    table[row.generation] = line;
  }
  return table;
}

export class Story {
  readonly archive: LiveArchive;
  /** Each key of the archive with its certificate as it was when it came up. */
  readonly shipped = new Map<string, string>();

  constructor(archive: LiveArchive) {
    this.archive = archive;
  }

  get rotate(): string[] {
    return ["rotate", "--config", this.archive.config, "--force"];
  }

  get site(): string {
    return this.archive.site;
  }

  async present(): Promise<string> {
    return /^key = (\S+)$/m.exec(await fs.readFile(this.archive.config, "utf8"))?.[1] ?? "";
  }

  /** Sets aside the certificates of keys that are new in the key store, but for delegates'. */
  async ship(): Promise<void> {
    const { keys } = await this.archive.keep("key", "list");
    for (const { fingerprint, userId } of keys as { fingerprint: string; userId: string }[]) {
      if (this.shipped.has(fingerprint) || !userId.includes("archive@")) continue;
      const file = join(this.archive.folder, `shipped-${fingerprint}.pgp`);
      const { armored } = await this.archive.keep("key", "export", fingerprint);
      const text = join(this.archive.folder, `shipped-${fingerprint}.asc`);
      await fs.writeFile(text, String(armored));
      await fs.writeFile(file, Buffer.from(dearmored(String(armored))));
      this.shipped.set(fingerprint, file);
    }
  }

  async keepBundle(name: string): Promise<string> {
    const file = join(this.archive.folder, `${name}.pgp`);
    await fs.copyFile(join(this.site, bundlePath), file);
    return file;
  }
}

function dearmored(armored: string): Uint8Array {
  const body = armored.split(/\r?\n\r?\n/)[1]?.replace(/\n=[\s\S]*$/, "") ?? "";
  return Buffer.from(body, "base64");
}
