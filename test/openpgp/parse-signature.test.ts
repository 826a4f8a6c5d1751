import { expect } from "chai";
import fc from "fast-check";
import { parseSignature, type RawSignature } from "../../src/openpgp/packet/raw-signature.ts";
import { day } from "../testkit/dates.ts";
import { concat } from "../testkit/framing.ts";
import { ed25519Key, rsaKey } from "../testkit/keys.ts";
import { dataSignature, type Hash } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b] = [ed25519Key("a"), ed25519Key("b")];

const data = Buffer.from("Package: a\n");

function parse(packet: { body: Uint8Array }): RawSignature {
  const raw = parseSignature(packet.body);
  if (typeof raw === "string") throw new Error(raw);
  return raw;
}

const hashes: readonly Hash[] = [
  "md5",
  "sha1",
  "ripemd160",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "sha3-256",
  "sha3-512",
];

describe("openpgp/raw-signature parses", () => {
  it("what the rules ask for, from the hashed area alone", () => {
    const raw = parse(
      dataSignature({
        by: a,
        at: day(1),
        data,
        hash: "sha512",
        expiresAfter: 60,
        hashed: [sub.notation("n@example.org", "v")],
        unhashed: [sub.expiresAfter(1), sub.created(day(9)), sub.critical(sub.raw(100)), sub.issuerKeyId(b)],
      }),
    );
    expect([raw.version, raw.type, raw.hash]).to.deep.equal([4, 0, "sha512"]);
    expect(raw.hashed.createdAt).to.equal(day(1));
    expect(raw.hashed.signatureLifetime).to.equal(60);
    expect(raw.hashed.unknownCritical).to.deep.equal([]);
    expect(raw.issuer).to.deep.equal({ fingerprint: a.fingerprint, keyId: b.keyId });
  });

  it("embedded signatures of the unhashed area, which prove themselves", () => {
    const embedded = [Uint8Array.of(1), Uint8Array.of(2)];
    const raw = parse(dataSignature({ by: a, at: day(1), data, unhashed: embedded.map(sub.embedded) }));
    expect(raw.embedded).to.deep.equal(embedded);
  });

  it("the salt of version 6", () => {
    const key = ed25519Key("a", { version: 6 });
    const salt = Uint8Array.from({ length: 24 }, (_, i) => i);
    expect(parse(dataSignature({ by: key, at: day(1), data, hash: "sha384", salt })).salt).to.deep.equal(salt);
    expect(parse(dataSignature({ by: a, at: day(1), data })).salt).to.have.length(0);
    const short = dataSignature({ by: key, at: day(1), data, hash: "sha384", salt: new Uint8Array(16) });
    expect(parseSignature(short.body)).to.equal("a signature whose salt has a wrong length");
    const weak = dataSignature({ by: key, at: day(1), data, hash: "sha1" });
    expect(parseSignature(weak.body)).to.equal("a signature whose salt has a wrong length");
  });

  it("every hash by its name", () => {
    for (const hash of hashes)
      expect(parse(dataSignature({ by: rsaKey("rsa-a"), at: day(1), data, hash })).hash).to.equal(hash);
    const unknown = Uint8Array.from(dataSignature({ by: a, at: day(1), data }).body);
    unknown[3] = 99;
    expect(parse({ body: unknown }).hash).to.equal("unknown");
  });

  const good = dataSignature({ by: a, at: day(1), data }).body;
  for (const [what, body, problem] of [
    ["nothing", new Uint8Array(), "a signature of version ?"],
    ["version 3", concat(Uint8Array.of(3), good.subarray(1)), "a signature of version 3"],
    ["version 5", concat(Uint8Array.of(5), good.subarray(1)), "a signature of version 5"],
    ["a header cut off", good.subarray(0, 3), "a signature that is cut off"],
    ["areas cut off", good.subarray(0, 20), "a signature whose areas are cut off"],
    ["no unhashed area", good.subarray(0, 6 + (good[5] ?? 0)), "a signature whose areas are cut off"],
  ] as const) {
    it(`nothing of ${what}`, () => expect(parseSignature(body)).to.equal(problem));
  }

  it("nothing where a subpacket is malformed, hashed or not", () => {
    const bad = [sub.raw(20, [1])];
    expect(parseSignature(dataSignature({ by: a, at: day(1), data, hashed: bad }).body)).to.match(
      /notation is cut off/,
    );
    const short = Uint8Array.from(dataSignature({ by: a, at: day(1), data, unhashed: [sub.raw(100)] }).body);
    const at = 6 + (short[5] ?? 0) + 2;
    short[at] = 9;
    expect(parseSignature(short)).to.match(/past its area/);
  });

  it("random bytes, and never throws", () => {
    const head = fc.constantFrom([4, 0, 22, 8], [6, 0, 27, 8], [4, 0x20, 1, 2], [6, 0x20]);
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 60 }), (start, rest) => {
        const raw = parseSignature(concat(Uint8Array.from(start), rest));
        if (typeof raw !== "string") expect(raw.hashedPart.length).to.be.lessThanOrEqual(start.length + rest.length);
      }),
      { numRuns: 2000 },
    );
  });
});
