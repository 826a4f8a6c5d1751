// OpenWrt's opkg reads `Packages.sig` as usign wrote it: such a file is not replaced, and `.asc` alone may be published beside it.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { foreignSignature } from "../../src/openpgp/check/foreign-signature.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";

const usign =
  "untrusted comment: signed by key 0011223344556677\nRWQAESIzRFVmd0V4YW1wbGUgb25seSwgbm90IGEgcmVhbCBzaWduYXR1cmUgYXQgYWxsLCBqdXN0IHRoZSBzaGFwZS4u\n";

describe("signature files of other programs", () => {
  let archive: TestArchive;
  let at = published;
  const breaks = { code: "would_break", status: 1 };

  beforeEach(async () => {
    archive = await TestArchive.make();
    at = published + hour;
  });

  afterEach(() => archive.remove());

  const sign = (...more: string[]) => [
    ...["sign", archive.file("Packages"), "--key", archive.key, "--feed", "base"],
    ...more,
  ];
  const publish = (...more: string[]) => ["publish", "--config", archive.config, ...more];
  const keep = async (...args: string[]) => {
    const ended = await runHere(archive.keeperArgs(at, ...args));
    expect(ended.status, ended.stdout).to.equal(0);
    await archive.mirror.sync(archive.site);
    return ended;
  };
  const sig = () => fs.readFile(archive.file("Packages.sig"), "latin1");

  /** Lets archive.ini say that `.asc` alone is published. */
  async function ascAlone(section = "[archive]"): Promise<void> {
    const text = await fs.readFile(archive.config, "utf8");
    await fs.writeFile(archive.config, text.replace(section, `${section}\nsignatures = asc`));
  }

  for (const name of ["Packages.sig", "Packages.asc"]) {
    it(`keep ${name}: publish, its --dry-run, sign and rotate refuse; --force replaces it`, async () => {
      await fs.writeFile(archive.file(name), usign);
      await archive.refuseKeeper(breaks, at, ...publish());
      await archive.refuseKeeper(breaks, at, ...publish("--dry-run"));
      await archive.refuseKeeper(breaks, at, ...sign());
      await keep(...publish("--force"));
      await archive.accept(at + hour, "update");
      await fs.writeFile(archive.file(name), usign);
      await keep(...sign("--force"));
      const rotating = ["rotate", "--config", archive.config, "--at-once", "--force"];
      await fs.writeFile(archive.file(name), usign);
      const ended = await runHere(archive.keeperArgs(at + hour, ...rotating));
      expect(ended.status, ended.stdout).to.not.equal(0);
      expect(await fs.readFile(archive.file(name), "latin1")).to.equal(usign);
    });
  }

  it("are none of our business with signatures = asc: clients follow publish, sign and rotations by .asc", async () => {
    await ascAlone();
    await fs.writeFile(archive.file("Packages.sig"), usign);
    await keep(...publish());
    await archive.accept(at + hour, "update");
    await archive.addPackage("gamma");
    at += 2 * hour;
    await keep(...publish());
    await archive.accept(at + hour, "update");
    await keep(...sign("--form", "asc"));
    const rotated = JSON.parse((await keep("rotate", "--config", archive.config, "--at-once", "--force")).stdout);
    const document = await archive.accept(at + 2 * hour, "update");
    expect(document.feeds).to.have.nested.property("[0].signatures[0].certificate", rotated.successor);
    expect(await sig()).to.equal(usign);
    const again = JSON.parse((await keep(...publish())).stdout);
    expect(again.feeds[0].changed).to.equal(false);
  });

  it("signatures = asc takes our own .sig away, and both brings it back", async () => {
    const whole = await fs.readFile(archive.config, "utf8");
    await ascAlone("[feed base]");
    const before = await fs.readFile(archive.file("Packages.asc"), "utf8");
    const dry = JSON.parse((await keep(...publish("--dry-run"))).stdout);
    expect(dry.feeds[0].removes).to.deep.equal(["Packages.sig"]);
    await keep(...publish());
    expect(await sig().catch(() => "gone")).to.equal("gone");
    expect(await fs.readFile(archive.file("Packages.asc"), "utf8"), "as it was").to.equal(before);
    await archive.accept(at + hour, "update");
    await fs.writeFile(archive.config, whole);
    await keep(...publish());
    expect(await sig()).to.not.equal("");
  });

  it("sign --form asc takes our own .sig away, which would sign an older index", async () => {
    const said = JSON.parse((await keep(...sign("--form", "asc"))).stdout);
    expect(said.signed[0].files).to.deep.equal([archive.file("Packages.asc")]);
    expect(said.signed[0].removed).to.deep.equal([archive.file("Packages.sig")]);
    await archive.accept(at + hour, "update");
  });

  it("alone, they are called what they are", async () => {
    await fs.writeFile(archive.file("Packages.sig"), usign);
    await fs.rm(archive.file("Packages.asc"));
    await archive.mirror.sync(archive.site);
    const { error } = JSON.parse((await runHere(archive.clientArgs(at, "update"))).stdout);
    expect(error).to.include({ code: "bad_signature_data" });
    expect(error.message).to.contain("usign");
  });

  it("a folder without archive.ini: publish DIR --form asc", async () => {
    const folder = archive.file(".");
    const args = (...more: string[]) => ["publish", folder, "--key", archive.key, "--feed", "base", ...more];
    await fs.writeFile(archive.file("Packages.sig"), usign);
    await archive.refuseKeeper(breaks, at, ...args());
    await archive.refuseKeeper({ code: "usage", status: 2 }, at, ...args("--form", "sig"));
    await archive.refuseKeeper({ code: "usage", status: 2 }, at, ...publish("--form", "asc"));
    await keep(...args("--form", "asc"));
    expect(await sig()).to.equal(usign);
  });

  it("are told from OpenPGP's, and from what is only damaged", async () => {
    const whose = (text: string | Buffer) => foreignSignature(Buffer.from(text));
    expect(whose(usign)).to.contain("usign");
    expect(whose("-----BEGIN SSH SIGNATURE-----\nU1NI\n")).to.equal("ssh-keygen");
    expect(whose("-----BEGIN PKCS7-----\nMII\n")).to.contain("PKCS7");
    expect(whose(Buffer.from([0x30, 0x82, 1, 2, 6, 9]))).to.contain("CMS");
    const ours = [await fs.readFile(archive.file("Packages.sig")), await fs.readFile(archive.file("Packages.asc"))];
    for (const bytes of [...ours, Buffer.alloc(0), Buffer.alloc(300), Buffer.from("<html>\n")]) {
      expect(foreignSignature(bytes)).to.equal(undefined);
    }
  });
});
