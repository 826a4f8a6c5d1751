import { randomBytes } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { fingerprintOf, keyIdOf, loadKey } from "../../src/openpgp/packet/key-packet.ts";
import { day } from "../testkit/dates.ts";
import { concat, mpi, octets } from "../testkit/framing.ts";
import { dsaKey, ed25519Key, rsaKey } from "../testkit/keys.ts";

/** A public key packet's body of any algorithm with numbers of any size. */
function bodyOf(algorithm: number, ...bits: readonly number[]): Uint8Array {
  const numbers = bits.map((size) => {
    const bytes = randomBytes(Math.ceil(size / 8));
    bytes[0] = 1 << ((size - 1) % 8);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 1;
    return mpi(bytes);
  });
  return concat(Uint8Array.of(4), octets(day(0) / 1000, 4), Uint8Array.of(algorithm), ...numbers);
}

const load = (body: Uint8Array) => loadKey(body, "CERTIFICATE");

describe("openpgp/key-packet", () => {
  const keys = {
    "Ed25519 legacy": [ed25519Key("k"), { algorithm: "eddsaLegacy", bits: 256, curve: "ed25519Legacy" }],
    Ed25519: [ed25519Key("k", { native: true }), { algorithm: "ed25519", bits: 256 }],
    "Ed25519 version 6": [ed25519Key("k", { version: 6 }), { algorithm: "ed25519", bits: 256 }],
    RSA: [rsaKey("rsa-a", { createdAt: day(7) }), { algorithm: "rsa", bits: 2048 }],
    "weak RSA": [rsaKey("rsa1024"), { algorithm: "rsa", bits: 1024 }],
    DSA: [dsaKey(), { algorithm: "dsa", bits: 2048 }],
  } as const;
  for (const [name, [key, facts]] of Object.entries(keys)) {
    it(`reads the facts of a key: ${name}`, async () => {
      expect(fingerprintOf(key.body)).to.equal(key.fingerprint);
      expect(keyIdOf(key.fingerprint)).to.equal(key.keyId);
      const loaded = await load(key.body);
      expect(loaded?.certificate).to.equal("CERTIFICATE");
      expect(loaded?.facts).to.deep.equal({
        fingerprint: key.fingerprint,
        keyId: key.keyId,
        version: key.version,
        createdAt: key.createdAt,
        ...facts,
      });
    });
  }

  it("computes the fingerprint and key ID of RFC 9580's sample version 6 certificate (appendix A.3)", () => {
    const body = "0663877fe31b00000020f94da7bb48d60a61e567706a6587d0331999bb9d891a08242ead84543df895a3";
    const fingerprint = fingerprintOf(Buffer.from(body, "hex"));
    expect(fingerprint).to.equal("CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9");
    expect(keyIdOf(fingerprint ?? "")).to.equal("CB186C4F0609A697");
  });

  it("gives no fingerprint to keys of other versions, nor to bodies too long for one", async () => {
    for (const version of [0, 2, 3, 5, 7]) {
      const body = Uint8Array.from(ed25519Key("k").body);
      body[0] = version;
      expect(fingerprintOf(body)).to.equal(undefined);
      expect(await load(body)).to.equal(undefined);
    }
    expect(fingerprintOf(new Uint8Array())).to.equal(undefined);
    expect(fingerprintOf(concat(Uint8Array.of(4), new Uint8Array(0xffff)))).to.equal(undefined);
  });

  it("does not load a key with bytes behind it: they would give it a second identity", async () => {
    const { body } = ed25519Key("k");
    expect(await load(concat(body, Uint8Array.of(0)))).to.equal(undefined);
    expect(await load(body.subarray(0, -1))).to.equal(undefined);
  });

  it("does not load an unknown algorithm", async () => {
    expect(await load(concat(Uint8Array.of(4, 0, 0, 0, 0, 99), new Uint8Array(32)))).to.equal(undefined);
  });

  describe("does not load a key that takes long to use", () => {
    for (const [what, body, loads] of [
      ["RSA of 8192 bits", bodyOf(1, 8192, 17), true],
      ["RSA of more", bodyOf(1, 8200, 17), false],
      ["an RSA exponent of 64 bits", bodyOf(1, 2048, 64), true],
      ["a larger RSA exponent", bodyOf(1, 2048, 72), false],
      ["DSA of 3072 bits", bodyOf(17, 3072, 256, 3072, 3072), true],
      ["DSA of more", bodyOf(17, 4096, 256, 4096, 4096), false],
      ["DSA with a q of 8192 bits: 1.7 s for one signature", bodyOf(17, 3072, 8192, 3072, 3072), false],
      ["DSA with a q of 65528 bits: 18 s for one signature", bodyOf(17, 3072, 65528, 3072, 3072), false],
      ["DSA with a huge g", bodyOf(17, 3072, 256, 65528, 3072), false],
      ["DSA with a huge y", bodyOf(17, 3072, 256, 3072, 65528), false],
      ["ElGamal of 8192 bits", bodyOf(16, 8192, 8192, 8192), true],
      ["ElGamal with a huge y", bodyOf(16, 2048, 8, 65528), false],
    ] as const) {
      it(loads ? `but ${what}` : what, async () => expect((await load(body)) !== undefined).to.equal(loads));
    }
  });

  describe("does not load an RSA key that is open to everybody, or belongs to no pair", () => {
    const head = concat(Uint8Array.of(4), octets(day(0) / 1000, 4), Uint8Array.of(1));
    const modulus = bodyOf(1, 2048).subarray(head.length);
    const even = Uint8Array.from(modulus);
    even[even.length - 1] = 0x10;
    for (const [what, numbers] of Object.entries({
      "an exponent of 1": concat(modulus, Uint8Array.of(0, 1, 1)),
      "an exponent of 1 with zeros before it": concat(modulus, Uint8Array.of(0, 17, 0, 0, 1)),
      "an even exponent": concat(modulus, Uint8Array.of(0, 2, 2)),
      "an even modulus": concat(even, Uint8Array.of(0, 2, 3)),
    })) {
      it(what, async () => expect(await load(concat(head, numbers))).to.equal(undefined));
    }
    it("but an exponent of 3", async () => {
      expect(await load(concat(head, modulus, Uint8Array.of(0, 2, 3)))).to.not.equal(undefined);
    });
  });

  it("loads nothing from random bytes, and never throws", async () => {
    const head = fc.constantFrom(1, 2, 3, 16, 17, 18, 19, 22, 25, 26, 27, 28).map((a) => [4, 0, 0, 0, 1, a]);
    await fc.assert(
      fc.asyncProperty(head, fc.uint8Array({ maxLength: 80 }), async (start, rest) => {
        const body = concat(Uint8Array.from(start), rest);
        const loaded = await load(body);
        if (loaded !== undefined) expect(loaded.facts.fingerprint).to.equal(fingerprintOf(body));
      }),
      { numRuns: 500 },
    );
  });
});
