import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { KeyIndex, loadCertificate } from "../../src/openpgp/check/key-index.ts";
import { parseSignature, type RawSignature } from "../../src/openpgp/packet/raw-signature.ts";
import { certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat } from "../testkit/framing.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { dataSignature } from "../testkit/signature.ts";
import { area, created, issuerFingerprint, issuerKeyId, type Subpacket } from "../testkit/subpackets.ts";

const [a, b, sub] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("sub")];
const data = new Uint8Array();

function naming(by: TestKey, hashed: readonly Subpacket[], unhashed: readonly Subpacket[]): RawSignature {
  const hashedArea = area([created(day(1)), ...hashed]);
  const raw = parseSignature(dataSignature({ by, at: day(1), data, hashedArea, unhashed }).body);
  if (typeof raw === "string") throw new Error(raw);
  return raw;
}

async function index(...certificates: readonly TestCertificate[]) {
  const keys = await KeyIndex.of(readKeyring(concat(...certificates.map(({ bytes }) => bytes))).certificates);
  return {
    keys,
    found: (raw: RawSignature) => keys.candidates(raw).map((key) => [key.certificate, key.facts.fingerprint]),
  };
}

describe("openpgp/key-index", () => {
  it("finds primaries and subkeys by fingerprint, else by key ID, wherever the signature says so", async () => {
    const made = certificate({ key: a, subkeys: [sub] });
    const { found } = await index(made, certificate({ key: b }));
    for (const key of [a, sub]) {
      const wanted = [[a.fingerprint, key.fingerprint]];
      expect(found(naming(key, [issuerFingerprint(key)], []))).to.deep.equal(wanted);
      expect(found(naming(key, [], [issuerFingerprint(key)]))).to.deep.equal(wanted);
      expect(found(naming(key, [issuerKeyId(key)], []))).to.deep.equal(wanted);
      expect(found(naming(key, [], [issuerKeyId(key)]))).to.deep.equal(wanted);
      // A hashed fingerprint is the maker's word; anybody can write into the unhashed area.
      expect(found(naming(key, [issuerFingerprint(key)], [issuerFingerprint(b), issuerKeyId(b)]))).to.deep.equal(
        wanted,
      );
    }
    expect(found(naming(a, [], []))).to.deep.equal([]);
    expect(found(naming(a, [issuerFingerprint(ed25519Key("stranger"))], []))).to.deep.equal([]);
  });

  it("gives all keys that share an ID, and all certificates that list one subkey", async () => {
    const { found } = await index(certificate({ key: a, subkeys: [sub] }), certificate({ key: b, subkeys: [sub] }));
    const both = [
      [a.fingerprint, sub.fingerprint],
      [b.fingerprint, sub.fingerprint],
    ];
    expect(found(naming(sub, [issuerFingerprint(sub)], []))).to.deep.equal(both);
    expect(found(naming(sub, [], [issuerKeyId(sub)]))).to.deep.equal(both);
  });

  it("leaves out certificates whose primary can't be used, and keeps those with a bad subkey", async () => {
    const broken = { ...a, body: concat(a.body, Uint8Array.of(0)) };
    const { keys } = await index(
      certificate({ key: broken }),
      certificate({ key: b, subkeys: [{ key: broken, bound: false }] }),
    );
    expect(keys.certificates.map(({ raw }) => raw.fingerprint)).to.deep.equal([b.fingerprint]);
    expect(keys.certificates[0]?.subkeys).to.deep.equal([undefined]);
  });

  it("loads a certificate's keys in their order", async () => {
    const made = certificate({ key: rsaKey("rsa-a"), subkeys: [sub, a] });
    const [raw] = readKeyring(made.bytes).certificates;
    const loaded = raw === undefined ? undefined : await loadCertificate(raw);
    expect(loaded?.primary.facts.algorithm).to.equal("rsa");
    expect(loaded?.subkeys.map((key) => key?.facts.fingerprint)).to.deep.equal([sub.fingerprint, a.fingerprint]);
  });
});
