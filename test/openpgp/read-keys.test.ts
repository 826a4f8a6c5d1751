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
    expect(readKeys(Buffer.from("<html>")).problems).to.deep.equal(["there is no armored certificate in it"]);
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
