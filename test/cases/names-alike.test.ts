// Transport and package: names that some file systems take for one.
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { foldedName, OutputNames } from "../../src/client/packages/output-names.ts";
import { hour, inUse, packageOf, published } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";

const at = published + 2 * hour;

function stanza(name: string, filename: string, bytes: Buffer): string {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return `Package: ${name}\nVersion: 1\nFilename: ${filename}\nSize: ${bytes.length}\nSHA256: ${sha256}\n\n`;
}

describe("cases: names alike", () => {
  const pairs = [
    ["x.ipk", "X.ipk", "another case"],
    ["x.ipk", "x.IPK", "another case of the ending"],
    ["caf\u00e9.ipk", "cafe\u0301.ipk", "another form of an accent"],
    ["stra\u00dfe.ipk", "STRASSE.ipk", "a letter that folds to two"],
    ["x.ipk", "x\u200d.ipk", "a character that does not show"],
  ] as const;
  for (const [one, other, what] of pairs) {
    for (const same of [false, true]) {
      it(`${what}, ${same ? "the same" : "other"} bytes: bad_path for the second, the first is fetched`, async () => {
        await inUse(async (archive) => {
          const bytes = [packageOf("one"), packageOf(same ? "one" : "other")] as const;
          const text = stanza("one", one, bytes[0]) + stanza("other", other, bytes[1]);
          await archive.signText(text, published + hour);
          archive.mirror.put(`feeds/base/${one}`, bytes[0]);
          archive.mirror.put(`feeds/base/${other}`, bytes[1]);
          await archive.accept(at, "update");
          const ended = await runHere(archive.clientArgs(at, "fetch", "--all", "-o", archive.out));
          expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([1, "bad_path"]);
          expect(await fs.readdir(archive.out)).to.deep.equal([one]);
          expect((await fs.readFile(join(archive.out, one))).equals(bytes[0])).to.equal(true);
          const apart = join(archive.folder, "apart");
          await archive.accept(at, "fetch", "other", "-o", apart);
          expect(await fs.readdir(apart)).to.deep.equal([other]);
        });
      });
    }
  }

  it("the very name of another listed package that an earlier run fetched: bad_path, and that one stays", async () => {
    await inUse(async (archive) => {
      const bytes = { one: packageOf("one"), other: packageOf("other") };
      const places = { one: "a/x.ipk", other: "b/x.ipk" };
      const names = ["one", "other"] as const;
      await archive.signText(names.map((name) => stanza(name, places[name], bytes[name])).join(""), published + hour);
      for (const name of names) archive.mirror.put(`feeds/base/${places[name]}`, bytes[name]);
      await archive.accept(at, "update");
      await archive.accept(at, "fetch", "one", "-o", archive.out);
      const ended = await runHere(archive.clientArgs(at, "fetch", "other", "-o", archive.out));
      const { error } = documentOf(ended);
      expect([ended.status, error?.code]).to.deep.equal([1, "bad_path"]);
      expect(error?.message).to.contain('which is package "one" 1 of feed "base"');
      expect((await fs.readFile(join(archive.out, "x.ipk"))).equals(bytes.one)).to.equal(true);
      // Control: what no index lists is replaced, and the same file is kept.
      await archive.accept(at, "fetch", "one", "-o", archive.out);
      await fs.writeFile(join(archive.out, "x.ipk"), "half");
      await archive.accept(at, "fetch", "other", "-o", archive.out);
      expect((await fs.readFile(join(archive.out, "x.ipk"))).equals(bytes.other)).to.equal(true);
    });
  });

  it("control: names that no file system takes for one", () => {
    expect(new Set(["x.ipk", "y.ipk", "x1.ipk", "x-.ipk", "\u00e9.ipk"].map(foldedName)).size).to.equal(5);
  });

  it("a file of an earlier run whose name differs only for people: bad_path where the file system finds it", () => {
    const ignoring = new OutputNames(["x.ipk", "y"], (name) => ["x.ipk", "y"].includes(name.toLowerCase()));
    expect(ignoring.problemWith("X.ipk")).to.include({ code: "bad_path" });
    expect(ignoring.problemWith("X.ipk")?.message).to.include("x.ipk");
    expect(ignoring.problemWith("x.ipk")).to.equal(undefined);
    expect(ignoring.problemWith("z.ipk")).to.equal(undefined);
    const telling = new OutputNames(["x.ipk"], (name) => name === "x.ipk");
    expect(telling.problemWith("X.ipk")).to.equal(undefined);
  });
});
