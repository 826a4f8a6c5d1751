// Attack on nobody's part: what the archive has to tell, and its bundle leaves out.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { KeyIndex } from "../../src/openpgp/check/key-index.ts";
import { readFacts } from "../../src/openpgp/check/read-facts.ts";
import { bundleCertificates } from "../../src/signing/bundle.ts";
import type { OwnCertificate } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { addKey, hour, inArchive, published } from "../testkit/archives/opkg-archive.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { withdrawal } from "../testkit/signature.ts";

describe("attack: news that the bundle leaves out", () => {
  it("a certificate that has revoked the archive's user ID is told of", async () => {
    const [now, left] = [ed25519Key("bundle-now"), ed25519Key("bundle-left")];
    const revoked = withdrawal({ by: left, of: left, userId: archiveId, at: day(5) });
    const bytes = concat(
      certificate({ key: now }).bytes,
      certificate({ key: left, userIds: [{ userId: archiveId, signatures: [revoked] }] }).bytes,
    );
    const keys = await KeyIndex.of(readKeyring(bytes).certificates);
    const own = new Map<string, OwnCertificate>();
    for (const loaded of keys.certificates) {
      own.set(loaded.raw.fingerprint, { raw: loaded.raw, facts: await readFacts(loaded, keys) });
    }
    const signing = own.get(now.fingerprint);
    if (signing === undefined) throw new Error("the signing key was not read");
    const names = bundleCertificates(own, signing, archiveId).map(({ raw }) => raw.fingerprint);
    expect(names).to.have.members([now.fingerprint, left.fingerprint]);
  });

  it("a revocation is published where the present key stays in GnuPG", async function () {
    needing("gpg").call(this);
    await inArchive(async (archive) => {
      const gnupg = join(archive.folder, "gnupg");
      await fs.mkdir(gnupg, { mode: 0o700 });
      const armored = await (await KeyStore.open(archive.home)).certificate(archive.key);
      const file = join(archive.folder, "present.asc");
      await fs.writeFile(file, armored);
      expect((await runProgram("gpg", ["--homedir", gnupg, "--batch", "--import", file])).status).to.equal(0);
      const stolen = await addKey(archive.home);
      for (const part of ["private", "certs"]) await fs.rm(join(archive.home, part, `${archive.key}.asc`));
      await archive.writeConfig(`gpg:${archive.key}`);
      const before = process.env.GNUPGHOME;
      process.env.GNUPGHOME = gnupg;
      try {
        const args = ["revoke", stolen, "--reason", "compromised", "--force", "--config", archive.config];
        const ended = await runHere(archive.keeperArgs(published + hour, ...args));
        expect(ended.status, ended.stdout).to.equal(0);
      } finally {
        if (before === undefined) delete process.env.GNUPGHOME;
        else process.env.GNUPGHOME = before;
      }
      const bundle = readKeyring(await fs.readFile(join(archive.site, "keys", "archive-keyring.pgp")));
      const found = bundle.certificates.find(({ fingerprint }) => fingerprint === stolen);
      expect(found?.signatures).to.have.length(1);
    });
  });

  it("a revocation whose bundle can't be written does not look done", async () => {
    await inArchive(async (archive) => {
      const stolen = await addKey(archive.home);
      await fs.rm(join(archive.home, "certs", `${archive.key}.asc`));
      const args = ["revoke", stolen, "--reason", "compromised", "--force", "--config", archive.config];
      const ended = await runHere(archive.keeperArgs(published + hour, ...args));
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([66, "not_found"]);
    });
  });

  it("a certificate of another key in the safe does not pass for a hard revocation", async () => {
    await inArchive(async (archive) => {
      const stolen = await addKey(archive.home);
      const revoke = (reason: string, hours: number) => {
        const args = ["revoke", stolen, "--reason", reason, "--force"];
        return runHere(archive.keeperArgs(published + hours * hour, ...args));
      };
      expect((await revoke("superseded", 1)).status).to.equal(0);
      const safe = join(archive.home, "revocations");
      await fs.copyFile(join(safe, `${archive.key}-compromised.asc`), join(safe, `${stolen}-compromised.asc`));
      const ended = await revoke("compromised", 2);
      expect([ended.status, documentOf(ended).error?.code], ended.stdout).to.deep.equal([65, "bad_certificate"]);
    });
  });
});
