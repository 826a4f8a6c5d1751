// The index of a whole distribution, signed by feedkey and judged by gpgv, sqv and feedkey.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { biggestList } from "../testkit/programs/apt-list.ts";
import { documentOf, type Ended, runProcess, runProgram } from "../testkit/programs/command-line.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";

/** Peak memory of a run that verifies 50 MB, in kB. */
const memoryLimit = 200 * 1024;

describe("peers: apt's own index", function () {
  this.timeout(60_000);

  // The peers know no other time than the clock's.
  const at = Math.floor(Date.now() / 1000) * 1000;
  let archive: TestArchive | undefined;
  let list: Buffer = Buffer.alloc(0);
  let stanzas = 0;
  let keyring = "";
  const index = () => archive?.file("Packages") ?? "";

  before(async function () {
    needing("gpgv", "sqv").call(this);
    const found = biggestList();
    if (!presentOrSkip(this, found, 'apt has no list of packages here: run "apt-get update"')) return;
    list = found;
    // Counted without the code under test: every stanza has one such line.
    stanzas = list.toString("latin1").match(/^Package: /gm)?.length ?? 0;
    archive = await TestArchive.make({ at: at - hour });
    keyring = join(archive.site, "keys", "archive-keyring.pgp");
    await archive.signText(list, at);
  });

  after(async () => archive?.remove());

  function verify(...args: readonly string[]): Promise<Ended> {
    const node = ["--import", new URL("../testkit/programs/memory-preload.js", import.meta.url).href];
    const verify = archive?.clientArgs(at, "verify", "--no-state", index(), ...args) ?? [];
    return runProcess(verify, { node });
  }

  it("is that of a distribution", () => {
    expect(list.length).to.be.greaterThan(30_000_000);
    expect(stanzas).to.be.greaterThan(50_000);
  });

  for (const name of ["Packages.asc", "Packages.sig"]) {
    it(`with ${name} by "feedkey sign" is accepted by gpgv, sqv and feedkey`, async () => {
      const signature = archive?.file(name) ?? "";
      const gpgv = await runProgram("gpgv", ["--keyring", keyring, signature, index()]);
      expect(gpgv.status, gpgv.stderr).to.equal(0);
      const sqv = await runProgram("sqv", ["--keyring", keyring, signature, index()]);
      expect([sqv.status, sqv.stdout.trim()], sqv.stderr).to.deep.equal([0, archive?.key]);
      const ended = await verify("--signature", signature);
      expect(ended.status, ended.stdout).to.equal(0);
      expect(documentOf(ended).entries).to.equal(stanzas);
    });
  }

  it("is verified within 200 MB of memory", async () => {
    const ended = await verify();
    expect(ended.status, ended.stdout).to.equal(0);
    const peak = Number(/peak memory (\d+) kB/.exec(ended.stderr)?.[1]);
    expect(peak).to.be.within(1, memoryLimit);
  });

  it("with one bit changed is refused by all three", async () => {
    const changed = Buffer.from(list);
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    await fs.writeFile(index(), changed);
    const signature = archive?.file("Packages.asc") ?? "";
    expect((await runProgram("gpgv", ["--keyring", keyring, signature, index()])).status).to.equal(1);
    expect((await runProgram("sqv", ["--keyring", keyring, signature, index()])).status).to.equal(1);
    const ended = await verify();
    expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([1, "bad_signature"]);
    await fs.writeFile(index(), list);
  });
});
