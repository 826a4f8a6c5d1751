// Index: its text (T13), and sizes beyond all measure. A rightful signer signs each of these.

import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { usualIndexBytes } from "../../src/client/index-files.ts";
import { hour, inArchive, inUse, packageOf, published } from "../testkit/archives/opkg-archive.ts";
import { runProcess } from "../testkit/programs/command-line.ts";
import { flood, raw } from "../testkit/servers/misbehaving-server.ts";

const at = published + hour;
const later = published + 2 * hour;
const refused = (code: string) => ({ code, status: 1 });
const badIndex = { code: "bad_index", status: 65 };

const alpha = packageOf("alpha");
const sha256 = createHash("sha256").update(alpha).digest("hex");
const md5 = createHash("md5").update(alpha).digest("hex");
const head = "Package: alpha\nVersion: 1.0-1\nArchitecture: all\n";
const place = `Filename: alpha_1.0-1_all.ipk\nSize: ${alpha.length}\n`;

function stanza(...digests: readonly string[]): string {
  return `${[head, place].join("")}${digests.map((line) => `${line}\n`).join("")}\n`;
}

const good = stanza(`SHA256sum: ${sha256}`);

describe("cases: index, its text", () => {
  const broken: readonly (readonly [string, string | Uint8Array, number])[] = [
    ["two stanzas for one package with other digests", `${good}${stanza(`SHA256sum: ${"0".repeat(64)}`)}`, 8],
    ["a field twice", `${head}${head}${place}\n`, 4],
    ["a field twice in another case", `${head}package: alpha\n${place}\n`, 4],
    ["a digest that is too short", stanza(`SHA256sum: ${sha256.slice(1)}`), 6],
    ["a digest that is too long", stanza(`SHA256sum: ${sha256}0`), 6],
    ["a digest that is not hex", stanza(`SHA256sum: ${sha256.slice(1)}g`), 6],
    ["an empty digest", stanza("SHA256sum:"), 6],
    ["two digests that contradict each other", stanza(`SHA256sum: ${sha256}`, `SHA256: ${"0".repeat(64)}`), 7],
    ["a NUL", good.replace("alpha_", "al\0pha_"), 4],
    ["a bare CR", good.replace("alpha_", "al\rpha_"), 4],
    ["line ends of CR and LF", good.replaceAll("\n", "\r\n"), 1],
    ["a line of spaces above a field", `${head}Description: x\n  \n${place}\n`, 6],
    ["a line of tabs above a field", `${head}Description: x\n\t\n${place}\n`, 6],
    ["a continued file name", `${head}${place} more\n\n`, 6],
    ["a stanza without its key field", `Version: 1\n${place}\n`, 1],
    ["a line that is no field", `${head}nothing\n${place}\n`, 4],
    ["a continuation of nothing", ` lost\n${good}`, 1],
  ];
  for (const [what, text, line] of broken) {
    it(`${what}: bad_index with the line`, async () => {
      await inUse(async (archive) => {
        await archive.signText(text, at);
        const before = await archive.lastGood();
        const { error } = await archive.refuse(badIndex, later, "verify", archive.file("Packages"));
        expect(error?.details.line).to.equal(line);
        const { feeds } = await archive.refuse(badIndex, later, "update");
        expect(feeds).to.have.length(1);
        await archive.refuse(badIndex, later, "verify", "--no-state", archive.file("Packages"));
        expect(await archive.lastGood()).to.equal(before);
        await archive.accept(later, "fetch", "alpha", "-o", archive.out);
      });
    });
  }

  const readable: readonly (readonly [string, string])[] = [
    ["spaces before the digest", stanza(`SHA256sum:   ${sha256}`)],
    ["a tab before the digest and one after", stanza(`SHA256sum:\t${sha256}\t`)],
    ["a digest in upper case", stanza(`SHA256sum: ${sha256.toUpperCase()}`)],
    ["the digest as Debian spells it", stanza(`SHA256: ${sha256}`)],
    ["a continuation line that begins with a tab", `${head}Description: x\n\tmore\n${place}SHA256sum: ${sha256}\n\n`],
    ["no line feed at the end", good.trimEnd()],
    ["the same stanza twice", `${good}${good}`],
    ["fields nobody knows", `${head}X-Whatever: 1\n${place}SHA256sum: ${sha256}\n\n`],
  ];
  for (const [what, text] of readable) {
    it(`${what}: read rightly, and the digest counts`, async () => {
      await inUse(async (archive) => {
        await archive.signText(text, at);
        await archive.accept(later, "update");
        archive.mirror.put("feeds/base/alpha_1.0-1_all.ipk", packageOf("alpha", "1.0-1", "X-Changed: yes"));
        await archive.refuse(refused("size_mismatch"), later, "fetch", "alpha", "-o", archive.out);
        const changed = Buffer.from(alpha);
        changed[changed.length - 2] = (changed.at(-2) ?? 0) ^ 1;
        archive.mirror.put("feeds/base/alpha_1.0-1_all.ipk", changed);
        await archive.refuse(refused("digest_mismatch"), later, "fetch", "alpha", "-o", archive.out);
        await archive.mirror.sync(archive.site);
        await archive.accept(later, "fetch", "alpha", "-o", archive.out);
        await archive.expectOut("alpha_1.0-1_all.ipk");
      });
    });
  }

  for (const [what, text] of [
    ["no digest at all", stanza()],
    ["only an MD5 digest", stanza(`MD5Sum: ${md5}`)],
    ["no size", good.replace(/^Size.*\n/m, "")],
    ["a size with a sign", good.replace("Size: ", "Size: +")],
    ["a size with a leading zero", good.replace("Size: ", "Size: 0")],
  ] as const) {
    it(`${what}: no_digest for that package, and others of the feed can be fetched`, async () => {
      await inUse(async (archive) => {
        const beta = await fs.readFile(archive.file("beta_2.0-1_all.ipk"));
        const other = `Package: beta\nVersion: 2.0-1\nFilename: beta_2.0-1_all.ipk\nSize: ${beta.length}\nSHA256sum: ${createHash("sha256").update(beta).digest("hex")}\n\n`;
        await archive.signText(`${text}${other}`, at);
        await archive.accept(later, "update");
        const { error } = await archive.refuse(refused("no_digest"), later, "fetch", "alpha", "-o", archive.out);
        expect(error?.details).to.include({ package: "alpha", line: 1 });
        await archive.expectOut();
        const local = [archive.file("Packages"), archive.file("alpha_1.0-1_all.ipk")];
        await archive.refuse(refused("no_digest"), later, "verify", ...local);
        await archive.accept(later, "fetch", "beta", "-o", archive.out);
        await archive.expectOut("beta_2.0-1_all.ipk");
      });
    });
  }
});

describe("cases: index, beyond all measure", function () {
  this.timeout(60_000);

  it("a decompression bomb: bad_index that names the cap, within bounded memory, and the last good one stays", async () => {
    await inUse(async (archive) => {
      // Ten bombs of 100 MB one after the other: gzip allows it, and each is made in no time.
      const member = gzipSync(Buffer.alloc(100_000_000));
      await fs.writeFile(archive.file("Packages.gz"), Buffer.concat(Array.from({ length: 10 }, () => member)));
      await archive.mirror.sync(archive.site);
      archive.mirror.drop("feeds/base/Packages");
      const { error } = await archive.refuse(badIndex, later, "update");
      expect(error?.message).to.contain(String(usualIndexBytes));
      const before = await archive.everything();
      const measured = ["--import", new URL("../testkit/programs/memory-preload.js", import.meta.url).href];
      const args = archive.clientArgs(later, "verify", archive.file("Packages.gz"));
      const ended = await runProcess(args, { node: measured });
      expect(ended.status).to.equal(65);
      expect(await archive.everything()).to.deep.equal(before);
      expect(Number(/peak memory (\d+) kB/.exec(ended.stderr)?.[1])).to.be.within(1, 400 * 1024);
    });
  });

  it("an index that announces 2 GB: unavailable before its body is read", async () => {
    await inUse(async (archive) => {
      const answer = raw("HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\nPackage: alpha\n");
      for (const name of ["Packages", "Packages.gz"]) archive.mirror.behave(`feeds/base/${name}`, answer);
      const { error } = await archive.refuse({ code: "unavailable", status: 69 }, later, "update");
      expect(error?.details.reason).to.equal("too_large");
    });
  });

  it("an index without end: unavailable at the cap", async () => {
    await inUse(async (archive) => {
      archive.mirror.behave("feeds/base/Packages.gz", flood("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
      const { error } = await archive.refuse({ code: "unavailable", status: 69 }, later, "update");
      expect(error?.details.reason).to.equal("too_large");
    });
  });

  it("a signature without end: unavailable", async () => {
    await inUse(async (archive) => {
      archive.mirror.behave("feeds/base/Packages.sig", flood("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
      await archive.refuse({ code: "unavailable", status: 69 }, later, "update");
    });
  });

  it("a local index beyond the cap: bad_index before it is read", async () => {
    await inArchive(async (archive) => {
      await fs.truncate(archive.file("Packages"), 2 ** 28 + 1);
      const { error } = await archive.refuse(badIndex, later, "verify", "--no-state", archive.file("Packages"));
      expect(error?.details).to.include({ size: 2 ** 28 + 1 });
    });
  });
});
