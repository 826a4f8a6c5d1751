/** What every rule shares: clocks and algorithms (T3e, T14). */
import { expect } from "chai";
import {
  refusedFrom,
  refuseOutdated,
  refuseSignature,
  refuseWeakHash,
  refuseWeakKey,
  skew,
} from "../../src/trust/policy.ts";
import { day } from "../testkit/dates.ts";

const minute = 60_000;

describe("trust/policy", () => {
  it("allows clocks five minutes", () => expect(skew).to.equal(5 * minute));

  it("takes SHA-256 and better (T3e)", async () => {
    for (const hash of ["sha256", "sha384", "sha512", "sha3-256", "sha3-512"]) {
      expect(refuseWeakHash({ hash } as never), hash).to.equal(undefined);
    }
    for (const hash of ["md5", "sha1", "ripemd160", "sha224", "unknown"]) {
      expect(refuseWeakHash({ hash } as never)?.code, hash).to.equal("weak_algorithm");
    }
  });

  it("takes RSA of 2048 bits and more, EdDSA and ECDSA; no DSA, ElGamal or what only encrypts (T3e)", () => {
    const code = (algorithm: string, bits = 0) => refuseWeakKey({ algorithm, bits } as never)?.code;
    for (const good of [["rsa", 2048], ["rsa", 4096], ["ecdsa"], ["eddsaLegacy"], ["ed25519"], ["ed448"]] as const) {
      expect(code(good[0], good[1]), good[0]).to.equal(undefined);
    }
    for (const bad of [
      ["rsa", 2047],
      ["rsa", 1024],
      ["dsa", 3072],
      ["elgamal", 4096],
      ["rsaEncrypt", 4096],
      ["ecdh"],
      ["unknown"],
    ] as const) {
      expect(code(bad[0], bad[1]), bad[0]).to.equal("weak_algorithm");
    }
  });

  it("refuses RSA below 3072 bits from 2030-02-01 on, Brainpool from 2028-02-01 on, and dates nothing else (T14)", () => {
    const dates = [
      [{ algorithm: "rsa", bits: 2048 }, "2030-02-01"],
      [{ algorithm: "rsa", bits: 3071 }, "2030-02-01"],
      [{ algorithm: "ecdsa", bits: 256, curve: "brainpoolP256r1" }, "2028-02-01"],
      [{ algorithm: "ecdsa", bits: 384, curve: "brainpoolP384r1" }, "2028-02-01"],
      [{ algorithm: "ecdsa", bits: 512, curve: "brainpoolP512r1" }, "2028-02-01"],
    ] as const;
    for (const [key, date] of dates) {
      const from = Date.parse(`${date}T00:00:00Z`);
      expect(refuseOutdated(key as never, from - 1), key.algorithm).to.equal(undefined);
      const { code, reason } = refuseOutdated(key as never, from) ?? {};
      expect(code).to.equal("weak_algorithm");
      expect(reason).to.include(`is refused from ${date}T00:00:00Z on`);
    }
    for (const key of [
      { algorithm: "rsa", bits: 3072 },
      { algorithm: "ecdsa", bits: 256, curve: "nistP256" },
      { algorithm: "eddsaLegacy", bits: 256, curve: "ed25519Legacy" },
      { algorithm: "ed25519", bits: 256 },
      { algorithm: "ed448", bits: 448 },
    ]) {
      expect(refusedFrom(key as never), key.algorithm).to.equal(Number.POSITIVE_INFINITY);
      expect(refuseOutdated(key as never, Date.UTC(2200, 0, 1))).to.equal(undefined);
    }
  });

  it("takes a signature dated from its key's making until now, that has not ended and is understood", () => {
    const code = (more: object) =>
      refuseSignature(
        { createdAt: day(5), expiresAt: undefined, unknownCritical: [], ...more } as never,
        day(0),
        day(10),
      )?.code;
    expect(code({})).to.equal(undefined);
    expect(code({ createdAt: undefined })).to.equal("bad_signature");
    expect(code({ createdAt: day(0) })).to.equal(undefined);
    expect(code({ createdAt: day(0) - 1000 })).to.equal("bad_signature");
    expect(code({ createdAt: day(10) + skew })).to.equal(undefined);
    expect(code({ createdAt: day(10) + skew + 1000 })).to.equal("not_yet_valid");
    expect(code({ expiresAt: day(10) + 1000 })).to.equal(undefined);
    expect(code({ expiresAt: day(10) })).to.equal("expired");
    expect(code({ unknownCritical: ["critical subpacket 100"] })).to.equal("bad_signature");
  });
});
