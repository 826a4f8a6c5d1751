import { expect } from "chai";
import fc from "fast-check";
import { isHex, isSame, lineEnd } from "../../src/formats/four-bytes.ts";

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
/** Bytes about the borders of what is looked for, at any alignment. */
const bytesOf = fc
  .array(
    fc.constantFrom(
      0x00,
      0x09,
      0x0a,
      0x0b,
      0x2f,
      0x30,
      0x39,
      0x3a,
      0x40,
      0x41,
      0x46,
      0x47,
      0x60,
      0x61,
      0x66,
      0x67,
      0x8a,
      0xff,
    ),
    {
      minLength: 4,
      maxLength: 40,
    },
  )
  .map((bytes) => Uint8Array.from(bytes));

describe("index-format/four-bytes", () => {
  it("finds the end of a line as a search byte by byte does", () => {
    fc.assert(
      fc.property(bytesOf, fc.nat(40), fc.nat(40), (bytes, from, length) => {
        const at = Math.min(from, bytes.length);
        const to = Math.min(at + length, bytes.length);
        const found = bytes.subarray(at, to).indexOf(0x0a);
        expect(lineEnd(viewOf(bytes), at, to)).to.equal(found === -1 ? to : at + found);
      }),
    );
  });

  it("knows hex digits as an expression does", () => {
    for (let byte = 0; byte < 256; byte++) {
      for (let place = 0; place < 4; place++) {
        const bytes = Buffer.from("0Af9");
        bytes[place] = byte;
        expect(isHex(viewOf(bytes), 0, 4), `${byte}`).to.equal(/^[0-9a-f]{4}$/i.test(bytes.toString("latin1")));
      }
    }
    fc.assert(
      fc.property(bytesOf, (bytes) => {
        const length = bytes.length & ~3;
        const text = Buffer.from(bytes.subarray(0, length)).toString("latin1");
        expect(isHex(viewOf(bytes), 0, length)).to.equal(/^[0-9a-f]*$/i.test(text));
      }),
    );
  });

  it("compares two places", () => {
    fc.assert(
      fc.property(bytesOf, fc.nat(40), fc.nat(40), fc.nat(20), (bytes, a, b, wanted) => {
        const [at, other] = [a % bytes.length, b % bytes.length];
        const length = Math.min(wanted, bytes.length - Math.max(at, other));
        const same = Buffer.compare(bytes.subarray(at, at + length), bytes.subarray(other, other + length)) === 0;
        expect(isSame(viewOf(bytes), at, other, length)).to.equal(same);
      }),
    );
  });
});
