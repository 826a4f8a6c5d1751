/** A folder of release files with their checksums, the keeper's key store, and a client of it that reads from the disk. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../src/time.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";

export const hex = (text: string) => createHash("sha256").update(text).digest("hex");

/** What its files hold. */
export const files = { "tool-1.0.tar.gz": "the tool", "win/tool.exe": "for windows" } as const;

export const sumsText = Object.entries(files)
  .map(([name, text]) => `${hex(text)}  ${name}\n`)
  .join("");

export class Release {
  readonly folder: string;
  readonly key: string;
  private constructor(folder: string, key: string) {
    this.folder = folder;
    this.key = key;
  }

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

  /** Runs the keeper's or the client's command. @returns its document, and its exit status */
  async run(at: Instant, ...args: readonly string[]): Promise<JsonDocument & { readonly status: number | null }> {
    const isKeeper = args[0] === "sign";
    const place = isKeeper ? ["--home", join(this.folder, "home")] : ["--profile", join(this.folder, "example.ini")];
    const state = isKeeper ? [] : ["--state", join(this.folder, "state")];
    const ended = await runHere([...place, ...state, "--json", "--at", iso(at), ...args]);
    return { ...documentOf(ended), status: ended.status };
  }

  async accept(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const said = await this.run(at, ...args);
    expect({ status: said.status, error: said.error }, args.join(" ")).to.deep.equal({ status: 0, error: undefined });
    return said;
  }

  async refuse(code: string, at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const said = await this.run(at, ...args);
    const errors = (said.feeds as { error?: { code: string } }[] | undefined)?.flatMap(
      ({ error }) => error?.code ?? [],
    );
    expect(said.error?.code ?? errors?.[0], JSON.stringify(said)).to.equal(code);
    expect(said.status).to.not.equal(0);
    return said;
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
