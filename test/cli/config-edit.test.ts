/** `switchKey`: one line of archive.ini changes, every other byte stays. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { switchKey } from "../../src/keys/config-edit.ts";
import { readArchiveConfig } from "../../src/profile/read-archive.ts";

const [a, b] = ["A".repeat(40), "B".repeat(40)];

const config = (line: string, eol = "\n") =>
  [
    "; what the keepers wrote, with their own comments",
    "[archive]",
    "root = site   ; relative",
    "user-id = Example Archive Signing Key <archive@example.org>",
    line,
    "",
    "[feed base]",
    "format = opkg",
    "path = feeds/base",
    "",
  ].join(eol);

describe("archive/config-edit", () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-config-"));
    await fs.mkdir(join(folder, "etc"));
    file = join(folder, "etc/archive.ini");
  });

  afterEach(() => fs.rm(folder, { recursive: true }));

  for (const [what, before, after] of [
    ["a plain line", `key = ${a}`, `key = ${b}`],
    ["no spaces", `key=${a}`, `key=${b}`],
    ["a comment behind it", `key = ${a}   ; since 2026`, `key = ${b}   ; since 2026`],
    ["an indented line", `\t key\t= ${a}`, `\t key\t= ${b}`],
    ["quotes", `key = "${a}" ; quoted`, `key = ${b} ; quoted`],
    ["a key that stays in GnuPG", `key = gpg:${a}`, `key = ${b}`],
    ["lower case", `key = ${a.toLowerCase()}`, `key = ${b}`],
    ["groups of four", `key = ${a.replace(/(.{4})/g, "$1 ").trim()}`, `key = ${b}`],
    ["a commented line like it before", `;key = ${a}\n  key = ${a}`, `;key = ${a}\n  key = ${b}`],
  ] as const) {
    for (const [name, eol] of [
      ["LF", "\n"],
      ["CRLF", "\r\n"],
    ] as const) {
      it(`changes ${what}, ${name}`, async () => {
        await fs.writeFile(file, config(before, eol));
        await switchKey(file, a, b);
        expect(await fs.readFile(file, "utf8")).to.equal(config(after, eol));
      });
    }
  }

  async function refuses(code: string, text: string, from = a): Promise<void> {
    await fs.writeFile(file, text);
    const error: unknown = await switchKey(file, from, b).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(FeedkeyError).with.property("code", code);
    expect(await fs.readFile(file, "utf8")).to.equal(text);
    expect(await fs.readdir(join(folder, "etc")), "leftovers").to.deep.equal(["archive.ini"]);
  }

  it("refuses, and changes nothing, when another key stands there or none", async () => {
    await refuses("bad_config", config(`key = ${a}`), b.replace(/B/g, "C"));
    await refuses("bad_config", config(""));
    await refuses("bad_config", config(`key = ${a}\nkey = ${a}`));
  });

  it("finds the section behind a byte order mark", async () => {
    const text = `\ufeff${config(`key = ${a}`).replace(/^.*\n/, "")}`;
    expect(readArchiveConfig(text, file).key.fingerprint).to.equal(a);
    await fs.writeFile(file, text);
    await switchKey(file, a, b);
    expect(readArchiveConfig(await fs.readFile(file, "utf8"), file).key.fingerprint).to.equal(b);
  });

  it("keeps the file's permissions", async () => {
    await fs.writeFile(file, config(`key = ${a}`));
    for (const mode of [0o600, 0o640, 0o664]) {
      await fs.chmod(file, mode);
      await switchKey(file, a, b);
      expect((await fs.stat(file)).mode & 0o777).to.equal(mode);
      await switchKey(file, b, a);
    }
  });

  it("changes the file behind a symbolic link, and leaves the link", async () => {
    const real = join(folder, "archive.ini");
    await fs.writeFile(real, config(`key = ${a}`));
    await fs.symlink("../archive.ini", file);
    await switchKey(file, a, b);
    expect(await fs.readlink(file)).to.equal("../archive.ini");
    expect(await fs.readFile(real, "utf8")).to.equal(config(`key = ${b}`));
  });
});
