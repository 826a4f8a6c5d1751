// OpenWrt's opkg reads `Packages.sig` as usign wrote it: such a file is not replaced, and `.asc` alone may be published beside it.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { foreignFile, isOpenPgpFile } from "../../src/openpgp/check/foreign-file.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";

const usign =
  "untrusted comment: signed by key 0011223344556677\nRWQAESIzRFVmd0V4YW1wbGUgb25seSwgbm90IGEgcmVhbCBzaWduYXR1cmUgYXQgYWxsLCBqdXN0IHRoZSBzaGFwZS4u\n";

/** Begins as `openssl dgst -sha256 -sign` writes it with a P-256 key: a short DER sequence of two integers. */
const der = Buffer.concat([Buffer.from([0x30, 0x45, 0x02, 0x20]), Buffer.alloc(67, 1)]);

/** What other programs write, and what nobody can tell. */
const others: readonly (readonly [what: string, content: string | Buffer])[] = [
  ["DER of openssl", der],
  ["usign after a blank line", `\n${usign}`],
  [
    "a bare line of minisign",
    "RWQAESIzRFVmd0V4YW1wbGUgb25seSwgbm90IGEgcmVhbCBzaWduYXR1cmUgYXQgYWxsLCBqdXN0IHRoZSBzaGFwZS4u\n",
  ],
  ["any text", "hello\n"],
  ["a web page", "<html>\n"],
  ["zeros", Buffer.alloc(64)],
  ["random bytes with the top bit", Buffer.alloc(64, 0xb7)],
  ["the length of a packet by chance", Buffer.concat([Buffer.from([0x88, 62]), Buffer.alloc(62, 0xb7)])],
];

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

  it("are whatever is not OpenPGP: not replaced, not removed as a left-over", async () => {
    for (const [what, content] of others) {
      const bytes = Buffer.from(content);
      await fs.writeFile(archive.file("Packages.sig"), bytes);
      await archive.refuseKeeper(breaks, at, ...publish());
      await archive.refuseKeeper(breaks, at, ...sign());
      await keep(...sign("--form", "asc"));
      expect(await fs.readFile(archive.file("Packages.sig")), what).to.deep.equal(bytes);
    }
    await ascAlone();
    await keep(...publish());
    expect(await sig()).to.not.equal("gone");
    const { error } = JSON.parse((await runHere(archive.keeperArgs(at, ...sign()))).stdout);
    expect(error.message).to.contain("is not an OpenPGP signature");
  });

  it("a damaged OpenPGP signature is replaced, but not removed as a left-over", async () => {
    const whole = await fs.readFile(archive.file("Packages.sig"));
    const damaged = whole.subarray(0, whole.length - 9);
    await fs.writeFile(archive.file("Packages.sig"), damaged);
    await keep(...sign("--form", "asc"));
    expect(await fs.readFile(archive.file("Packages.sig"))).to.deep.equal(damaged);
    await fs.writeFile(archive.file("Packages.asc"), "-----BEGIN PGP SIGNATURE-----\n\nwsB");
    await keep(...publish());
    await archive.accept(at + hour, "update");
  });

  it("rotations that sign stop before they change anything, with --dry-run too", async () => {
    const own = await fs.readFile(archive.file("Packages.sig"));
    await fs.writeFile(archive.file("Packages.sig"), usign);
    const before = await fs.readFile(archive.config, "utf8");
    const certificates = await fs.readdir(`${archive.home}/certs`);
    const rotate = (...more: string[]) => ["rotate", "--config", archive.config, "--force", ...more];
    await archive.refuseKeeper(breaks, at, ...rotate("--at-once", "--dry-run"));
    await archive.refuseKeeper(breaks, at, ...rotate("--at-once"));
    expect(await fs.readdir(`${archive.home}/certs`)).to.deep.equal(certificates);
    await keep(...rotate());
    await archive.refuseKeeper(breaks, at, ...rotate("--finish", "--dry-run"));
    await archive.refuseKeeper(breaks, at, ...rotate("--finish"));
    await archive.refuseKeeper(breaks, at, ...rotate("--at-once"));
    expect(await fs.readFile(archive.config, "utf8")).to.equal(before);
    await fs.writeFile(archive.file("Packages.sig"), own);
    await keep(...rotate("--finish"));
    expect(await fs.readFile(archive.config, "utf8")).to.not.equal(before);
  });

  it("are told from OpenPGP's, and from what is only damaged", async () => {
    const whose = (content: string | Buffer) => foreignFile(Buffer.from(content));
    expect(whose(usign)).to.contain("usign");
    expect(whose(`\ufeff\n${usign}`)).to.contain("usign");
    expect(whose("-----BEGIN SSH SIGNATURE-----\nU1NI\n")).to.contain("ssh-keygen");
    expect(whose("-----BEGIN PKCS7-----\nMII\n")).to.contain("PKCS7");
    expect(whose(Buffer.from([0x30, 0x82, 1, 2, 6, 9]))).to.contain("CMS");
    for (const [what, content] of others) {
      expect(whose(content), what).to.not.equal(undefined);
      expect(isOpenPgpFile(Buffer.from(content)), what).to.equal(false);
    }
    const binary = await fs.readFile(archive.file("Packages.sig"));
    const armored = await fs.readFile(archive.file("Packages.asc"));
    for (const bytes of [binary, armored]) expect(isOpenPgpFile(bytes)).to.equal(true);
    const odd = [binary.subarray(0, 40), binary.subarray(0, 1), armored.subarray(0, 90), Buffer.alloc(0)];
    const marked = Buffer.concat([Buffer.from([0xca, 3, 0x50, 0x47, 0x50]), binary]);
    for (const bytes of [binary, armored, marked, ...odd, Buffer.concat([Buffer.from("\ufeff\n"), armored])]) {
      expect(foreignFile(bytes)).to.equal(undefined);
    }
    for (const bytes of odd) expect(isOpenPgpFile(bytes)).to.equal(false);
  });
});
