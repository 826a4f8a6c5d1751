/** `key extend`: a key holds longer, and is otherwise what it was; gpg and sqv see it, and clients learn of it. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hour, inArchive, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, type JsonDocument, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { inGnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";
import { snapshot } from "../testkit/snapshot.ts";

const userId = "Example Archive Signing Key <archive@example.org>";
const year = 365 * 24 * hour;
const dayOf = (seconds: string) => Math.round((Number(seconds) * 1000 - Date.now()) / (24 * hour));

/** A part of a key as gpg lists it: `pub` or `sub`, days until it expires, what it may do. */
type Part = readonly [kind: string, days: number, capabilities: string];

describe("key extend", function () {
  this.timeout(60_000);
  let folder: string;
  const home = () => join(folder, "home");

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-extend-"));
  });

  afterEach(() => fs.rm(folder, { recursive: true }));

  async function keep(...args: readonly string[]): Promise<JsonDocument> {
    const ended = await runHere(["--home", home(), "--json", ...args]);
    expect(ended.status, ended.stdout).to.equal(0);
    return documentOf(ended);
  }

  async function refuses(code: string, store: string, ...args: readonly string[]): Promise<string> {
    const before = await snapshot(store);
    const { error } = documentOf(await runHere(["--home", store, "--json", ...args]));
    expect(error?.code, error?.message).to.equal(code);
    expect(await snapshot(store), "nothing was made").to.deep.equal(before);
    return error?.message ?? "";
  }

  const keygen = async (...args: readonly string[]) =>
    String((await keep("keygen", "--user-id", userId, ...args)).fingerprint);

  async function seenByGpg(store: string, key: string): Promise<Part[]> {
    const parts: Part[] = [];
    await inGnupgHome(async (gpg) => {
      await gpg.run("--import", join(store, "certs", `${key}.asc`));
      for (const line of (await gpg.run("--with-colons", "--list-keys")).split("\n")) {
        const [kind = "", , , , , , expires = "", , , , , capabilities = ""] = line.split(":");
        if (/^(pub|sub)$/.test(kind)) parts.push([kind, dayOf(expires), capabilities.replace(/[A-Z]/g, "")]);
      }
    });
    return parts;
  }

  describe("seen by gpg", () => {
    before(needing("gpg", "sqv"));

    for (const algorithm of ["ed25519", "p256", "rsa3072"]) {
      it(`${algorithm}: holds longer, for the same work`, async () => {
        const key = await keygen("--algorithm", algorithm, "--expires", "30d");
        expect(await seenByGpg(home(), key)).to.deep.equal([["pub", 30, "sc"]]);
        await keep("key", "extend", key, "--expires", "300d");
        expect(await seenByGpg(home(), key)).to.deep.equal([["pub", 300, "sc"]]);
        // And once more: the newest word counts.
        await keep("key", "extend", key, "--expires", "600d");
        expect(await seenByGpg(home(), key)).to.deep.equal([["pub", 600, "sc"]]);
        const index = join(folder, "index");
        await fs.writeFile(index, "Package: a\nVersion: 1\n");
        await keep("sign", index, "--key", key);
        const ring = join(home(), "certs", `${key}.asc`);
        const verified = await runProgram("sqv", ["--keyring", ring, `${index}.sig`, index]);
        expect(verified.status, verified.stderr).to.equal(0);
      });
    }

    it("a master's still only certifies", async () => {
      const key = await keygen("--certify-only", "--expires", "30d");
      await keep("key", "extend", key, "--expires", "300d");
      expect(await seenByGpg(home(), key)).to.deep.equal([["pub", 300, "c"]]);
    });

    it("a subkey holds as long as its primary, which alone can say so", async () => {
      const offline = join(folder, "stick");
      const key = await keygen("--offline-primary", offline, "--expires", "30d");
      await refuses("bad_config", home(), "key", "extend", key, "--expires", "300d");
      const ended = await runHere(["--home", offline, "--json", "key", "extend", key, "--expires", "300d"]);
      expect(ended.status, ended.stdout).to.equal(0);
      expect(await seenByGpg(offline, key)).to.deep.equal([
        ["pub", 300, "c"],
        ["sub", 300, "s"],
      ]);
      // Brought back, it is what the machine that publishes signs by.
      await keep("key", "import", join(offline, "certs", `${key}.asc`));
      const index = join(folder, "index");
      await fs.writeFile(index, "Package: a\nVersion: 1\n");
      await keep("sign", index, "--key", key, "--at", new Date(Date.now() + 200 * 24 * hour).toISOString());
    });
  });

  it("extends a version 6 key", async () => {
    const key = await keygen("--algorithm", "ed25519-v6", "--expires", "30d");
    const { before, expiresAt } = await keep("key", "extend", key, "--expires", "300d");
    expect(Math.round((Date.parse(String(expiresAt)) - Date.parse(String(before))) / (24 * hour))).to.equal(270);
    const [listed] = (await keep("key", "list")).keys as { expiresAt: string }[];
    expect(listed?.expiresAt).to.equal(expiresAt);
  });

  it("refuses what makes no key hold longer", async () => {
    const key = await keygen("--expires", "300d");
    expect(await refuses("usage", home(), "key", "extend", key, "--expires", "200d")).to.include(
      "is already valid until",
    );
    const forever = await keygen("--expires", "never");
    expect(await refuses("usage", home(), "key", "extend", forever, "--expires", "1y")).to.include("never expires");
    for (const reason of ["retired", "compromised"]) {
      const gone = await keygen("--expires", "30d");
      await keep("revoke", gone, "--reason", reason, "--force");
      expect(await refuses("revoked", home(), "key", "extend", gone, "--expires", "1y")).to.include(reason);
    }
    await refuses("not_found", home(), "key", "extend", "A".repeat(40), "--expires", "1y");
  });

  it("unlocks a key by its passphrase, and leaves it locked", async () => {
    const file = join(folder, "passphrase");
    await fs.writeFile(file, "secret\n", { mode: 0o600 });
    const key = await keygen("--expires", "30d", "--passphrase-file", file);
    const locked = await fs.readFile(join(home(), "private", `${key}.asc`), "utf8");
    await keep("key", "extend", key, "--expires", "1y", "--passphrase-file", file);
    expect(await fs.readFile(join(home(), "private", `${key}.asc`), "utf8")).to.equal(locked);
  });

  async function withOldSeed(archive: TestArchive): Promise<void> {
    const seed = join(archive.folder, "seed.asc");
    await fs.copyFile(join(archive.home, "certs", `${archive.key}.asc`), seed);
    await archive.writeProfile({ keyring: seed });
  }

  it("brings back an archive whose key had expired, for clients with its old certificate too", async () => {
    await inArchive(
      async (archive) => {
        await withOldSeed(archive);
        await archive.accept(day(12), "update");
        const late = day(30);
        await archive.refuse({ code: "expired", status: 1 }, late, "update");
        const extending = ["key", "extend", archive.key, "--expires", "1y", "--config", archive.config];
        const ended = await runHere(archive.keeperArgs(late, ...extending));
        expect(ended.status, ended.stdout).to.equal(0);
        expect(documentOf(ended).expiresAt).to.equal(new Date(late + year).toISOString().replace(".000", ""));
        await archive.publish(late + hour);
        await archive.accept(late + 2 * hour, "update");
      },
      { lifetime: 20 * 24 * hour },
    );
  });
});
