import { expect } from "chai";
import fc from "fast-check";
import { limits } from "../../src/openpgp/packet/limits.ts";
import {
  PacketError,
  readPackets,
  readPacketsLeniently,
  writePacket,
  writePackets,
} from "../../src/openpgp/packet/packets.ts";
import { allFramed, framed } from "../testkit/framing.ts";

const plain = (packets: Iterable<{ tag: number; body: Uint8Array }>) =>
  [...packets].map(({ tag, body }) => ({ tag, body: [...body] }));

const packet = fc.record({
  tag: fc.integer({ min: 0, max: 63 }),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(191, 192, 8383, 8384, 70_000).map((length) => new Uint8Array(length)),
  ),
});

function leniently(bytes: Uint8Array) {
  const problems = new Set<string>();
  return { packets: [...readPacketsLeniently(bytes, problems)], problems: [...problems] };
}

function problemOf(bytes: readonly number[]): string {
  try {
    Array.from(readPackets(Uint8Array.from(bytes)));
  } catch (error) {
    if (error instanceof PacketError) return error.message;
    throw error;
  }
  throw new Error("expected a PacketError");
}

describe("openpgp/packets", () => {
  it("reads back what it writes, at every size of header", () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 5 }), (packets) => {
        expect(plain(readPackets(writePackets(packets)))).to.deep.equal(plain(packets));
      }),
      { numRuns: 200 },
    );
  });

  it("writes what the testkit writes", () => {
    fc.assert(
      fc.property(packet, (one) => {
        expect(Buffer.from(writePacket(one))).to.deep.equal(Buffer.from(framed(one)));
      }),
    );
  });

  it("reads old-format headers of one, two and four octets", () => {
    const body = [1, 2, 3];
    for (const head of [
      [0x88, 3],
      [0x89, 0, 3],
      [0x8a, 0, 0, 0, 3],
    ]) {
      expect(plain(readPackets(Uint8Array.from([...head, ...body])))).to.deep.equal([{ tag: 2, body }]);
    }
  });

  it("reads nothing from nothing", () => {
    expect([...readPackets(new Uint8Array())]).to.deep.equal([]);
  });

  it("says what is broken", () => {
    expect(problemOf([0x45])).to.equal("there is no OpenPGP packet at byte 0");
    expect(problemOf([0xc2, 1, 0, 0x10])).to.equal("there is no OpenPGP packet at byte 3");
    expect(problemOf([0xc2])).to.equal("a packet ends within its header");
    expect(problemOf([0xc2, 192])).to.equal("a packet ends within its header");
    expect(problemOf([0xc2, 255, 0, 0, 0])).to.equal("a packet ends within its header");
    expect(problemOf([0x89, 0])).to.equal("a packet ends within its header");
    expect(problemOf([0xc2, 224, 0])).to.equal("a packet of unknown length");
    expect(problemOf([0x8b, 0])).to.equal("a packet of unknown length");
    expect(problemOf([0xc2, 2, 0])).to.equal("the last packet is cut off");
    expect(problemOf([0xc2, 255, 0xff, 0xff, 0xff, 0xff])).to.equal("the last packet is cut off");
    const large = framed({ tag: 2, body: new Uint8Array(limits.packetBytes + 1) });
    expect(problemOf([...large])).to.match(/over the limit$/);
  });

  it("leniently keeps what comes before the break, and names the break", () => {
    const whole = [
      { tag: 6, body: Uint8Array.of(1) },
      { tag: 13, body: Uint8Array.of(2) },
    ];
    const cut = leniently(Buffer.concat([allFramed(whole), Buffer.from([0xc2, 9, 1])]));
    expect(plain(cut.packets)).to.deep.equal(plain(whole));
    expect(cut.problems).to.deep.equal(["the last packet is cut off"]);
    expect(leniently(allFramed(whole)).problems).to.deep.equal([]);
  });

  it("leniently passes over a packet that is too large, but not over what follows it", () => {
    // Anybody can upload a huge picture to a key server: it must not hide the revocations behind it.
    const large = { tag: 17, body: new Uint8Array(limits.packetBytes + 1) };
    const after = { tag: 2, body: Uint8Array.of(4) };
    const { packets, problems } = leniently(allFramed([large, after]));
    expect(plain(packets)).to.deep.equal(plain([after]));
    expect(problems).to.deep.equal([`a packet of ${limits.packetBytes + 1} bytes, over the limit`]);
  });

  it("meets random bytes with packets or a PacketError, and loses no byte on the way", () => {
    const header = fc.constantFrom(0xc2, 0xc6, 0x88, 0x89, 0x99, 0xcd, 0xff, 0x80);
    const bytes = fc
      .tuple(header, fc.uint8Array({ maxLength: 60 }))
      .map(([first, rest]) => Buffer.from([first, ...rest]));
    fc.assert(
      fc.property(bytes, (input) => {
        const { packets, problems } = leniently(input);
        const size = packets.reduce((sum, { body }) => sum + body.length, 0);
        expect(size).to.be.lessThanOrEqual(input.length);
        if (problems.length === 0) expect(packets.length).to.be.greaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});
