/** `feedkey profile list|show|check`. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { addKey, archiveUserId, hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, type Ended, type JsonDocument, runHere, runProcess } from "../testkit/programs/command-line.ts";

const day = 24 * hour;

interface Listed {
  readonly name: string;
  readonly file: string;
  readonly archive: string | null;
  readonly seeds: readonly string[];
  readonly error: string | null;
}

describe("feedkey profile", () => {
  let archive: TestArchive;

  beforeEach(async () => {
    archive = await TestArchive.make({ lifetime: 100 * day });
  });

  afterEach(() => archive.remove());

  describe("list", () => {
    /** With profiles of the user's own before those that are shipped. */
    const listed = async (...args: readonly string[]): Promise<Ended> => {
      return await runProcess(["profile", "list", ...args], { env: { XDG_CONFIG_HOME: archive.folder } });
    };
    const own = () => join(archive.folder, "feedkey/profiles");

    beforeEach(() => fs.mkdir(own(), { recursive: true }));

    it("names every profile on the search path, the first of a name only", async () => {
      await fs.copyFile(archive.profile, join(own(), "example.ini"));
      await fs.copyFile(archive.profile, join(own(), "demo.ini"));
      await fs.writeFile(join(own(), "README"), "no profile");
      const document = documentOf(await listed("--json"));
      const profiles = document.profiles as Listed[];
      const found = new Map(profiles.map((profile) => [profile.name, profile]));
      expect(found.size).to.equal(profiles.length);
      expect(found.get("example")).to.deep.equal({
        ...{ name: "example", file: join(own(), "example.ini"), archive: "Example", seeds: [archive.key], error: null },
      });
      expect(found.get("demo")?.file).to.equal(join(own(), "demo.ini"));
      expect([...found.keys()]).to.include.members(["debian-keys", "demo", "example", "pkgsrc", "proteanos"]);
    });

    it("lists one that can't be read with the reason", async () => {
      await fs.writeFile(join(own(), "broken.ini"), "[archive]\nname = Broken\n");
      await fs.symlink("nowhere", join(own(), "gone.ini"));
      const document = documentOf(await listed("--json"));
      const errors = (document.profiles as Listed[]).filter(({ error }) => error !== null);
      expect(errors.map(({ name, error }) => [name, error])).to.deep.equal([
        ["broken", "bad_profile"],
        ["gone", "not_found"],
      ]);
      const { stdout, status } = await listed();
      expect(status).to.equal(0);
      expect(stdout).to.match(/^broken +\(unreadable\) +bad_profile +\S+broken\.ini$/m);
    });

    it("shows text from a profile escaped", async () => {
      const text = (await fs.readFile(archive.profile, "utf8")).replace("name = Example", "name = Ex\u202eample");
      await fs.writeFile(join(own(), "odd.ini"), text);
      const { stdout } = await listed();
      expect(stdout).to.match(/^odd /m).and.not.include("\u202e");
    });
  });

  const run = async (...args: readonly string[]): Promise<{ status: number | null; document: JsonDocument }> => {
    const ended = await runHere(["--json", "--at", iso(published), "--profile", archive.profile, "profile", ...args]);
    return { status: ended.status, document: documentOf(ended) };
  };

  it("show tells what the profile says, with its defaults", async () => {
    await archive.writeProfile({ trust: ["max-index-age = 30d"] });
    const { document } = await run("show");
    expect(document.profile).to.deep.include({ name: "example", file: archive.profile });
    const { stdout } = await runHere(["--profile", archive.profile, "profile", "show"]);
    const rows = new Map(stdout.split("\n").map((line) => [line.slice(0, 18).trimEnd(), line.slice(18)]));
    expect(Object.fromEntries(rows)).to.deep.include({
      archive: "Example",
      url: archive.mirror.url,
      "keys named": "<archive@example.org>",
      seeds: archive.key,
      "key servers": "none: revocations come from the archive's bundle alone",
      "revocation check": "always, grace 14 days",
      "signers needed": "1",
      "index age": "at most 30 days",
      "feed base": "opkg at feeds/base",
    });
  });

  it("show takes the name of a profile, or a file, as an argument too", async () => {
    const { document } = await run("show", "demo");
    expect(document.profile).to.have.property("name", "demo");
    const { stdout } = await runHere(["profile", "show", archive.profile]);
    expect(stdout).to.match(/^profile example /);
    const missing = await run("show", "missing");
    expect([missing.status, missing.document.error?.code]).to.deep.equal([66, "not_found"]);
    const none = await runHere(["profile", "show", "--json"]);
    expect([none.status, documentOf(none).error?.code]).to.deep.equal([2, "usage"]);
  });

  describe("check", () => {
    const refuses = async (code: string, status: number): Promise<JsonDocument> => {
      const { status: got, document } = await run("check");
      expect({ code: document.error?.code, status: got }, document.error?.message).to.deep.equal({ code, status });
      return document;
    };
    const seedsAt = async (at: number) => {
      const ended = await runHere(["--json", "--at", iso(at), "--profile", archive.profile, "profile", "check"]);
      expect(ended.status, ended.stdout).to.equal(0);
      return documentOf(ended).seeds as { code: string | null; state: string; userId: string }[];
    };

    const later = published + 2 * hour;
    const keep = async (...args: string[]) => {
      const ended = await runHere(archive.keeperArgs(published + hour, ...args));
      expect(ended.status, ended.stdout).to.equal(0);
    };

    it("finds a profile in order, and warns that it has no key server", async () => {
      const { status, document } = await run("check");
      expect(status).to.equal(0);
      const seed = { fingerprint: archive.key, userId: archiveUserId, code: null, state: "may sign" };
      expect(document.seeds).to.deep.equal([seed]);
      expect(document.warnings?.join()).to.include("keyservers = none");
    });

    it("tells the state of each seed on the day", async () => {
      const second = await addKey(archive.home, { at: published });
      await archive.writeProfile({ seeds: [archive.key, second] });
      await keep("revoke", second, "--reason", "retired", "--force");
      const muchLater = published + 95 * day;
      expect((await seedsAt(later)).map(({ code }) => code)).to.deep.equal([null, "revoked"]);
      expect((await seedsAt(muchLater)).map(({ code }) => code)).to.deep.equal(["expired", "revoked"]);
      expect((await seedsAt(muchLater)).map(({ state }) => state)[1]).to.equal("the key is revoked as retired");
    });

    it("warns of a retired seed beside a good one", async () => {
      const second = await addKey(archive.home, { at: published });
      await archive.writeProfile({ seeds: [archive.key, second] });
      await keep("revoke", second, "--reason", "retired", "--force");
      const ended = await runHere(["--at", iso(later), "--profile", archive.profile, "profile", "check"]);
      expect(ended.status).to.equal(0);
      expect(ended.stdout).to.include("is in order");
      expect(ended.stderr).to.include(`warning: seed ${second}: the key is revoked as retired`);
    });

    it("refuses one whose seeds are all retired, unless what they certified before counts", async () => {
      await keep("revoke", archive.key, "--reason", "retired", "--force");
      const ended = await runHere(["--at", iso(later), "--profile", archive.profile, "profile", "check"]);
      expect(ended.status).to.equal(1);
      expect(ended.stdout).to.include("the key is revoked as retired").and.not.include("in order");
      expect(ended.stderr).to.include(`is not in order: seed ${archive.key}: the key is revoked as retired`);
      await archive.writeProfile({ trust: ["retired-issuers = accept"] });
      expect((await runHere(["--at", iso(later), "--profile", archive.profile, "profile", "check"])).status).to.equal(
        0,
      );
    });

    it("refuses one with a compromised seed, whatever else is in it", async () => {
      const second = await addKey(archive.home, { at: published });
      await archive.writeProfile({ seeds: [archive.key, second] });
      await keep("revoke", second, "--reason", "compromised", "--force");
      const { error, seeds } = await refuses("revoked", 1);
      expect(error?.details.seeds).to.deep.equal([second]);
      expect(error?.message).to.include("the key is revoked as compromised");
      expect((seeds as { code: string | null }[]).map(({ code }) => code)).to.deep.equal([null, "revoked"]);
    });

    it("refuses one whose only seed has self-signatures with SHA-1 alone, and warns of it beside a good one", async () => {
      const weak = certificate({ key: ed25519Key("weak"), hash: "sha1" });
      const keyring = join(archive.folder, "ring");
      await fs.mkdir(keyring, { mode: 0o755 });
      await fs.writeFile(join(keyring, "weak.asc"), weak.armored);
      await fs.copyFile(join(archive.home, "certs", `${archive.key}.asc`), join(keyring, "good.asc"));
      const { fingerprint } = ed25519Key("weak");
      await archive.writeProfile({ keyring, seeds: [fingerprint, archive.key] });
      const beside = await run("check");
      expect(beside.status).to.equal(0);
      expect(beside.document.warnings?.join()).to.include(fingerprint).and.include("SHA1");
      await archive.writeProfile({ keyring, seeds: [fingerprint] });
      const { error } = await refuses("weak_algorithm", 1);
      expect(error?.details.seeds).to.deep.equal([fingerprint]);
    });

    it("says what lies in a keyring that has no certificates", async () => {
      const keyring = join(archive.folder, "ring");
      await fs.mkdir(keyring, { mode: 0o755 });
      await fs.writeFile(join(keyring, "a.gpg"), `\0\0\0\x20\x01\x01\0\0KBXf${"\0".repeat(20)}`);
      await fs.writeFile(join(keyring, "seed.txt"), "");
      await archive.writeProfile({ keyring });
      const { error } = await refuses("bad_profile", 78);
      expect(error?.message).to.include("a GnuPG keybox").and.include("seed.txt is not read");
      // The same beside the seed harms nobody.
      await fs.copyFile(join(archive.home, "certs", `${archive.key}.asc`), join(keyring, "SEED.ASC"));
      expect((await run("check")).status).to.equal(0);
    });

    it("refuses one without seeds, with a missing one, or with a secret key in its keyring", async () => {
      const text = await fs.readFile(archive.profile, "utf8");
      await fs.writeFile(archive.profile, text.replace(`seeds = ${archive.key}`, "seeds ="));
      await refuses("no_seed", 78);
      await archive.writeProfile({ seeds: [archive.key, "A".repeat(40)] });
      const { error } = await refuses("bad_profile", 78);
      expect(error?.details.missing).to.deep.equal(["A".repeat(40)]);
      await archive.writeProfile({ keyring: join(archive.folder, "nowhere") });
      await refuses("bad_profile", 78);
      await archive.writeProfile();
      const made = certificate({ key: ed25519Key("secret") });
      await fs.writeFile(join(archive.home, "certs", "secret.asc"), secretKeyBlock(made));
      const secret = await refuses("bad_profile", 78);
      expect(secret.error?.hint).to.include("revoke that key");
    });
  });
});
