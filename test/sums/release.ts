/** A folder of release files with their checksums, the keeper's key store, and a client of it that reads from the disk. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Instant } from "../../src/time.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { SignedFolder } from "../testkit/archives/signed-folder.ts";
import { day } from "../testkit/dates.ts";

export const hex = (text: string) => createHash("sha256").update(text).digest("hex");

/** What its files hold. */
export const files = { "tool-1.0.tar.gz": "the tool", "win/tool.exe": "for windows" } as const;

export const sumsText = Object.entries(files)
  .map(([name, text]) => `${hex(text)}  ${name}\n`)
  .join("");

export class Release extends SignedFolder {
  /** @param settings further lines of the feed's section */
  static async make(settings: readonly string[] = []): Promise<Release> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-sums-"));
    const release = new Release(folder, await addKey(join(folder, "home")));
    await fs.mkdir(join(folder, "site", "v1", "win"), { recursive: true });
    for (const [name, text] of Object.entries(files)) await release.write(name, text);
    await release.write("SHA256SUMS", sumsText);
    const lines = ["[archive]", "name = Example", `url = file://${folder}/site/`, "user-email = archive@example.org"];
    lines.push("[trust]", "keyring = home/certs", `seeds = ${release.key}`, "keyservers = none");
    lines.push("[feed v1]", "format = sums", "path = v1", ...settings);
    await fs.writeFile(join(folder, "example.ini"), `${lines.join("\n")}\n`);
    return release;
  }

  path(name: string): string {
    return join(this.folder, "site", "v1", name);
  }

  async write(name: string, data: string | Uint8Array): Promise<void> {
    await fs.writeFile(this.path(name), data);
  }

  async read(name: string): Promise<string> {
    return await fs.readFile(this.path(name), "utf8");
  }

  async remove(...names: readonly string[]): Promise<void> {
    for (const name of names) await fs.rm(this.path(name));
  }

  async sign(at: Instant = day(10), ...args: readonly string[]): Promise<void> {
    await this.accept(at, "sign", this.path("SHA256SUMS"), "--key", this.key, "--feed", "v1", ...args);
  }
}

export async function withRelease(
  action: (release: Release) => Promise<void>,
  settings: readonly string[] = [],
): Promise<void> {
  const release = await Release.make(settings);
  try {
    await action(release);
  } finally {
    await fs.rm(release.folder, { recursive: true, force: true });
  }
}
