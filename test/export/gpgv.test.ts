/** The keyring for gpgv and sqv: an index is good or not by what these programs say, with nothing but the file. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { iso } from "../../src/time.ts";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { type Ended, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";

describe("export for gpgv", function () {
  this.timeout(60_000);
  let archive: LiveArchive;
  let key: string;
  let keyring: string;

  before(needing("gpgv", "sqv"));

  beforeEach(async () => {
    archive = await LiveArchive.make();
    key = await archive.keygen("--expires", "100d");
    await archive.publish(key);
    await archive.ship(key);
    keyring = join(archive.folder, "keyring.pgp");
  });

  afterEach(() => archive.remove());

  const exporting = ["export", "--for", "gpgv"] as const;

  /** What both say of the published index, in this order: exit statuses of gpgv and sqv. */
  async function judged(): Promise<(number | null)[]> {
    const programs = ["gpgv", "sqv"].map((program): Promise<Ended> => {
      return runProgram(program, ["--keyring", keyring, archive.file("Packages.sig"), archive.file("Packages")]);
    });
    return (await Promise.all(programs)).map(({ status }) => status);
  }

  const accepted = [0, 0];
  const refused = [2, 1];

  it("lets both accept the archive's index, and nobody else's", async () => {
    const { keys, added, left } = await archive.accept(...exporting, keyring);
    expect({ keys, added, left }).to.deep.equal({ keys: [key], added: [key], left: [] });
    expect(await judged()).to.deep.equal(accepted);
    const stranger = await archive.keygen();
    await archive.keep("sign", archive.file("Packages"), "--key", stranger);
    expect(await judged()).to.deep.equal(refused);
  });

  it("lets both follow a rotation", async () => {
    await archive.accept(...exporting, keyring);
    const successor = await archive.rotate("--at-once");
    expect(await judged()).to.deep.equal(refused);
    const { added, removed } = await archive.accept(...exporting, keyring);
    expect({ added, removed }).to.deep.equal({ added: [successor], removed: [] });
    expect(await judged()).to.deep.equal(accepted);
  });

  it("takes out what has expired or was revoked, which gpgv would accept", async () => {
    await archive.accept(...exporting, keyring);
    const successor = await archive.rotate("--at-once");
    await archive.accept(...exporting, keyring);
    // Dates count whole seconds, and of the same second the revocation would come first.
    const next = ["--at", iso(Date.now() + 2000)];
    await archive.keep(...next, "revoke", key, "--reason", "superseded", "--config", archive.config, "--force");
    const retired = await archive.accept(...exporting, keyring);
    expect({ keys: retired.keys, removed: retired.removed }).to.deep.equal({ keys: [successor], removed: [key] });
    const atTheEnd = ["--at", iso(Date.now() + 800 * 86_400_000), ...exporting, keyring];
    const { keys, removed, warnings } = await archive.accept(...atTheEnd);
    expect({ keys, removed }).to.deep.equal({ keys: [], removed: [successor] });
    expect(warnings?.join("\n")).to.include("no key may sign now");
  });

  it("names a signing subkey whose primary stays away", async () => {
    const offline = join(archive.folder, "offline");
    const split = await archive.keygen("--offline-primary", offline);
    await archive.publish(split);
    await archive.ship(split);
    await archive.accept(...exporting, keyring);
    expect(await judged()).to.deep.equal(accepted);
    const [exported] = readKeys(await fs.readFile(keyring)).certificates;
    expect(exported?.subkeys).to.have.length(1);
  });

  it("leaves the file alone when nothing changes, and does as told when it is of another kind", async () => {
    await archive.accept(...exporting, keyring);
    const before = await fs.stat(keyring);
    const { added, removed } = await archive.accept(...exporting, keyring);
    expect({ added, removed }).to.deep.equal({ added: [], removed: [] });
    const after = await fs.stat(keyring);
    expect([after.ino, after.mtimeMs, after.mode & 0o777]).to.deep.equal([before.ino, before.mtimeMs, 0o644]);
    await fs.writeFile(keyring, "no keyring at all");
    expect((await archive.accept(...exporting, keyring)).added).to.deep.equal([key]);
    expect(await judged()).to.deep.equal(accepted);
  });

  it("leaves out a key that gpgv would stumble over, and names it", async () => {
    const six = await archive.keygen("--algorithm", "ed25519-v6");
    await archive.keep("send", six, "--config", archive.config);
    await archive.ship(key, six);
    const { keys, left, warnings } = await archive.accept(...exporting, keyring);
    expect(keys).to.deep.equal([key]);
    expect(left).to.deep.equal([{ fingerprint: six, reason: "it is of version 6" }]);
    expect(warnings).to.include(`${six} is left out of the export for gpgv: it is of version 6`);
    expect(await judged()).to.deep.equal(accepted);
  });

  describe("of an archive with delegates", () => {
    const machine = certificate({ key: ed25519Key("machine"), userIds: ["Build Machine <machine@example.org>"] });

    async function delegateTo(feeds: string): Promise<void> {
      await archive.importKey(secretKeyBlock(machine));
      const request = join(archive.folder, "request.asc");
      await fs.writeFile(request, machine.armored);
      const terms = ["--key", key, "--feeds", feeds, "--expires", "90d", "--config", archive.config];
      await archive.keep("delegate", request, ...terms);
      await archive.keep("sign", archive.file("Packages"), "--key", machine.fingerprint, "--feed", "base");
      await archive.accept("update");
    }

    it("has one that may sign every feed of the profile", async () => {
      await delegateTo("base,extra");
      const { keys } = await archive.accept(...exporting, keyring);
      expect(keys).to.have.members([key, machine.fingerprint]);
      expect(await judged()).to.deep.equal(accepted);
    });

    it("has none that may sign only some: a keyring can't say which", async () => {
      await delegateTo("base");
      const profile = await fs.readFile(archive.profile, "utf8");
      await fs.writeFile(archive.profile, `${profile}[feed extra]\nformat = opkg\npath = feeds/extra\n`);
      const { keys, left } = await archive.accept(...exporting, keyring);
      expect(keys).to.deep.equal([key]);
      const reason =
        'it is a delegate that may not sign "extra", which a keyring can\'t express; export a keyring only for "base" with --feed';
      expect(left).to.deep.equal([{ fingerprint: machine.fingerprint, reason }]);
      expect(await judged()).to.deep.equal(refused);
    });

    it("has it where the keyring is for that feed alone", async () => {
      await delegateTo("base");
      const profile = await fs.readFile(archive.profile, "utf8");
      await fs.writeFile(archive.profile, `${profile}[feed extra]\nformat = opkg\npath = feeds/extra\n`);
      const one = await archive.accept(...exporting, "--feed", "base", "--", keyring);
      expect(one.keys).to.have.members([key, machine.fingerprint]);
      expect(await judged()).to.deep.equal(accepted);
      const two = await archive.accept(...exporting, "--feed", "base", "extra", "--", keyring);
      expect(two.keys).to.deep.equal([key]);
      await archive.refuse({ code: "usage", status: 2 }, ...exporting, "--feed", "typo", "--", keyring);
    });

    it("says which feed is left out with it where a program has one keyring for all", async () => {
      await delegateTo("base");
      const profile = await fs.readFile(archive.profile, "utf8");
      await fs.writeFile(archive.profile, `${profile}[feed extra]\nformat = opkg\npath = feeds/extra\n`);
      const { left } = await archive.accept("export", "--for", "pkg_install", join(archive.folder, "pkgsrc.gpg"));
      const [machines] = (left as { fingerprint: string; reason: string }[]).filter(
        ({ fingerprint }) => fingerprint === machine.fingerprint,
      );
      expect(machines?.reason).to.include('will refuse what this key signs in "base"');
    });
  });

  it("warns that a stock program counts to one", async () => {
    const other = await archive.keygen();
    await archive.keep("send", other, "--config", archive.config);
    await archive.shipWith(["threshold = 2"], key, other);
    const { warnings } = await archive.accept(...exporting, keyring);
    expect(warnings).to.deep.equal(["the profile asks for 2 signers, but gpgv accepts a single one"]);
  });

  it("says on the terminal what changed and what to write where", async () => {
    const ended = await runHere([...archive.client, ...exporting, keyring]);
    expect(ended.stdout).to.equal(
      `${keyring}: 1 key, changed\n+ ${key}\n\ngpgv --keyring ${keyring} INDEX.sig INDEX\n`,
    );
    const again = await runHere([...archive.client, ...exporting, keyring]);
    expect(again.stdout).to.include(`${keyring}: 1 key, unchanged\n`);
  });

  it("is refused for a program that it does not know, and for a folder", async () => {
    const { error } = await archive.refuse({ code: "usage", status: 2 }, "export", "--for", "yum", keyring);
    expect(error?.hint).to.equal("choose one of gpgv, apt, dnf, zypper, pacman, opkg, pkg_install");
    await archive.refuse({ code: "usage", status: 2 }, "export", keyring);
    await archive.refuse({ code: "output", status: 73 }, ...exporting, archive.folder);
  });
});
