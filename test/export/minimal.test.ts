/** What is left of a certificate for a stock verifier. */
import { expect } from "chai";
import { type RawCertificate, readKeyring, writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { minimal } from "../../src/openpgp/certificate/minimal.ts";
import { archiveId, certificate, selfSignature } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, directSignature, keyRevocation, subkeySignature, withdrawal } from "../testkit/signature.ts";

const [key, other, good, spent] = ["key", "other", "good", "spent"].map((name) => ed25519Key(name)) as [
  TestKey,
  TestKey,
  TestKey,
  TestKey,
];

function only(bytes: Uint8Array): RawCertificate {
  const [first, ...others] = readKeyring(bytes).certificates;
  if (first === undefined || others.length > 0) throw new Error("expected one certificate");
  return first;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const cut = (bytes: Uint8Array, ...keep: readonly TestKey[]) => {
  return hex(writeCertificate(minimal(only(bytes), new Set(keep.map(({ fingerprint }) => fingerprint)))));
};

describe("openpgp/minimal", () => {
  it("keeps the key's own words, and no stranger's", () => {
    const direct = directSignature({ by: key, of: key, at: day(2) });
    const newer = selfSignature({ key, at: day(3) });
    const left = withdrawal({ by: key, of: key, userId: archiveId, at: day(4) });
    const by = (issuer: TestKey) => certification({ by: issuer, of: key, userId: archiveId, at: day(1) });
    const full = certificate({
      key,
      signatures: [direct, keyRevocation({ by: other, of: key, at: day(5) })],
      certifiedBy: [by(other), newer, by(good), left],
    });
    const expected = certificate({ key, signatures: [direct], certifiedBy: [newer, left] });
    expect(cut(full.bytes)).to.equal(hex(expected.bytes));
  });

  it("keeps the subkeys that are named, with their bindings", () => {
    const full = certificate({ key, subkeys: [spent, good] });
    expect(cut(full.bytes, good)).to.equal(hex(certificate({ key, subkeys: [good] }).bytes));
    expect(cut(full.bytes, key)).to.equal(hex(certificate({ key }).bytes));
    const foreign = subkeySignature(0x18, { by: other, primary: key, subkey: good, at: day(2) });
    const bound = certificate({ key, subkeys: [{ key: good, signatures: [foreign] }] });
    expect(cut(bound.bytes, good)).to.equal(hex(certificate({ key, subkeys: [good] }).bytes));
  });

  it("drops a user ID for which the key's owner has no word", () => {
    const forged = { userId: "Forged <forged@example.net>", self: false };
    const certified = {
      ...forged,
      signatures: [certification({ by: other, of: key, userId: forged.userId, at: day(1) })],
    };
    for (const userId of [forged, certified]) {
      const full = certificate({ key, userIds: [archiveId, userId] });
      expect(cut(full.bytes)).to.equal(hex(certificate({ key }).bytes));
    }
  });

  it("tells the key's own signatures by the fingerprint, where they have one", () => {
    // The issuer's key ID is in the unsigned part, and anybody can write there what he likes.
    const claims = certification({ by: other, of: key, userId: archiveId, at: day(1), unhashed: [] });
    const full = certificate({ key, certifiedBy: [claims] });
    expect(cut(full.bytes)).to.equal(hex(certificate({ key }).bytes));
  });

  it("tells old signatures by the key ID", () => {
    const old = selfSignature({ key, at: day(3) });
    const bare = certification({
      ...{ by: key, of: key, userId: archiveId, at: day(3), type: 0x13 },
      hashedArea: Uint8Array.of(5, 2, ...new Uint8Array(new Uint32Array([day(3) / 1000]).buffer).reverse()),
    });
    expect(old.body).to.not.deep.equal(bare.body);
    const full = certificate({ key, certifiedBy: [bare] });
    expect(cut(full.bytes)).to.equal(hex(full.bytes));
  });
});
