/** Machines that sign a feed each: a keyring can't say who may sign what, so each feed needs one of its own. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { delegation } from "../testkit/delegations.ts";
import { rsaKey } from "../testkit/keys.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { changed, other, seed, Target } from "./target.ts";

const third = rsaKey("rsa-b", { createdAt: day(1) });
const machines = { base: other, extra: third };

const userId = "Build Machine <machine@example.org>";

/** An archive whose bundle has the machines, each with the feeds that its pattern says. */
async function publish(target: Target, patterns: Readonly<Record<keyof typeof machines, string>>): Promise<void> {
  const parts = [seed.bytes];
  for (const name of ["base", "extra"] as const) {
    const key = machines[name];
    const terms = { terms: `depth=0; feeds=${patterns[name]}`, at: day(5), userId };
    parts.push(certificate({ key, userIds: [userId], certifiedBy: [delegation(seed.key, key, terms)] }).bytes);
  }
  await fs.mkdir(join(target.folder, "site/keys"), { recursive: true });
  await fs.writeFile(join(target.folder, "site/keys/archive-keyring.pgp"), Buffer.concat(parts));
}

function feed(name: string, path: string, format = "opkg"): string[] {
  return [`[feed ${name}]`, `format = ${format}`, `path = ${path}`];
}

describe("setup where each machine signs its own feed", () => {
  let target: Target;

  beforeEach(async () => {
    target = await Target.make();
    await publish(target, { base: "base", extra: "extra" });
  });

  afterEach(() => target.removeAll());

  const shipWith = (...rest: readonly string[]) =>
    target.writeProfile({ url: pathToFileURL(join(target.folder, "site")).href, rest });

  const keysIn = async (name: string) => {
    const { certificates } = readKeys(await fs.readFile(target.file(name)));
    return certificates.map(({ fingerprint }) => fingerprint);
  };
  const both = [...feed("base", "dists/stable/main/binary-all"), ...feed("extra", "tools")];
  const [baseRing, extraRing] = ["etc/apt/keyrings/example+base.gpg", "etc/apt/keyrings/example+extra.gpg"];

  it("gives each suite of apt a keyring for its feeds", async () => {
    await shipWith(...both);
    const document = await target.accept("apt", "--suite", "stable", "--component", "main");
    expect(await keysIn("etc/apt/keyrings/example.gpg")).to.have.members([seed.fingerprint, other.fingerprint]);
    expect(document.keyrings).to.deep.include({
      path: "/etc/apt/keyrings/example.gpg",
      feeds: ["base"],
      keys: [seed.fingerprint, other.fingerprint].sort(),
      added: [seed.fingerprint, other.fingerprint].sort(),
      removed: [],
      left: [],
    });
    await target.write("usr/lib/systemd/systemd", "");
    const folders = ["--suite", "./tools/", "dists/stable/main/binary-all/"];
    const { warnings = [] } = await target.accept("apt", ...folders);
    expect(await keysIn(baseRing)).to.have.members([seed.fingerprint, other.fingerprint]);
    expect(await keysIn(extraRing)).to.have.members([seed.fingerprint, third.fingerprint]);
    expect(warnings.join("\n")).to.not.include("left out");
    const stanzas = (await target.read("etc/apt/sources.list.d/example.sources")).split("\n\n");
    expect(stanzas.map((text) => /Suites: (.*)\n[\s\S]*Signed-By: \/(.*)/.exec(text)?.slice(1))).to.deep.equal([
      ["./tools/", extraRing],
      ["dists/stable/main/binary-all/", baseRing],
    ]);
    expect(changed(await target.accept("apt", ...folders))).to.deep.equal([]);
    await target.accept("apt", "--suite", "tools/");
    expect(await keysIn("etc/apt/keyrings/example.gpg")).to.have.members([seed.fingerprint, third.fingerprint]);
    expect(Object.keys(await target.files())).to.not.include.members([baseRing]);
    await target.accept("apt", "--remove");
    expect(Object.keys(await target.files()).filter((path) => path.startsWith("etc/apt"))).to.deep.equal([]);
  });

  it("keeps each of these keyrings, even where another one's export fails", async () => {
    await shipWith(...both);
    await target.write("usr/lib/systemd/systemd", "");
    await target.accept("apt", "--suite", "dists/stable/main/binary-all/", "tools/");
    const unit = await target.read("etc/systemd/system/feedkey-apt-example.service");
    const [, script = ""] = /^ExecStart=\/bin\/sh -c '(.*)'$/m.exec(unit) ?? [];
    const fails = `${target.folder}/exported; case "$*" in *base*) exit 65 ;; esac`;
    await fs.writeFile(target.file("usr/feedkey"), `#!/bin/sh\necho "$@" >> ${fails}\n`, { mode: 0o755 });
    const here = script.replaceAll("$$", "$").replace(/\/usr\/(local\/)?bin\/feedkey/g, target.file("usr/feedkey"));
    expect((await runProgram("sh", ["-c", here])).status).to.equal(1);
    const lines = (await fs.readFile(join(target.folder, "exported"), "utf8")).trim().split("\n");
    expect(lines.map((line) => / --no-refresh (.*)$/.exec(line)?.[1])).to.deep.equal([
      `/${baseRing} --feed base`,
      `/${extraRing} --feed extra`,
    ]);
  });

  describe("and the program has one keyring for all", () => {
    before(needing("gpg"));

    const record = "etc/opkg/gpg/feedkey-keyring.pgp";

    it("says which feeds are left out, and can be set up for one of them", async () => {
      await shipWith(...feed("base", "feeds/base"), ...feed("extra", "feeds/extra"));
      const { warnings = [] } = await target.accept("opkg");
      expect(await keysIn(record)).to.deep.equal([seed.fingerprint]);
      for (const [name, key] of Object.entries(machines)) {
        expect(warnings.filter((line) => line.startsWith(`${key.fingerprint} is left out`)).join())
          .to.include("opkg has one keyring for all feeds")
          .and.include(`will refuse what this key signs in "${name}"`);
      }
      const alone = await target.accept("opkg", "--feed", "base");
      expect(await keysIn(record)).to.have.members([seed.fingerprint, other.fingerprint]);
      expect(alone.warnings?.join("\n")).to.not.include("left out");
      expect((await target.read("etc/opkg/feedkey.conf")).match(/^src.*$/gm)).to.have.length(1);
      const job = await target.read("etc/cron.d/feedkey-opkg-example");
      expect(job).to.match(/export --for opkg --no-refresh \/etc\/opkg\/gpg --feed base\n/);
      await target.refuse({ code: "usage", status: 2 }, "opkg", "--feed", "typo");
    });

    it("asks of a machine only what the program reads", async () => {
      await shipWith(...feed("base", "feeds/base"), ...feed("extra", "All", "pkgsrc"));
      const opkg = await target.accept("opkg");
      expect(await keysIn(record)).to.have.members([seed.fingerprint, other.fingerprint]);
      const pkgInstall = await target.accept("pkg_install");
      const ring = "etc/feedkey/keyrings/example.gpg";
      expect(await keysIn(ring)).to.have.members([seed.fingerprint, third.fingerprint]);
      for (const { warnings = [] } of [opkg, pkgInstall]) {
        expect(warnings.join("\n")).to.not.include("left out of the export");
      }
    });
  });
});
