// A profile that is wrong is bad_profile, with the line; so is its keyring.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { KeyStore } from "../../src/store/key-store.ts";
import { hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runProcess } from "../testkit/programs/command-line.ts";

const at = published + hour;
const badProfile = { code: "bad_profile", status: 78 };

/** Replaces one line of the good profile. @returns its number */
async function change(archive: TestArchive, from: RegExp, to: string): Promise<number> {
  const lines = (await fs.readFile(archive.profile, "utf8")).split("\n");
  const place = lines.findIndex((line) => from.test(line));
  expect(place).to.be.greaterThan(-1);
  lines[place] = lines[place]?.replace(from, to) ?? "";
  await fs.writeFile(archive.profile, lines.join("\n"));
  // The last line of what was put there, where it is more than one.
  return place + to.split("\n").length;
}

describe("cases: profile", () => {
  const wrong: readonly (readonly [string, RegExp, string | ((archive: TestArchive) => string)])[] = [
    ["an unknown key", /^name = .*$/, "name = Example\nnmae = Example"],
    ["an unknown section", /^\[trust\]$/, "[trusted]"],
    ["a key twice", /^name = .*$/, "name = Example\nname = Other"],
    ["a duplicate seed", /^seeds = .*$/, ({ key }) => `seeds = ${key}, ${key}`],
    ["a duplicate seed in lower case", /^seeds = .*$/, ({ key }) => `seeds = ${key}, ${key.toLowerCase()}`],
    ["a key ID for a seed", /^seeds = .*$/, ({ key }) => `seeds = ${key.slice(-16)}`],
    ["a short key ID for a seed", /^seeds = .*$/, ({ key }) => `seeds = 0x${key.slice(-8)}`],
    ["a URL without a scheme", /^url = .*$/, "url = files.example.org/feeds/"],
    ["a URL of another scheme", /^url = .*$/, "url = ftp://files.example.org/"],
    ["a URL with a password", /^url = .*$/, "url = https://user:secret@files.example.org/"],
    ["a key server without TLS", /^keyservers = .*$/, "keyservers = hkp://keys.example.org"],
    ["none beside a key server", /^keyservers = .*$/, "keyservers = none, hkps://keys.example.org"],
    ["an undefined variable", /^path = .*$/, "path = feeds/$" + "{suite}"],
    ["a path that climbs", /^path = .*$/, "path = feeds/../../base"],
    ["a format nobody knows", /^format = .*$/, "format = rpm"],
    ["a duration without a unit", /^keyservers = none$/, "keyservers = none\ngrace = 14"],
    ["a threshold of zero", /^keyservers = none$/, "keyservers = none\nthreshold = 0"],
    ["a word that is neither yes nor no", /^keyservers = none$/, "keyservers = none\nrequire-expiry = perhaps"],
    ["an address in brackets", /^user-email = .*$/, "user-email = <archive@example.org>"],
    ["both kinds of identity", /^user-email = .*$/, "user-email = a@example.org\nuser-id = A <a@example.org>"],
  ];
  for (const [what, from, to] of wrong) {
    it(`${what}: bad_profile with the line`, async () => {
      await inUse(async (archive) => {
        const line = await change(archive, from, typeof to === "string" ? to : to(archive));
        const { error } = await archive.refuse(badProfile, at, "update");
        expect(error?.details.line).to.equal(line);
        await archive.refuse(badProfile, at, "fetch", "alpha", "-o", archive.out);
        await archive.refuse(badProfile, at, "verify", archive.file("Packages"));
        await archive.refuse(badProfile, at, "profile", "check");
      });
    });
  }

  it("a password in a URL is not repeated", async () => {
    await inArchive(async (archive) => {
      await change(archive, /^url = .*$/, "url = https://user:geheim@files.example.org/");
      const ended = await runProcess(["--debug", ...archive.clientArgs(at, "update")]);
      expect(ended.status).to.equal(78);
      expect(`${ended.stdout}${ended.stderr}`).to.not.contain("geheim");
    });
  });

  it("no seed at all: no_seed", async () => {
    await inUse(async (archive) => {
      await change(archive, /^seeds = .*$/, "seeds =");
      const ended = await runProcess(archive.clientArgs(at, "update"));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([78, "no_seed"]);
    });
  });

  it("a listed seed that the keyring lacks: bad_profile", async () => {
    await inUse(async (archive) => {
      await archive.writeProfile({ seeds: [archive.key, "A".repeat(40)] });
      await archive.refuse(badProfile, at, "update");
    });
  });

  it("a secret key in the keyring: bad_profile that warns to change it", async () => {
    await inUse(async (archive) => {
      const keyring = join(archive.folder, "keyring");
      await fs.mkdir(keyring);
      const store = await KeyStore.open(archive.home);
      await fs.writeFile(join(keyring, "seed.asc"), await store.privateKey(archive.key));
      await archive.writeProfile({ keyring });
      const { error } = await archive.refuse(badProfile, at, "update");
      expect(error?.hint).to.contain("make a new one");
      await fs.writeFile(join(keyring, "seed.asc"), await store.certificate(archive.key));
      await archive.accept(at, "update");
    });
  });

  it("a keyring that is not there: bad_profile", async () => {
    await inUse(async (archive) => {
      await archive.writeProfile({ keyring: join(archive.folder, "nothing") });
      await archive.refuse(badProfile, at, "update");
    });
  });

  it("verify = off: nothing is handed over", async () => {
    await inUse(async (archive) => {
      await change(archive, /^name = .*$/, "name = Example\nverify = off");
      for (const args of [["update"], ["fetch", "alpha", "-o", archive.out], ["verify", archive.file("Packages")]]) {
        const ended = await runProcess(archive.clientArgs(at, ...args));
        expect(ended.status).to.not.be.oneOf([0, 70]);
      }
      await archive.expectOut();
    });
  });

  it("no such profile, a folder, an empty file: told apart", async () => {
    await inArchive(async (archive) => {
      const refuse = (code: string, status: number) => archive.refuse({ code, status }, at, "update");
      await fs.writeFile(archive.profile, "");
      await refuse("bad_profile", 78);
      await fs.rm(archive.profile);
      await refuse("not_found", 66);
      await fs.mkdir(archive.profile);
      await refuse("bad_profile", 78);
    });
  });
});
