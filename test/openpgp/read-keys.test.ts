import { expect } from "chai";
import { isAbout } from "../../src/openpgp/certificate/is-about-key.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, concat, framed } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { directSignature, keyRevocation } from "../testkit/signature.ts";
import { area, created, issuerKeyId } from "../testkit/subpackets.ts";

const [a, b] = [ed25519Key("a"), ed25519Key("b")];
const [certA, certB] = [certificate({ key: a }), certificate({ key: b })];
const fingerprints = (bytes: Uint8Array | string) =>
  readKeys(Buffer.from(bytes)).certificates.map(({ fingerprint }) => fingerprint);

describe("openpgp/read-keys", () => {
  it("reads certificates, binary or armored in one or several blocks", () => {
    const both = [a.fingerprint, b.fingerprint];
    expect(fingerprints(concat(certA.bytes, certB.bytes))).to.deep.equal(both);
    expect(fingerprints(`${certA.armored}\n${certB.armored}`)).to.deep.equal(both);
    expect(readKeys(Buffer.from(certA.armored)).problems).to.deep.equal([]);
  });

  it("unites what stands in several blocks, so that a revocation in one counts for the other", () => {
    const revocation = keyRevocation({ by: a, of: a, at: day(1) });
    const revoked = certificate({ key: a, userIds: [], signatures: [revocation] });
    const { certificates } = readKeys(Buffer.from(`${revoked.armored}\n${certA.armored}`));
    expect(certificates.map(({ signatures, userIds }) => [signatures.length, userIds.length])).to.deep.equal([[1, 1]]);
  });

  it("tells of secret keys, in blocks of either name and in binary", () => {
    const secret = secretKeyBlock(certA, [a]);
    expect(readKeys(Buffer.from(secret)).secretKeys).to.be.greaterThan(0);
    expect(readKeys(Buffer.from(`${secret}${certB.armored}`)).secretKeys).to.be.greaterThan(0);
    const renamed = secret.replaceAll("PRIVATE KEY", "PUBLIC KEY");
    expect(readKeys(Buffer.from(renamed)).secretKeys).to.be.greaterThan(0);
    const binary = Buffer.from(secret.replace(/-----.*-----|\n/g, ""), "base64");
    expect(readKeys(binary).secretKeys).to.be.greaterThan(0);
    expect(readKeys(Buffer.from(certA.armored)).secretKeys).to.equal(0);
  });

  it("says that nothing armored is in a web page", () => {
    expect(readKeys(Buffer.from("<html>")).problems).to.deep.equal(["there is no certificate in it: it is a web page"]);
  });

  describe("keyrings as people have them", () => {
    const { armored } = certA;
    const lines = armored.trimEnd().split("\n");
    const [begin = "", ...rest] = lines;
    const without = (text: string) => text.replace("\n\n", "\n");
    const bom = "\ufeff";
    const utf16 = Buffer.from(`${bom}${armored.replaceAll("\n", "\r\n")}`, "utf16le");
    const read: readonly (readonly [what: string, file: Uint8Array | string])[] = [
      ["as gpg writes it", armored],
      ["behind a byte-order mark", bom + armored],
      ["behind a byte-order mark and a comment", `${bom}# the archive's key\n${armored}`],
      ["behind a comment in another script", `Ключ архива\n${armored}`],
      ["behind a comment in Latin-1", Buffer.from(`\u00dcber den Schl\u00fcssel\n${armored}`, "latin1")],
      ["in UTF-16, as PowerShell writes it", utf16],
      ["in UTF-16 of the other order", Buffer.from(utf16).swap16()],
      ["indented", lines.map((line) => `    ${line}`).join("\n")],
      [
        "indented with tabs, with headers",
        [begin, "Version: x", "Comment: y", ...rest].map((line) => `\t${line}`).join("\r\n"),
      ],
      ["without the blank line", without(armored)],
      ["without the blank line, with headers", without(armored.replace("\n\n", "\nComment: hello\nHash:\n\n"))],
      ["with lines ended by carriage returns", armored.replaceAll("\n", "\r")],
      [
        "as Signed-By of a deb822 file",
        `Signed-By:\n${lines.map((line) => ` ${line === "" ? "." : line}`).join("\n")}\n`,
      ],
    ];
    for (const [what, file] of read) {
      it(`reads armor ${what}`, () => {
        const { certificates, problems, isWhole } = readKeys(Buffer.from(file));
        expect(certificates.map(({ fingerprint }) => fingerprint)).to.deep.equal([a.fingerprint]);
        expect({ problems, isWhole }).to.deep.equal({ problems: [], isWhole: true });
      });
    }

    it("reads all blocks with comments between them", () => {
      const file = `# one\n${armored}# two: ü\n\n  ${certB.armored.replaceAll("\n", "\n  ")}# end\n`;
      expect(fingerprints(file)).to.deep.equal([a.fingerprint, b.fingerprint]);
    });

    it("sees secret keys in all these shapes, damaged ones too", () => {
      const secret = secretKeyBlock(certA, [a]);
      const indented = secret.replaceAll("\n", "\n  ");
      for (const file of [
        bom + secret,
        without(secret),
        `  ${indented}`,
        secret.slice(0, 200),
        secret.replace("\n\n", "\n\n*"),
      ]) {
        expect(readKeys(Buffer.from(`${file}\n${armored}`)).secretKeys, file).to.be.greaterThan(0);
      }
    });

    it("says that a block is broken or cut off: a revocation may stand there", () => {
      const broken = armored.replace("\n\n", "\n\n*");
      const cut = armored.replace(/-----END.*/, "");
      for (const [file, problem] of [
        [`${certB.armored}${broken}`, "an armored block is broken: the data is not base64"],
        [`${certB.armored}${cut}`, "an armored block is broken: it has no end"],
        [`${cut}${certB.armored}`, "an armored block is broken: another armored block begins within it"],
      ] as const) {
        const { certificates, problems, isWhole } = readKeys(Buffer.from(file));
        expect(certificates.map(({ fingerprint }) => fingerprint)).to.deep.equal([b.fingerprint]);
        expect({ problems, isWhole }).to.deep.equal({ problems: [problem], isWhole: false });
      }
    });

    const keybox = Buffer.concat([
      Uint8Array.of(0, 0, 0, 0x20, 1, 1, 0, 2),
      Buffer.from("KBXf"),
      Buffer.alloc(20),
      certA.bytes,
    ]);
    const kinds: readonly (readonly [what: RegExp, file: Uint8Array | string])[] = [
      [/GnuPG keybox.* --export/, keybox],
      [/a database .*--export/, "SQLite format 3\0"],
      [/a gzip file/, Uint8Array.of(0x1f, 0x8b, 8, 0)],
      [/an xz file/, Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0)],
      [/a web page/, `${bom}\n<!DOCTYPE html>\n<html>`],
      [/usign or signify/, "untrusted comment: public key\nRWQ=\n"],
      [/an SSH key/, "ssh-ed25519 AAAA me\n"],
      [/a PEM file/, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
      [
        /a signature or message|an OpenPGP signature/,
        "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n",
      ],
    ];
    for (const [what, file] of kinds) {
      it(`says what a file is that has none: ${what}`, () => {
        const { certificates, problems } = readKeys(Buffer.from(file));
        expect(certificates).to.deep.equal([]);
        expect(problems).to.have.length(1);
        expect(problems[0]).to.match(what);
      });
    }

    it("takes packets for packets, whatever their text says", () => {
      const userId = { tag: 13, body: Buffer.from(`${"x".repeat(80)}\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n`) };
      expect(fingerprints(concat(allFramed([userId]), certA.bytes))).to.deep.equal([a.fingerprint]);
    });
  });

  it("reads nothing from nothing", () => {
    expect(readKeys(new Uint8Array())).to.deep.equal({
      certificates: [],
      loose: [],
      secretKeys: 0,
      problems: [],
      isWhole: true,
    });
  });
});

describe("openpgp/mentions", () => {
  const about = isAbout(a.fingerprint);
  it("knows a certificate and a bare revocation of a key", () => {
    expect(about(certA.bytes)).to.equal(true);
    expect(about(concat(certB.bytes, certA.bytes))).to.equal(true);
    expect(about(framed(keyRevocation({ by: a, of: a, at: day(1) })))).to.equal(true);
    const byKeyId = { hashedArea: area([created(day(1))]), unhashed: [issuerKeyId(a)] };
    expect(about(framed(keyRevocation({ by: a, of: a, at: day(1), ...byKeyId })))).to.equal(true);
  });

  it("takes nothing else for one", () => {
    expect(about(certB.bytes)).to.equal(false);
    expect(about(new Uint8Array())).to.equal(false);
    expect(about(framed(keyRevocation({ by: b, of: b, at: day(1) })))).to.equal(false);
    expect(about(framed(directSignature({ by: a, of: a, at: day(1) })))).to.equal(false);
    expect(about(allFramed([{ tag: 2, body: new Uint8Array(30) }]))).to.equal(false);
  });
});
