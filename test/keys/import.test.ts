/** `feedkey key import`: keys that real gpg exports, locked and open, one and several. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { dearmor } from "../../src/openpgp/packet/armor.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, type JsonDocument, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { GnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";
import { certification } from "../testkit/signature.ts";
import { snapshot } from "../testkit/snapshot.ts";

describe("feedkey key import", function () {
  this.timeout(60_000);
  let folder: string;
  let gpg: GnupgHome;

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-import-"));
    gpg = await GnupgHome.make();
  });

  afterEach(async () => {
    await gpg.remove();
    await fs.rm(folder, { recursive: true });
  });

  const home = () => join(folder, "home");

  async function feedkey(...args: readonly string[]): Promise<{ status: number | null; document: JsonDocument }> {
    const ended = await runHere(["--home", home(), "--json", ...args]);
    return { status: ended.status, document: documentOf(ended) };
  }

  async function importing(bytes: string | Uint8Array, ...options: readonly string[]) {
    const file = join(folder, "keys");
    await fs.writeFile(file, bytes);
    return await feedkey("key", "import", file, ...options);
  }

  /** Must be refused, and leave nothing behind. */
  async function refuses(code: string, status: number, bytes: string | Uint8Array, ...options: readonly string[]) {
    const before = await snapshot(home());
    const { status: got, document } = await importing(bytes, ...options);
    expect({ code: document.error?.code, status: got }, document.error?.message).to.deep.equal({ code, status });
    expect(await snapshot(home())).to.deep.equal(before);
    return document;
  }

  const secretOf = (...keys: readonly string[]) => gpg.run("--armor", "--export-secret-keys", ...keys);
  const loopback = (passphrase: string) => ["--pinentry-mode", "loopback", "--passphrase", passphrase];
  const lockedSecretOf = (passphrase: string, ...keys: readonly string[]) => {
    return gpg.run(...loopback(passphrase), "--armor", "--export-secret-keys", ...keys);
  };

  async function passphraseFile(passphrase: string): Promise<string[]> {
    const file = join(folder, "passphrase");
    await fs.writeFile(file, `${passphrase}\n`, { mode: 0o600 });
    return ["--passphrase-file", file];
  }

  describe("of a key of gpg's", () => {
    before(needing("gpg", "gpgv"));

    for (const [name, kind] of [
      ["Ed25519", ["ed25519", "sign", "2y"]],
      ["RSA", ["rsa2048", "sign", "never"]],
      ["P-256 with a signing subkey of its own", ["nistp256", "cert", "never"]],
    ] as const) {
      it(`${name}: it signs here as it did there`, async () => {
        const key = await gpg.generate(archiveUserId, kind);
        if (kind[1] === "cert") await gpg.run(...loopback(""), "--quick-add-key", key, "nistp256/ecdsa", "sign", "1y");
        const { status, document } = await importing(await secretOf(key));
        expect(status, document.error?.message).to.equal(0);
        expect(document.imported).to.deep.equal([{ fingerprint: key, secret: true, news: true }]);
        await fs.writeFile(join(folder, "index"), "Package: a\nVersion: 1\n");
        expect((await feedkey("sign", join(folder, "index"), "--key", key)).status).to.equal(0);
        await gpg.run("--output", join(folder, "ring"), "--export", key);
        const args = ["--keyring", join(folder, "ring"), join(folder, "index.sig"), join(folder, "index")];
        const verified = await runProgram("gpgv", args);
        expect(verified.status, verified.stderr).to.equal(0);
        const mode = (await fs.stat(join(home(), "private", `${key}.asc`))).mode & 0o777;
        expect(mode).to.equal(0o600);
      });
    }

    it("makes revocation certificates that gpg honours", async () => {
      const key = await gpg.generate(archiveUserId);
      await importing(await secretOf(key));
      for (const [reason, octet] of [
        ["compromised", "02"],
        ["superseded", "01"],
        ["retired", "03"],
      ] as const) {
        const file = join(home(), "revocations", `${key}-${reason}.asc`);
        expect((await fs.stat(file)).mode & 0o777).to.equal(0o600);
        const other = await GnupgHome.make();
        try {
          await fs.writeFile(join(folder, "certificate"), await gpg.run("--armor", "--export", key));
          await other.run("--import", join(folder, "certificate"));
          await other.run("--import", file);
          const listed = await other.run("--with-colons", "--with-sig-list", "--list-sigs", key);
          expect(listed).to.match(/^pub:r:/m);
          expect(listed).to.match(new RegExp(`^rev:.*,${octet}:`, "m"));
        } finally {
          await other.remove();
        }
      }
    });

    it("with a passphrase: it is asked for, and the key stays locked", async () => {
      const key = await gpg.generate(archiveUserId, undefined, "correct horse");
      const locked = await lockedSecretOf("correct horse", key);
      const unasked = await refuses("bad_config", 78, locked);
      expect(unasked.error?.hint).to.include("--passphrase-file");
      await refuses("bad_config", 78, locked, ...(await passphraseFile("wrong")));
      const right = await passphraseFile("correct horse");
      expect((await importing(locked, ...right)).status).to.equal(0);
      await fs.writeFile(join(folder, "index"), "Package: a\nVersion: 1\n");
      const signing = ["sign", join(folder, "index"), "--key", key];
      expect((await feedkey(...signing)).status).to.equal(78);
      expect((await feedkey(...signing, ...right)).status).to.equal(0);
    });

    for (const form of ["armored", "binary"] as const) {
      it(`several in one block, ${form}`, async () => {
        const keys = [await gpg.generate(archiveUserId), await gpg.generate("Other <other@example.org>")];
        const armored = form === "armored" ? ["--armor"] : [];
        await gpg.run("--output", join(folder, "all"), ...armored, "--export-secret-keys", ...keys);
        const { document } = await importing(await fs.readFile(join(folder, "all")));
        expect(document.imported).to.have.deep.members(
          keys.map((fingerprint) => ({ fingerprint, secret: true, news: true })),
        );
        const { document: listed } = await feedkey("key", "list");
        const shown = (listed.keys as { fingerprint: string; secret: boolean }[]).filter(({ secret }) => secret);
        expect(shown.map(({ fingerprint }) => fingerprint)).to.have.members(keys);
      });
    }

    it("several, of which one can't be had: none is taken, so that it can be tried again", async () => {
      const open = await gpg.generate(archiveUserId);
      const locked = await gpg.generate("Other <other@example.org>", undefined, "correct horse");
      const both = `${await secretOf(open)}${await lockedSecretOf("correct horse", locked)}`;
      await refuses("bad_config", 78, both, ...(await passphraseFile("wrong")));
      const { document } = await importing(both, ...(await passphraseFile("correct horse")));
      expect(document.imported).to.have.length(2);
    });

    it("several, of which one is there already: the other is taken", async () => {
      const [first, second] = [await gpg.generate(archiveUserId), await gpg.generate("Other <other@example.org>")];
      await importing(await secretOf(second));
      const { document } = await importing(`${await secretOf(first)}${await secretOf(second)}`);
      expect(document.imported).to.deep.equal([
        { fingerprint: first, secret: true, news: true },
        { fingerprint: second, secret: true, news: false },
      ]);
    });

    it("with a certificate behind it in the same file", async () => {
      const [key, other] = [await gpg.generate(archiveUserId), await gpg.generate("Other <other@example.org>")];
      const { document } = await importing(`${await secretOf(key)}${await gpg.run("--armor", "--export", other)}`);
      expect(document.imported).to.deep.equal([
        { fingerprint: key, secret: true, news: true },
        { fingerprint: other, secret: false, news: true },
      ]);
      expect(await fs.readdir(join(home(), "private"))).to.deep.equal([`${key}.asc`]);
    });

    describe("without its primary secret (--export-secret-subkeys)", () => {
      const split = async () => {
        const key = await gpg.generate(archiveUserId, ["ed25519", "cert", "never"]);
        await gpg.run(...loopback(""), "--quick-add-key", key, "ed25519", "sign", "1y");
        return key;
      };
      const subkeysOf = (key: string) => gpg.run("--armor", "--export-secret-subkeys", key);

      it("it signs, and what needs the primary key says that it is elsewhere", async () => {
        const key = await split();
        const { status, document } = await importing(await subkeysOf(key));
        expect(status, document.error?.message).to.equal(0);
        expect(document.imported).to.deep.equal([{ fingerprint: key, secret: true, news: true }]);
        expect(JSON.stringify(document.warnings)).to.include("can't be extended, rotated or revoked here");
        await fs.writeFile(join(folder, "index"), "Package: a\nVersion: 1\n");
        expect((await feedkey("sign", join(folder, "index"), "--key", key)).status).to.equal(0);
        const { status: refused, document: why } = await feedkey("revoke", key, "--reason", "compromised", "--force");
        expect({ status: refused, code: why.error?.code }).to.deep.equal({ status: 66, code: "not_found" });
        expect(why.error?.hint).to.include("if you have the revocation certificate in a safe place");
      });

      it("a backup of it can be restored", async () => {
        const key = await split();
        await importing(await subkeysOf(key));
        expect((await feedkey("key", "backup", join(folder, "safe"))).status).to.equal(0);
        await fs.rm(home(), { recursive: true });
        const { status, document } = await feedkey("key", "restore", join(folder, "safe"));
        expect(status, document.error?.message).to.equal(0);
        expect(document.restored).to.deep.equal([key]);
      });

      it("the whole key completes it later, and a copy without the primary takes nothing away", async () => {
        const key = await split();
        await importing(await subkeysOf(key));
        const { document } = await importing(await secretOf(key));
        expect(document.imported).to.deep.equal([{ fingerprint: key, secret: true, news: true }]);
        const again = await importing(await subkeysOf(key));
        expect(again.document.imported).to.deep.equal([{ fingerprint: key, secret: true, news: false }]);
        expect((await feedkey("revoke", key, "--reason", "retired", "--force")).status).to.equal(0);
      });

      it("with no secret at all it is refused", async () => {
        const key = await gpg.generate(archiveUserId, ["ed25519", "sign", "never"]);
        const { error } = await refuses("bad_config", 78, await subkeysOf(key));
        expect(error?.message).to.equal(`the file does not contain the secret of any part of ${key}`);
      });
    });

    describe("that is here already", () => {
      it("unchanged, locked or extended: it merges, and says what changed", async () => {
        const key = await gpg.generate(archiveUserId, ["ed25519", "sign", "1y"]);
        await importing(await secretOf(key));
        const before = await fs.readFile(join(home(), "private", `${key}.asc`), "utf8");
        const same = await importing(await secretOf(key));
        expect(same.document.imported).to.deep.equal([{ fingerprint: key, secret: true, news: false }]);
        expect(same.document.changes).to.deep.equal([]);
        await gpg.run("--quick-set-expire", key, "3y");
        const { document } = await importing(await secretOf(key));
        expect(document.imported).to.deep.equal([{ fingerprint: key, secret: true, news: true }]);
        expect((document.changes as { kind: string }[]).map(({ kind }) => kind)).to.deep.equal(["expiry"]);
        expect(await fs.readFile(join(home(), "private", `${key}.asc`), "utf8")).to.equal(before);
      });

      it("with a new subkey: its secret comes too, and signs", async () => {
        const key = await gpg.generate(archiveUserId, ["ed25519", "cert", "never"]);
        await importing(await secretOf(key));
        await fs.writeFile(join(folder, "index"), "Package: a\nVersion: 1\n");
        expect((await feedkey("sign", join(folder, "index"), "--key", key)).status).to.equal(78);
        await gpg.run(...loopback(""), "--quick-add-key", key, "ed25519", "sign", "1y");
        const { document } = await importing(await secretOf(key));
        expect((document.changes as { kind: string }[]).map(({ kind }) => kind)).to.deep.equal(["subkey"]);
        expect((await feedkey("sign", "--force", join(folder, "index"), "--key", key)).status).to.equal(0);
      });
    });

    it("without an address in its name: it signs for a domain that is given", async () => {
      const key = await gpg.generate("Example Repo Signing Key");
      await importing(await secretOf(key));
      await fs.writeFile(join(folder, "index"), "Package: a\nVersion: 1\n");
      const signing = ["sign", join(folder, "index"), "--feed", "base", "--key", key];
      const { status, document } = await feedkey(...signing);
      expect(status).to.equal(78);
      expect(document.error?.hint).to.include("notation-domain").and.include("--notation-domain");
      expect((await feedkey(...signing, "--notation-domain", "example.org")).status).to.equal(0);
      const shown = await gpg.run("--with-colons", "--list-packets", join(folder, "index.sig"));
      expect(shown).to.include("feed@example.org=base");
    });
  });

  it("adds to a certificate at hand what is new, and takes nothing away", async () => {
    const [key, a, b] = [ed25519Key("subject"), ed25519Key("issuer a"), ed25519Key("issuer b")];
    const by = (issuer: typeof a) => certification({ by: issuer, of: key, userId: archiveId, at: day(1) });
    const file = join(home(), "certs", `${key.fingerprint}.asc`);
    const imports = [
      { issuers: [a], news: true },
      { issuers: [b], news: true },
      { issuers: [a], news: false },
    ];
    for (const { issuers, news } of imports) {
      const { document } = await importing(certificate({ key, certifiedBy: issuers.map(by) }).armored);
      expect(document.imported).to.deep.equal([{ fingerprint: key.fingerprint, secret: false, news }]);
    }
    const [stored] = dearmor(await fs.readFile(file), "PUBLIC KEY BLOCK");
    expect(Buffer.from(stored ?? [])).to.deep.equal(
      Buffer.from(certificate({ key, certifiedBy: [by(a), by(b)] }).bytes),
    );
  });

  it("is refused where there is no key, or no file", async () => {
    await refuses("bad_certificate", 65, "Dear keeper, please find enclosed nothing");
    await refuses("bad_certificate", 65, "");
    const missing = await feedkey("key", "import", join(folder, "missing"));
    expect([missing.status, missing.document.error?.code]).to.deep.equal([66, "not_found"]);
  });

  it("stands whatever bytes it is given", async () => {
    const block = Buffer.from(certificate({ key: ed25519Key("subject") }).bytes);
    const damaged = fc
      .array(fc.tuple(fc.nat(block.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = Buffer.from(block);
        for (const [at, value] of changes) bytes[at] = value;
        return new Uint8Array(bytes);
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), async (bytes) => {
        const { status, document } = await importing(bytes);
        expect([0, 65], document.error?.message).to.include(status);
      }),
      { numRuns: 60 },
    );
  });
});
