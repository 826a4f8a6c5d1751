/** The profile that a setup leaves behind works in the target, where nothing of the installer is. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readProfile } from "../../src/profile/read-profile.ts";
import { iso } from "../../src/time.ts";
import { hour, inArchive, published } from "../testkit/archives/opkg-archive.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { at, changed, feedBase, other, seed, Target } from "./target.ts";

const main = ["--suite", "stable", "--component", "main", "--timer", "none"];

describe("setup: the profile", () => {
  let target: Target;

  beforeEach(async () => {
    target = await Target.make();
  });

  afterEach(() => target.removeAll());

  const installed = async () => {
    const file = target.file("etc/feedkey/profiles/example.ini");
    return readProfile(await fs.readFile(file, "utf8"), file);
  };

  it("keeps every word of it but the places of its files", async () => {
    const ca = join(target.folder, "ca.pem");
    await fs.copyFile("test/vectors/tls/ca.pem", ca);
    const variables = [
      "[variables]",
      "suite = stable",
      "",
      "[feed base] ; the only one",
      "format = opkg",
      `path = f/\${suite}`,
    ];
    await target.writeProfile({ trust: [`keyserver-ca = ${ca}`, "grace = 3d ; short"], rest: variables });
    await target.accept("apt", ...main);
    const before = await fs.readFile(target.profile, "utf8");
    const after = await target.read("etc/feedkey/profiles/example.ini");
    const moved = before
      .replace("keyring = shipped.asc", "keyring = keyrings/example")
      .replace(`keyserver-ca = ${ca}`, "keyserver-ca = ca/example-keyservers.pem");
    expect(after).to.equal(moved);
    const copy = await target.read("etc/feedkey/profiles/ca/example-keyservers.pem");
    expect(copy).to.equal(await fs.readFile(ca, "utf8"));
    expect((await installed()).trust.keyring).to.equal(target.file("etc/feedkey/profiles/keyrings/example"));
  });

  it("drops a seed from the keyring that the profile lost", async () => {
    await target.writeProfile({ keys: [seed.key, other] });
    await target.accept("apt", ...main);
    await target.writeProfile();
    const folder = "/etc/feedkey/profiles/keyrings/example";
    const document = await target.accept("apt", ...main);
    expect(changed(document)).to.deep.equal([
      "replace /etc/feedkey/profiles/example.ini",
      "replace /etc/apt/keyrings/example.gpg",
      `remove ${folder}/${other.fingerprint}.asc`,
    ]);
    expect(document.keyring).to.deep.include({ added: [], removed: [other.fingerprint] });
  });

  it("is refused without a seed, with a secret key, and where nothing may sign", async () => {
    const bad = { code: "bad_profile", status: 78 };
    const text = await fs.readFile(target.profile, "utf8");
    await fs.writeFile(target.profile, text.replace(/^seeds = .*$/m, "seeds ="));
    await target.refuse({ code: "no_seed", status: 78 }, "apt", ...main);
    await fs.writeFile(target.profile, `${text}\nnonsense`);
    await target.refuse(bad, "apt", ...main);
    await fs.writeFile(target.profile, text.replace("[trust]", "ca = missing.pem\n[trust]"));
    await target.refuse(bad, "apt", ...main);
    await fs.writeFile(target.profile, text.replace("[trust]", "verify = off\n[trust]"));
    await target.refuse(bad, "apt", ...main, "--no-keyring");
    await fs.writeFile(target.profile, text);
    await fs.writeFile(join(target.folder, "shipped.asc"), secretKeyBlock(seed));
    await target.refuse(bad, "apt", ...main);
    await fs.writeFile(
      join(target.folder, "shipped.asc"),
      certificate({ key: seed.key, keyExpiresAfter: 3600 }).armored,
    );
    const { error } = await target.refuse(bad, "apt", ...main);
    expect(error?.message).to.equal('profile "example" has no key for apt: none may sign now');
    expect(await fs.readdir(target.root)).to.deep.equal(["var"]);
  });

  it("serves a client in the target, who goes on from what the installer learned", async () => {
    await inArchive(async (archive) => {
      await target.writeProfile({ url: archive.mirror.url, rest: feedBase });
      await fs.copyFile(archive.profile, target.profile);
      const time = iso(published + hour);
      const global = ["--json", "--at", time, "--profile", target.profile];
      const ended = await runHere([...global, "setup", "apt", ...main, "--root", target.root]);
      expect(ended.status, ended.stdout).to.equal(0);
      // The machine boots: the root is elsewhere, and the installer's files are gone.
      const booted = join(target.folder, "booted");
      await fs.rename(target.root, booted);
      await fs.rm(target.profile);
      const state = join(booted, "var/lib/feedkey/state");
      const client = [
        "--json",
        "--at",
        time,
        "--state",
        state,
        "--profile",
        join(booted, "etc/feedkey/profiles/example.ini"),
      ];
      for (const args of [["update"], ["fetch", "alpha", "-o", target.folder], ["status"]]) {
        const run = await runHere([...client, ...args]);
        expect(run.status, run.stdout).to.equal(0);
      }
      const ledger = JSON.parse(await fs.readFile(join(state, "example/ledger.json"), "utf8"));
      expect(ledger.keys[archive.key].acceptedAt).to.equal(time);
    });
  });

  it("leaves the keyring to the timer's first run with --no-keyring", async () => {
    const keyring = "/etc/apt/keyrings/example.gpg";
    const document = await target.accept("apt", ...main, "--no-keyring");
    expect(changed(document)).to.include(`later ${keyring}`);
    expect(await fs.readdir(target.file("etc/apt/keyrings"))).to.deep.equal([]);
    expect(await fs.readdir(target.file("var/lib/feedkey"))).to.deep.equal(["setup", "state"]);
    const state = target.file("var/lib/feedkey/state");
    const installedProfile = target.file("etc/feedkey/profiles/example.ini");
    const timer = ["--offline", "--at", iso(at), "--profile", installedProfile, "--state", state];
    const ended = await runHere([...timer, "export", "--for", "apt", "--no-refresh", target.file(keyring.slice(1))]);
    expect(ended.status, ended.stderr).to.equal(0);
    expect(changed(await target.accept("apt", ...main))).to.deep.equal([]);
    await target.accept("apt", "--remove");
    expect(await target.files()).to.deep.equal({});
  });
});
