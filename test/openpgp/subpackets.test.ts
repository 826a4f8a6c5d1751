import { expect } from "chai";
import fc from "fast-check";
import { readHashedArea, readSubpackets, SubpacketError } from "../../src/openpgp/packet/subpackets.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import * as made from "../testkit/subpackets.ts";

const key = ed25519Key("subpackets");
const readArea = (...subpackets: readonly made.Subpacket[]) => readHashedArea(made.area(subpackets));
const bytes = (...values: readonly number[]) => Uint8Array.from(values);

describe("openpgp/subpackets", () => {
  describe("cut an area", () => {
    it("back into what was put together", () => {
      const one = fc.record({
        type: fc.integer({ min: 0, max: 127 }),
        critical: fc.boolean(),
        body: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constantFrom(new Uint8Array(191), new Uint8Array(9000))),
      });
      fc.assert(
        fc.property(fc.array(one, { maxLength: 4 }), (subpackets) => {
          expect(readSubpackets(made.area(subpackets))).to.deep.equal(subpackets);
        }),
      );
    });

    it("with lengths of one, two and five octets", () => {
      const body = new Uint8Array(299);
      const area = Buffer.concat([bytes(2, 100, 7), bytes(192, 108, 100), body, bytes(255, 0, 0, 0, 2, 100, 9)]);
      expect(readSubpackets(area).map((s) => s.body.length)).to.deep.equal([1, 299, 1]);
    });

    for (const [what, area] of [
      ["an empty subpacket", bytes(0)],
      ["one past the end", bytes(3, 100, 1)],
      ["a two-octet length that is cut off", bytes(192)],
      ["a five-octet length that is cut off", bytes(255, 0, 0)],
      ["a five-octet length past the end", bytes(255, 255, 255, 255, 255, 100)],
    ] as const) {
      it(`but not ${what}`, () => expect(() => readSubpackets(area)).to.throw(SubpacketError));
    }

    it("of random bytes, or throw a SubpacketError", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), (area) => {
          try {
            readHashedArea(area);
          } catch (error) {
            expect(error).to.be.instanceOf(SubpacketError);
          }
        }),
        { numRuns: 3000 },
      );
    });
  });

  describe("read a hashed area", () => {
    it("without anything: no date, exportable, no flags, never expires", () => {
      expect(readArea()).to.deep.equal({
        createdAt: undefined,
        signatureLifetime: undefined,
        keyLifetime: undefined,
        flags: undefined,
        exportable: true,
        trust: { level: 0, amount: 0 },
        notations: [],
        reason: undefined,
        issuerFingerprint: undefined,
        issuerKeyId: undefined,
        designatedRevokers: [],
        embeddedSignature: undefined,
        unknownCritical: [],
      });
    });

    it("with everything", () => {
      const all = readArea(
        made.created(day(3)),
        made.expiresAfter(60),
        made.keyExpiresAfter(70),
        made.flags("sign"),
        made.exportable(false),
        made.trustLevel(2, 120),
        made.notation("feed@example.org", "base"),
        made.notation("feed@example.org", "näxt"),
        made.reason(3, "gone"),
        made.issuerFingerprint(key),
        made.issuerKeyId(key),
        made.revoker(key),
        made.embedded(bytes(1, 2)),
      );
      expect(all).to.deep.equal({
        createdAt: day(3),
        signatureLifetime: 60,
        keyLifetime: 70,
        flags: { certify: false, sign: true },
        exportable: false,
        trust: { level: 2, amount: 120 },
        notations: [
          { name: "feed@example.org", value: "base", critical: false },
          { name: "feed@example.org", value: "näxt", critical: false },
        ],
        reason: { code: 3, text: "gone" },
        issuerFingerprint: key.fingerprint,
        issuerKeyId: key.keyId,
        designatedRevokers: [key.fingerprint],
        embeddedSignature: bytes(1, 2),
        unknownCritical: [],
      });
    });

    it("takes zero lifetimes for never, and the first date for 1970", () => {
      const zero = readArea(made.created(0), made.expiresAfter(0), made.keyExpiresAfter(0));
      expect(zero.createdAt).to.equal(0);
      expect(zero.signatureLifetime).to.equal(undefined);
      expect(zero.keyLifetime).to.equal(undefined);
    });

    it("reads the flags of the first octet, and none from none", () => {
      expect(readArea(made.raw(27, [3])).flags).to.deep.equal({ certify: true, sign: true });
      expect(readArea(made.raw(27, [1, 2])).flags).to.deep.equal({ certify: true, sign: false });
      expect(readArea(made.raw(27)).flags).to.deep.equal({ certify: false, sign: false });
    });

    it("takes a reason without a code for no reason", () => {
      expect(readArea(made.raw(29)).reason).to.deep.equal({ code: 0, text: "" });
    });

    for (const [what, subpacket] of [
      ["date", made.raw(2, [1, 2, 3])],
      ["signature lifetime", made.raw(3, [1, 2, 3, 4, 5])],
      ["key lifetime", made.raw(9)],
      ["export mark", made.raw(4, [])],
      ["notation, cut off", made.raw(20, [0x80, 0, 0, 0, 0, 1, 0])],
      ["notation, with lengths that do not add up", made.raw(20, [0x80, 0, 0, 0, 0, 1, 0, 1, 65])],
    ] as const) {
      it(`refuses a wrong length: ${what}`, () => expect(() => readArea(subpacket)).to.throw(SubpacketError));
    }

    it("names critical subpackets and notations that it does not know", () => {
      const { unknownCritical } = readArea(
        made.critical(made.raw(100)),
        made.critical(made.notation("x@example.org", "y")),
        made.raw(101),
        made.notation("z@example.org", "y"),
      );
      expect(unknownCritical).to.have.members(["critical subpacket 100", "critical notation x@example.org"]);
    });

    it("is void by a critical regular expression, which it gives no meaning", () => {
      expect(readArea(made.critical(made.raw(6, [65]))).unknownCritical).to.deep.equal(["critical subpacket 6"]);
      expect(readArea(made.raw(6, [65])).unknownCritical).to.deep.equal([]);
    });

    it("knows the critical subpackets that have no weight", () => {
      const known = [7, 11, 21, 22, 23, 24, 25, 26, 28, 30, 34, 39].map((type) => made.critical(made.raw(type, [1])));
      expect(readArea(...known).unknownCritical).to.deep.equal([]);
    });

    for (const subpacket of [
      made.created(day(0)),
      made.expiresAfter(1),
      made.exportable(true),
      made.trustLevel(1, 1),
      made.keyExpiresAfter(1),
      made.flags("sign"),
      made.reason(1),
      made.issuerFingerprint(key),
      made.embedded(bytes(4)),
    ]) {
      it(`is void by subpacket ${subpacket.type} given twice`, () => {
        expect(readArea(subpacket, subpacket).unknownCritical).to.deep.equal([
          `subpacket ${subpacket.type} given twice`,
        ]);
      });
    }

    it("says the same thing once, however often it is there", () => {
      const many = Array.from({ length: 1000 }, () => made.critical(made.raw(100)));
      expect(readArea(...many).unknownCritical).to.deep.equal(["critical subpacket 100"]);
    });
  });
});
