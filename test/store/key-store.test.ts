import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { KeyStore, type NewKey } from "../../src/store/key-store.ts";
import { skipUnlessRoot } from "../testkit/programs/present.ts";
import { asNobody, fingerprintA, fingerprintB, inScratch, refusal } from "../testkit/scratch.ts";

const reasons = ["compromised", "superseded", "retired"] as const;

function newKey(fingerprint: string): NewKey {
  return {
    fingerprint,
    privateKey: `secret ${fingerprint}`,
    certificate: `certificate ${fingerprint}`,
    revocations: { compromised: "c", superseded: "s", retired: "r" },
  };
}

async function inStore(action: (store: KeyStore, folder: string) => Promise<void>): Promise<void> {
  await inScratch(async (scratch) => {
    const folder = join(scratch, "home");
    await action(await KeyStore.open(folder), folder);
  });
}

async function modeOf(path: string): Promise<number> {
  return (await fs.stat(path)).mode & 0o777;
}

describe("store/key-store", () => {
  it("keeps a key, its certificate and its revocations under their names, the secret ones 0600", () =>
    inStore(async (store, folder) => {
      await store.add(newKey(fingerprintA));
      expect(await store.privateKey(fingerprintA)).to.equal(`secret ${fingerprintA}`);
      expect(await store.certificate(fingerprintA)).to.equal(`certificate ${fingerprintA}`);
      for (const reason of reasons) {
        expect(await store.revocation(fingerprintA, reason)).to.equal(reason.slice(0, 1));
        expect(await modeOf(join(folder, "revocations", `${fingerprintA}-${reason}.asc`))).to.equal(0o600);
      }
      expect(await modeOf(folder)).to.equal(0o700);
      expect(await modeOf(join(folder, "private"))).to.equal(0o700);
      expect(await modeOf(join(folder, "private", `${fingerprintA}.asc`))).to.equal(0o600);
      expect(await modeOf(join(folder, "certs", `${fingerprintA}.asc`))).to.equal(0o644);
    }));

  it("creates nothing before there is something to keep", () =>
    inScratch(async (scratch) => {
      const store = await KeyStore.open(join(scratch, "home"));
      expect(await store.list()).to.deep.equal([]);
      expect(await store.hasPrivate(fingerprintA)).to.equal(false);
      expect((await refusal(store.certificate(fingerprintA))).code).to.equal("not_found");
      expect(await fs.readdir(scratch)).to.deep.equal([]);
    }));

  it("lists certificates by fingerprint and passes over other files", () =>
    inStore(async (store, folder) => {
      await store.add(newKey(fingerprintA));
      await store.exclusive((writer) => writer.putCertificate(fingerprintB, "certificate of somebody else"));
      for (const name of ["README", `${fingerprintA}`, `${fingerprintA}.asc~`, "ABCD.asc"]) {
        await fs.writeFile(join(folder, "certs", name), "");
      }
      expect(await store.list()).to.deep.equal([fingerprintB, fingerprintA]);
      expect(await store.hasPrivate(fingerprintA)).to.equal(true);
      expect(await store.hasPrivate(fingerprintB)).to.equal(false);
    }));

  it("does not overwrite a secret key", () =>
    inStore(async (store) => {
      await store.add(newKey(fingerprintA));
      const error = await refusal(store.add({ ...newKey(fingerprintA), privateKey: "another" }));
      expect(error.code).to.equal("usage");
      expect(await store.privateKey(fingerprintA)).to.equal(`secret ${fingerprintA}`);
    }));

  it("replaces a certificate", () =>
    inStore(async (store, folder) => {
      await store.exclusive((writer) => writer.putCertificate(fingerprintA, "one"));
      await store.exclusive((writer) => writer.putCertificate(fingerprintA, "two"));
      expect(await store.certificate(fingerprintA)).to.equal("two");
      expect(await fs.readdir(join(folder, "certs"))).to.deep.equal([`${fingerprintA}.asc`]);
    }));

  it("lets no other run in between what is read and what is written", () =>
    inStore(async (store) => {
      await store.exclusive((writer) => writer.putCertificate(fingerprintA, ""));
      const append = (text: string) =>
        store.exclusive(async (writer) => {
          await writer.putCertificate(fingerprintA, (await store.certificate(fingerprintA)) + text);
        });
      await Promise.all([append("x"), append("x"), append("x")]);
      expect(await store.certificate(fingerprintA)).to.equal("xxx");
    }));

  it("removes what a killed run left, and leaves no secret in a file that a failed run staged", () =>
    inStore(async (store, folder) => {
      await store.add(newKey(fingerprintA));
      await fs.writeFile(join(folder, "private", ".feedkey-0.tmp"), "half a secret");
      await fs.mkdir(join(folder, "certs", `${fingerprintB}.asc`, "in-the-way"), { recursive: true });
      expect((await refusal(store.add(newKey(fingerprintB)))).code).to.equal("output");
      expect(await fs.readdir(join(folder, "private"))).to.deep.equal([`${fingerprintA}.asc`]);
      expect(await store.hasPrivate(fingerprintB)).to.equal(false);
    }));

  describe("secret key files", () => {
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601]) {
      it(`refuses mode ${mode.toString(8)}`, () =>
        inStore(async (store, folder) => {
          await store.add(newKey(fingerprintA));
          const file = join(folder, "private", `${fingerprintA}.asc`);
          await fs.chmod(file, mode);
          const error = await refusal(store.privateKey(fingerprintA));
          expect(error.code).to.equal("bad_config");
          expect(error.message).to.include(`is open to other users (mode ${mode.toString(8)})`);
          expect(error.hint).to.include(`chmod 600 '${file}'`);
          await fs.chmod(file, 0o400);
          expect(await store.privateKey(fingerprintA)).to.equal(`secret ${fingerprintA}`);
        }));
    }

    it("refuses a symbolic link, a pipe and a folder", () =>
      inStore(async (store, folder) => {
        await store.add(newKey(fingerprintA));
        const file = join(folder, "private", `${fingerprintA}.asc`);
        await fs.rename(file, join(folder, "moved"));
        await fs.symlink("../moved", file);
        expect((await refusal(store.privateKey(fingerprintA))).message).to.include("a symbolic link is in the way");
        await fs.rm(file);
        execFileSync("mkfifo", ["-m", "600", file]);
        expect((await refusal(store.privateKey(fingerprintA))).message).to.include("is not a plain file");
        await fs.rm(file);
        await fs.mkdir(file, { mode: 0o700 });
        expect((await refusal(store.privateKey(fingerprintA))).code).to.equal("bad_config");
      }));

    it("refuses one in a folder that others can write to", () =>
      inStore(async (store, folder) => {
        await store.add(newKey(fingerprintA));
        await fs.chmod(join(folder, "private"), 0o770);
        const error = await refusal(store.privateKey(fingerprintA));
        expect(error.code).to.equal("bad_config");
        expect(error.message).to.equal(`other users can write to the folder "${join(folder, "private")}"`);
      }));

    it("refuses one of another user", function () {
      skipUnlessRoot(this);
      return inStore(async (store, folder) => {
        await store.add(newKey(fingerprintA));
        await fs.chown(join(folder, "private", `${fingerprintA}.asc`), 65534, 65534);
        expect((await refusal(store.privateKey(fingerprintA))).message).to.include("belongs to another user");
      });
    });

    it("says that it may not read one", () =>
      inStore(async (store, folder) => {
        await store.add(newKey(fingerprintA));
        await fs.chmod(join(folder, "private", `${fingerprintA}.asc`), 0o000);
        const error = await asNobody(() => refusal(store.privateKey(fingerprintA)));
        expect(error.code).to.equal("bad_config");
      }));
  });

  it("refuses a store that others can write to", () =>
    inScratch(async (folder) => {
      await fs.chmod(folder, 0o777);
      const error = await refusal(KeyStore.open(folder));
      expect(error.code).to.equal("bad_config");
      expect(error.hint).to.include("chmod go-w");
    }));

  for (const text of [
    "",
    "../private/x",
    fingerprintA.toLowerCase(),
    `${fingerprintA}/../x`,
    "A".repeat(16),
    `${fingerprintA}\n`,
  ]) {
    it(`lets ${JSON.stringify(text)} into no path`, () =>
      inStore(async (store) => {
        for (const attempt of [
          () => store.certificate(text),
          () => store.privateKey(text),
          () => store.hasPrivate(text),
          () => store.revocation(text, "retired"),
          () => store.exclusive((writer) => writer.putCertificate(text, "x")),
          () => store.add(newKey(text)),
        ]) {
          expect((await refusal(attempt())).code).to.equal("usage");
        }
      }));
  }

  describe("resolve", () => {
    const spaced = "0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567";
    const joined = spaced.replaceAll(" ", "");

    it("takes a full fingerprint in any case, with spaces and 0x", () =>
      inStore(async (store) => {
        await store.exclusive((writer) => writer.putCertificate(joined, "x"));
        await store.exclusive((writer) => writer.putCertificate(fingerprintB, "x"));
        for (const text of [joined, spaced, spaced.toLowerCase(), `0x${joined}`, ` ${joined}\n`]) {
          expect(await store.resolve(text)).to.equal(joined);
        }
        expect(await store.resolve(fingerprintB.toLowerCase())).to.equal(fingerprintB);
      }));

    it("refuses a key ID, and tells what it may have meant", () =>
      inStore(async (store) => {
        await store.exclusive((writer) => writer.putCertificate(joined, "x"));
        const error = await refusal(store.resolve(`0x${joined.slice(-16)}`));
        expect(error.code).to.equal("usage");
        expect(error.hint).to.equal(`a key ID does not identify a key; did you mean ${joined}?`);
        expect((await refusal(store.resolve("DEADBEEF"))).hint).to.include("all 40 or 64 hex digits");
        expect((await refusal(store.resolve(""))).code).to.equal("usage");
      }));

    it("knows no key that is not there", () =>
      inStore(async (store, folder) => {
        const error = await refusal(store.resolve(fingerprintA));
        expect(error.code).to.equal("not_found");
        expect(error.message).to.equal(`no key ${fingerprintA} in the key store "${folder}"`);
      }));
  });
});
