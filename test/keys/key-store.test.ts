/** `feedkey key list|export|backup|restore`: looking after the key store. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { dearmor } from "../../src/openpgp/packet/armor.ts";
import { iso } from "../../src/time.ts";
import { addKey, archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { inGnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";
import { snapshot } from "../testkit/snapshot.ts";

const days = 86_400_000;

describe("feedkey key", () => {
  let folder: string;
  let home: string;

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-keys-"));
    home = join(folder, "home");
  });

  afterEach(() => fs.rm(folder, { recursive: true }));

  async function key(...args: readonly string[]): Promise<JsonDocument> {
    const ended = await runHere(["--home", home, "--json", "--at", iso(day(10)), ...args]);
    expect(ended.status, ended.stdout).to.equal(0);
    return documentOf(ended);
  }

  async function refuses(code: string, status: number, ...args: readonly string[]): Promise<JsonDocument> {
    const before = await snapshot(folder);
    const ended = await runHere(["--home", home, "--json", ...args]);
    const document = documentOf(ended);
    expect({ code: document.error?.code, status: ended.status }, ended.stdout).to.deep.equal({ code, status });
    expect(await snapshot(folder)).to.deep.equal(before);
    return document;
  }

  /** A certificate without its secret. */
  async function addCertificate(): Promise<string> {
    const made = certificate({ key: ed25519Key("of another machine"), userIds: ["Machine <machine@example.org>"] });
    await fs.writeFile(join(folder, "machine.asc"), made.armored);
    await key("key", "import", join(folder, "machine.asc"));
    return made.fingerprint;
  }

  describe("list", () => {
    it("shows what each key is, and whether it can be used", async () => {
      const usual = await addKey(home, { lifetime: 100 * days });
      const short = await addKey(home, { lifetime: 5 * days });
      const revoked = await addKey(home);
      const machine = await addCertificate();
      await key("revoke", revoked, "--reason", "compromised", "--force");
      const { keys, home: where } = await key("key", "list");
      expect(where).to.equal(home);
      const common = {
        userId: archiveUserId,
        algorithm: "ed25519",
        createdAt: iso(day(0)),
        secret: true,
        algorithmUntil: null,
      };
      expect(keys).to.have.deep.members([
        { ...common, fingerprint: usual, expiresAt: iso(day(100)), state: "in force" },
        { ...common, fingerprint: short, expiresAt: iso(day(5)), state: "the key expired on 2026-01-06" },
        { ...common, fingerprint: revoked, expiresAt: null, state: "the key is revoked as compromised" },
        {
          ...{ ...common, fingerprint: machine, userId: "Machine <machine@example.org>", secret: false },
          ...{ expiresAt: null, state: "in force" },
        },
      ]);
      const { stdout } = await runHere(["--home", home, "--at", iso(day(10)), "key", "list"]);
      expect(stdout).to.match(new RegExp(`^${usual} .* 2026-04-11 +yes +in force$`, "m"));
      expect(stdout).to.match(new RegExp(`^${machine} .* never +no +in force$`, "m"));
    });

    it("says that there are none", async () => {
      const { stdout, status } = await runHere(["--home", home, "key", "list"]);
      expect([stdout, status]).to.deep.equal([`no keys in ${home}\n`, 0]);
    });

    it("shows a user ID escaped", async () => {
      const made = certificate({ key: ed25519Key("odd"), userIds: ["\x1b[2JOdd <odd@example.org>"] });
      await fs.writeFile(join(folder, "odd.asc"), made.armored);
      await key("key", "import", join(folder, "odd.asc"));
      const { stdout } = await runHere(["--home", home, "key", "list"]);
      expect(stdout).to.include("Odd <odd@example.org>").and.not.include("\x1b[2J");
    });
  });

  describe("export", () => {
    it("gives certificates that gpg imports, all or those named, and no secret", async function () {
      this.timeout(20_000);
      needing("gpg").call(this);
      const [first, second] = [await addKey(home), await addKey(home)];
      for (const [names, expected] of [
        [[], [first, second]],
        [[second.toLowerCase()], [second]],
      ] as const) {
        const { stdout, status } = await runHere(["--home", home, "key", "export", ...names]);
        expect(status).to.equal(0);
        expect(readKeys(Buffer.from(stdout)).secretKeys).to.equal(0);
        await inGnupgHome(async (gpg) => {
          await fs.writeFile(join(folder, "exported"), stdout);
          await gpg.run("--import", join(folder, "exported"));
          const listed = await gpg.run("--with-colons", "--list-keys");
          const found = [...listed.matchAll(/^fpr:+(\w+):/gm)].map(([, name]) => name);
          expect(found).to.have.members(expected);
        });
      }
      const { fingerprints, armored } = await key("key", "export", first);
      expect(fingerprints).to.deep.equal([first]);
      expect(String(armored)).to.match(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\n/);
    });

    it("is refused for a key that is not there, and for a key ID", async () => {
      const there = await addKey(home);
      await refuses("not_found", 66, "key", "export", "A".repeat(40));
      const { error } = await refuses("usage", 2, "key", "export", there.slice(-16));
      expect(error?.hint).to.include(there);
    });
  });

  describe("backup and restore", () => {
    const safe = () => join(folder, "safe");

    /** All files of the store; of certificates what they say, since armor has more than one spelling. */
    async function contents(): Promise<Record<string, string>> {
      const found: Record<string, string> = { ...(await snapshot(home)) };
      for (const path of Object.keys(found).filter((name) => name.includes("/certs/"))) {
        const blocks = dearmor(await fs.readFile(path), "PUBLIC KEY BLOCK");
        found[path] = `${((await fs.stat(path)).mode & 0o777).toString(8)} ${Buffer.concat(blocks).toString("hex")}`;
      }
      return found;
    }

    it("carry the whole store away and back, every file with its permissions", async () => {
      const names = [await addKey(home), await addKey(home, { passphrase: "correct horse" }), await addCertificate()];
      const { keys } = await key("key", "backup", safe());
      expect(keys).to.have.members(names);
      const before = await contents();
      await fs.rm(home, { recursive: true });
      const { restored, kept } = await key("key", "restore", safe());
      expect(restored).to.have.members(names);
      expect(kept).to.deep.equal([]);
      expect(await contents()).to.deep.equal(before);
      for (const part of ["", "private", "revocations"]) {
        expect((await fs.stat(join(safe(), part))).mode & 0o077, `others in ${part}`).to.equal(0);
      }
    });

    it("leave what is there alone, and bring back only what is missing", async () => {
      const [stays, lost] = [await addKey(home), await addKey(home)];
      await key("key", "backup", safe());
      const before = await contents();
      for (const part of ["private", "certs"]) await fs.rm(join(home, part, `${lost}.asc`));
      const { restored, kept } = await key("key", "restore", safe());
      expect({ restored, kept }).to.deep.equal({ restored: [lost], kept: [stays] });
      expect(await contents()).to.deep.equal(before);
    });

    it("can be repeated: the newer backup is the one that counts", async () => {
      const name = await addKey(home);
      await key("key", "backup", safe());
      await key("revoke", name, "--reason", "compromised", "--force");
      await key("key", "backup", safe());
      await fs.rm(home, { recursive: true });
      await key("key", "restore", safe());
      const { keys } = await key("key", "list");
      expect((keys as { state: string }[])[0]?.state).to.equal("the key is revoked as compromised");
    });

    it("is refused from a folder that is no backup, or that others could write to", async () => {
      await addKey(home);
      await fs.mkdir(safe());
      await refuses("not_found", 66, "key", "restore", safe());
      await refuses("not_found", 66, "key", "restore", join(folder, "missing"));
      await key("key", "backup", safe());
      await fs.chmod(safe(), 0o777);
      await refuses("bad_config", 78, "key", "restore", safe());
    });

    it("is refused where it can't be written", async () => {
      await addKey(home);
      await fs.writeFile(safe(), "a file");
      await refuses("output", 73, "key", "backup", safe());
    });
  });
});
