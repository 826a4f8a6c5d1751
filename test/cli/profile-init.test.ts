/** `feedkey profile init`: a bundle proves nothing, so only what the fingerprint given vouches for gets into the profile. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { iso } from "../../src/time.ts";
import { addKey, archiveUserId, hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, type JsonDocument, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { certification, keyRevocation, withdrawal } from "../testkit/signature.ts";
import { snapshot } from "../testkit/snapshot.ts";
import { reason } from "../testkit/subpackets.ts";

const bundle = "keys/archive-keyring.pgp";

describe("feedkey profile init", () => {
  let archive: TestArchive;
  let folder: string;

  beforeEach(async () => {
    archive = await TestArchive.make();
    folder = join(archive.folder, "new");
  });

  afterEach(() => archive.remove());

  async function init(url: string, ...args: readonly string[]) {
    const common = ["--json", "--at", iso(published + hour), "profile", "init", url, "-o", folder];
    const ended = await runHere([...common, ...args]);
    return { status: ended.status, document: documentOf(ended) };
  }

  async function makes(url: string, ...args: readonly string[]): Promise<JsonDocument> {
    const { status, document } = await init(url, ...args);
    expect(status, document.error?.message).to.equal(0);
    return document;
  }

  async function refuses(code: string, status: number, url: string, ...args: readonly string[]): Promise<JsonDocument> {
    const { status: got, document } = await init(url, ...args);
    expect({ code: document.error?.code, status: got }, document.error?.message).to.deep.equal({ code, status });
    expect(await snapshot(folder), "files after the refusal").to.deep.equal({});
    return document;
  }

  const profileOf = async ({ file }: JsonDocument) => {
    return readProfile(await fs.readFile(String(file), "utf8"), String(file));
  };

  const fingerprint = () => ["--fingerprint", archive.key];
  const feed = ["--feed", "base=feeds/base"];

  it("writes a profile that can be used at once", async () => {
    const document = await makes(archive.mirror.url, ...fingerprint(), "--name", "example", ...feed);
    const keyring = join(folder, "keyrings/example");
    expect(document).to.deep.include({ seeds: [archive.key], userId: archiveUserId, keyring });
    const profile = await profileOf(document);
    expect(profile.archive).to.deep.include({ url: archive.mirror.url, verify: "required" });
    expect(profile.archive.identity).to.deep.equal({ kind: "user-id", userId: archiveUserId });
    expect(profile.trust).to.deep.include({ keyring, seeds: [archive.key], keyservers: [], grace: 14 * 86_400_000 });
    const state = ["--state", join(archive.folder, "state"), "--at", iso(published + hour)];
    const ended = await runHere(["--profile", join(folder, "example.ini"), ...state, "update"]);
    expect(ended.status, ended.stderr).to.equal(0);
  });

  it("refuses a URL with a password before it asks, and prints neither", async () => {
    const host = archive.mirror.url.replace("http://", "");
    const before = archive.mirror.requests.length;
    for (const url of [
      ...[
        `http://user:s3cret@${host}`,
        `http://s3cret@${host}`,
        `http:/user:s3cret@${host}`,
        `http:\\\\user:s3cret@${host}`,
      ],
      ...["http://user:s3/cret@host/", "http://user:s3cret@bad host/", "user:s3cret@/"],
    ]) {
      const document = await refuses("usage", 2, url, ...fingerprint());
      expect(JSON.stringify(document), url).to.not.match(/s3/);
    }
    expect(archive.mirror.requests.length).to.equal(before);
    await refuses("usage", 2, "example:archive", ...fingerprint());
  });

  it("takes the fingerprint as people write it, and names the profile after the host", async () => {
    const spaced = `0x${archive.key
      .toLowerCase()
      .replace(/(.{4})/g, "$1 ")
      .trim()}`;
    const document = await makes(archive.mirror.url.replace(/\/$/, ""), "--fingerprint", spaced);
    expect(document.seeds).to.deep.equal([archive.key]);
    expect(document.file).to.equal(join(folder, "localhost.ini"));
  });

  it("takes several seeds, feeds and key servers", async () => {
    const second = await addKey(archive.home);
    await archive.publish(published);
    const servers = ["--keyservers", "hkps://a.example, hkps://b.example"];
    const feeds = ["--feed", "base=feeds/base", "extra=feeds/extra=1"];
    const seeds = ["--fingerprint", second, archive.key];
    const profile = await profileOf(await makes(archive.mirror.url, ...seeds, ...servers, ...feeds));
    expect(profile.trust.seeds).to.deep.equal([second, archive.key]);
    expect(profile.trust.keyservers).to.deep.equal(["hkps://a.example", "hkps://b.example"]);
    expect(profile.feeds.map(({ name, path }) => [name, path])).to.deep.equal([
      ["base", "feeds/base"],
      ["extra", "feeds/extra=1"],
    ]);
    expect((await fs.readdir(profile.trust.keyring)).sort()).to.deep.equal(
      [`${archive.key}.asc`, `${second}.asc`].sort(),
    );
  });

  const sections = "# ours\n[feed extra]\nformat = sums\npath = files\n";

  it("takes feeds as the sections of a profile, from a file or from standard input", async () => {
    const file = join(archive.folder, "feeds");
    await fs.writeFile(file, sections);
    const made = await makes(archive.mirror.url, ...fingerprint(), ...feed, "--feeds", file);
    const { feeds } = await profileOf(made);
    expect(feeds.map(({ name, format }) => [name, format])).to.deep.equal([
      ["base", "opkg"],
      ["extra", "sums"],
    ]);
    const args = ["profile", "init", archive.mirror.url, "-o", folder, "--name", "piped", "--keyservers", "none"];
    const at = ["--at", iso(published + hour)];
    // A pipe whose text comes late.
    const pipe = ["-c", '(sleep 0.5; cat "$0") | "$@"', file, process.execPath, "bin/feedkey.js"];
    const { status, stderr } = await runProgram("sh", [...pipe, ...at, ...args, ...fingerprint(), "--feeds", "-"]);
    expect({ status, stderr: stderr.toString() }).to.deep.equal({ status: 0, stderr: "" });
    const piped = await profileOf({ ...made, file: join(folder, "piped.ini") });
    expect(piped.feeds.map(({ name }) => name)).to.deep.equal(["extra"]);
  });

  it("refuses sections that are not feeds, and changes to other sections", async () => {
    const file = join(archive.folder, "feeds");
    await refuses("not_found", 66, archive.mirror.url, ...fingerprint(), "--feeds", file);
    for (const [code, status, feeds, text] of [
      ["usage", 2, [], `max-index-age = 7d\n${sections}`],
      ["usage", 2, feed, `max-index-size = 1000\n${sections}`],
      ["bad_profile", 78, [], `${sections}[trust]\nkeyservers = none\n`],
      ["bad_profile", 78, [], `threshold = 1\n${sections}`],
      ["bad_profile", 78, feed, `${sections}[feed base]\npath = x\n`],
      ["bad_profile", 78, [], "no section"],
    ] as const) {
      await fs.writeFile(file, text);
      await refuses(code, status, archive.mirror.url, ...fingerprint(), ...feeds, "--feeds", file);
    }
  });

  it("adds a seed from the bundle, once, with the profile's other lines as they are", async () => {
    const second = await addKey(archive.home);
    await archive.publish(published);
    const made = await makes(archive.mirror.url, ...fingerprint(), "--name", "example", ...feed);
    const file = String(made.file);
    const text = (await fs.readFile(file, "utf8")).replace(/^(seeds = .*)$/m, "$1 ; from the leaflet");
    await fs.writeFile(file, text);
    const addSeed = (...fingerprints: string[]) => {
      return runHere([
        "--json",
        "--at",
        iso(published + hour),
        "--profile",
        file,
        "profile",
        "add-seed",
        ...fingerprints,
      ]);
    };
    const files = await snapshot(folder);
    for (const [unknown, code] of [
      ["00".repeat(20), "untrusted_signer"],
      [second.slice(-16), "usage"],
    ] as const) {
      expect(documentOf(await addSeed(unknown)).error?.code).to.equal(code);
      expect(await snapshot(folder), code).to.deep.equal(files);
    }
    expect(documentOf(await addSeed(second))).to.deep.include({ seeds: [archive.key, second], added: [second] });
    expect(await fs.readFile(file, "utf8")).to.equal(text.replace(archive.key, `${archive.key}, ${second}`));
    expect((await fs.readdir(join(folder, "keyrings/example"))).sort()).to.deep.equal(
      [`${archive.key}.asc`, `${second}.asc`].sort(),
    );
    expect(documentOf(await addSeed(second))).to.deep.include({ seeds: [archive.key, second], added: [] });
  });

  it("writes each line of a pkgsrc profile with two seeds and its own authorities, without an editor", async () => {
    const second = await addKey(archive.home);
    await archive.publish(published);
    const ca = "test/vectors/tls/ca.pem";
    const own = join(archive.folder, "authorities.pem");
    await fs.copyFile(ca, own);
    const given = ["--fingerprint", archive.key, "--fingerprint", second, "--name", "pkgsrc"];
    const lines = ["--feed", "All=packages/All", "--format", "pkgsrc", "--ca", own, "--keyserver-ca", own];
    const profile = await profileOf(await makes(archive.mirror.url, ...given, ...lines));
    expect(profile.feeds.map(({ name, path, format }) => [name, path, format])).to.deep.equal([
      ["All", "packages/All", "pkgsrc"],
    ]);
    expect(profile.trust.seeds).to.deep.equal([archive.key, second]);
    expect([profile.archive.ca, profile.trust.keyserverCa]).to.deep.equal([
      join(folder, "ca/pkgsrc.pem"),
      join(folder, "ca/pkgsrc-keyservers.pem"),
    ]);
    for (const copy of [profile.archive.ca, profile.trust.keyserverCa]) {
      expect(await fs.readFile(String(copy), "utf8")).to.equal(await fs.readFile(ca, "utf8"));
    }
    await fs.rm(folder, { recursive: true });
    await refuses("usage", 2, archive.mirror.url, ...given, ...feed, "--format", "rpm");
    await refuses("bad_profile", 78, archive.mirror.url, ...given, "--ca", join(archive.folder, "nowhere.pem"));
    await fs.chmod(own, 0o666);
    await refuses("bad_profile", 78, archive.mirror.url, ...given, "--ca", own);
  });

  it("says what it leaves out: key servers and feeds that nobody named", async () => {
    const silent = await makes(archive.mirror.url, ...fingerprint());
    expect(silent.warnings?.join("\n"))
      .to.include("keyservers = none: revocations reach this client only through the archive's own bundle")
      .and.include("--keyservers hkps://HOST")
      .and.include("has no feed yet");
    const said = ["--keyservers", "none", ...feed, "--force"];
    expect((await makes(archive.mirror.url, ...fingerprint(), ...said)).warnings ?? []).to.deep.equal([]);
  });

  it("reads an archive on a disk, in whatever folder", async () => {
    const site = join(archive.folder, "a stick, 100% full");
    await fs.cp(archive.site, site, { recursive: true });
    const url = `file://${site.replace(/%/g, "%25").replace(/ /g, "%20")}/`;
    const document = await makes(url, ...fingerprint(), ...feed);
    expect(document.file).to.equal(join(folder, "archive.ini"));
    const state = ["--state", join(archive.folder, "state"), "--at", iso(published + hour)];
    const ended = await runHere(["--profile", String(document.file), ...state, "update"]);
    expect(ended.status, ended.stderr).to.equal(0);
  });

  it("refuses a fingerprint that the bundle does not hold, and what is none", async () => {
    const { error } = await refuses("untrusted_signer", 1, archive.mirror.url, ...fingerprint(), "A".repeat(40));
    expect(error?.details.missing).to.deep.equal(["A".repeat(40)]);
    await refuses("usage", 2, archive.mirror.url, "--fingerprint", archive.key.slice(-16));
    await refuses("usage", 2, archive.mirror.url);
    await refuses("bad_profile", 78, archive.mirror.url, ...fingerprint(), archive.key.toLowerCase());
  });

  it("tells a bundle that is not there from one that can't be had", async () => {
    await refuses("not_found", 66, `${archive.mirror.url}elsewhere/`, ...fingerprint());
    await refuses("unavailable", 69, "http://127.0.0.1:9/", ...fingerprint());
    await refuses("unavailable", 69, archive.mirror.url, "--fingerprint", archive.key, "--offline");
    await refuses("usage", 2, "files.example.org", ...fingerprint());
  });

  it("replaces a profile only when told to", async () => {
    await makes(archive.mirror.url, ...fingerprint(), "--name", "example");
    const before = await snapshot(folder);
    const { status, document } = await init(archive.mirror.url, ...fingerprint(), "--name", "example", ...feed);
    expect([status, document.error?.code]).to.deep.equal([73, "output"]);
    expect(document.error?.hint).to.include("--force");
    expect(await snapshot(folder)).to.deep.equal(before);
    const replaced = await makes(archive.mirror.url, ...fingerprint(), "--name", "example", ...feed, "--force");
    expect((await profileOf(replaced)).feeds).to.have.length(1);
    await makes(archive.mirror.url, ...fingerprint(), "--name", "other");
  });

  it("refuses names, feeds and key servers that a profile can't have", async () => {
    for (const name of ["../example", ".hidden", "a b", ""]) {
      await refuses("usage", 2, archive.mirror.url, ...fingerprint(), "--name", name);
    }
    for (const text of ["base", "=feeds/base", "base="]) {
      await refuses("usage", 2, archive.mirror.url, ...fingerprint(), "--feed", text);
    }
    await refuses("bad_profile", 78, archive.mirror.url, ...fingerprint(), "--feed", "base=../../etc");
    await refuses("bad_profile", 78, archive.mirror.url, ...fingerprint(), "--keyservers", "hkp://a.example");
  });

  describe("from a bundle that somebody has been at", () => {
    const [seed, thief] = [ed25519Key("seed"), ed25519Key("thief")];
    const by = (key: typeof seed, at = day(1)) => certification({ by: key, of: seed, userId: archiveId, at });
    const given = ["--fingerprint", seed.fingerprint];

    it("believes no user ID that the owner does not vouch for", async () => {
      const forged = { userId: "Thief <thief@example.net>", self: false, signatures: [by(thief)] };
      const left = "Old Name <old@example.org>";
      const taken = withdrawal({ by: seed, of: seed, userId: left, at: day(5) });
      const revoked = { userId: left, signatures: [taken] };
      const made = certificate({ key: seed, userIds: [forged, revoked, "no address", archiveId] });
      archive.mirror.put(bundle, made.bytes);
      const { userId } = await makes(archive.mirror.url, ...given);
      expect(userId).to.equal(archiveId);
      archive.mirror.put(bundle, certificate({ key: seed, userIds: [forged, revoked, "no address"] }).bytes);
      await fs.rm(folder, { recursive: true });
      const { error } = await refuses("bad_certificate", 65, archive.mirror.url, ...given);
      expect(error?.message).to.include('"no address"').and.not.include("Thief");
    });

    it("names the keys by what its seeds have in common", async () => {
      const other = ed25519Key("other");
      const seeds = [...given, "--fingerprint", other.fingerprint, "--force"];
      for (const { called, says } of [
        { called: archiveId, says: { userId: archiveId } },
        { called: "Example Archive 2027 <archive@example.org>", says: { userEmail: "archive@example.org" } },
        { called: "Other <other@example.org>", says: { userId: archiveId } },
      ]) {
        const second = certificate({ key: other, userIds: [called] });
        archive.mirror.put(bundle, concat(certificate({ key: seed }).bytes, second.bytes));
        const document = await makes(archive.mirror.url, ...seeds);
        expect(document).to.deep.include(says);
        const warned = document.warnings?.join("\n").includes("no user ID and no address in common");
        expect(warned, called).to.equal(called.startsWith("Other"));
        expect((await profileOf(document)).trust.seeds).to.have.length(2);
      }
    });

    it("keeps nothing but what was verified", async () => {
      const other = ed25519Key("other");
      const sound = certificate({ key: seed, certifiedBy: [by(other)] });
      const junk = { ...by(other), body: by(other, day(2)).body.map((byte, at) => (at > 60 ? byte ^ 1 : byte)) };
      const loaded = certificate({ key: seed, certifiedBy: [by(other), junk, by(thief)] });
      archive.mirror.put(bundle, concat(loaded.bytes, certificate({ key: other }).bytes));
      const document = await makes(archive.mirror.url, ...given);
      const file = await fs.readFile(join(String(document.keyring), `${seed.fingerprint}.asc`));
      const expected = readKeys(sound.bytes).certificates[0];
      expect(readKeys(file).certificates).to.deep.equal([expected]);
      expect(await fs.readdir(String(document.keyring))).to.deep.equal([`${seed.fingerprint}.asc`]);
    });

    it("makes no seed of a key that was compromised, and warns of one that expired or retired", async () => {
      const revocation = (why: number) => keyRevocation({ by: seed, of: seed, at: day(5), hashed: [reason(why)] });
      archive.mirror.put(bundle, certificate({ key: seed, signatures: [revocation(2)] }).bytes);
      const { error } = await refuses("revoked", 1, archive.mirror.url, ...given);
      expect(error?.message).to.include("revoked as compromised");
      archive.mirror.put(bundle, certificate({ key: seed, signatures: [revocation(3)] }).bytes);
      const retired = await makes(archive.mirror.url, ...given, "--force");
      expect(retired.warnings?.join()).to.include(
        `seed ${seed.fingerprint} may not sign now: the key is revoked as retired`,
      );
      archive.mirror.put(bundle, certificate({ key: seed, keyExpiresAfter: 86_400 }).bytes);
      const expired = await makes(archive.mirror.url, ...given, "--force");
      expect(expired.warnings?.join()).to.include("the key expired");
    });

    it("stands a bundle that is none", async () => {
      for (const bytes of ["", "<html>", Buffer.alloc(5000, 0xc6)]) {
        archive.mirror.put(bundle, bytes);
        const { status } = await init(archive.mirror.url, ...given);
        expect([1, 69]).to.include(status);
        expect(await snapshot(folder)).to.deep.equal({});
      }
    });
  });
});
