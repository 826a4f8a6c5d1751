import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { armor, crc24, dearmor, dearmorStrictly, looksArmored } from "../../src/openpgp/packet/armor.ts";
import { armored } from "../testkit/framing.ts";
import { refusal } from "../testkit/refusal.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const strictly = (text: string) => dearmorStrictly(latin1(text), "SIGNATURE", "index.asc");
const some = Uint8Array.from({ length: 100 }, (_, i) => i);
const block = armor(some, "SIGNATURE");

describe("openpgp/armor", () => {
  it("computes CRC-24 as RFC 9580 section 6.1 defines it", () => {
    expect(crc24(latin1("123456789")).toString(16)).to.equal("21cf02");
    expect(crc24(new Uint8Array())).to.equal(0xb704ce);
  });

  it("tells armor from binary by the first octet", () => {
    expect(looksArmored(latin1(block))).to.equal(true);
    expect(looksArmored(latin1("\n"))).to.equal(true);
    expect(looksArmored(Uint8Array.of(0x88))).to.equal(false);
    expect(looksArmored(new Uint8Array())).to.equal(false);
  });

  it("reads back what it writes, strictly and leniently", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(bytes, (input) => {
        for (const text of [armor(input, "SIGNATURE"), armored("SIGNATURE", input)]) {
          expect(strictly(text)).to.deep.equal([input]);
          expect(dearmor(latin1(text), "SIGNATURE")).to.deep.equal([input]);
        }
      }),
    );
  });

  it("keeps lines to 64 characters", () => {
    for (const line of armor(new Uint8Array(500), "PUBLIC KEY BLOCK").split("\n"))
      expect(line).to.have.length.below(65);
  });

  describe("strictly", () => {
    it("reads all blocks, with headers, CRLF, trailing blanks and empty lines around", () => {
      const second = armored("SIGNATURE", Uint8Array.of(7)).replace("\n\n", "\nVersion: x\nComment: y\n\n");
      const text = `\n${block}\n \n${second}\n`.replaceAll("\n", " \t\r\n");
      expect(strictly(text)).to.deep.equal([some, Uint8Array.of(7)]);
    });

    const cases: readonly (readonly [what: string, text: string, line: number, message: RegExp])[] = [
      ["text before", `hello\n${block}`, 1, /text outside the armor/],
      ["text after", `${block}hello\n`, 8, /text outside the armor/],
      ["text between blocks", `${block}x\n${block}`, 8, /text outside the armor/],
      ["a block of another kind", armored("MESSAGE", some), 1, /text outside the armor/],
      ["a byte-order mark", `\u00ef\u00bb\u00bf${block}`, 1, /text outside the armor/],
      ["carriage returns alone", block.replaceAll("\n", "\r"), 1, /text outside the armor/],
      ["an indented end", block.replace("-----END", " -----END"), 1, /begins here has no end/],
      ["an indented block", ` ${block}`, 1, /text outside the armor/],
      ["text behind BEGIN", block.replace("-----\n", "----- x\n"), 1, /text outside the armor/],
      ["a block without end", `\n${block.replace(/-----END.*/, "")}`, 2, /begins here has no end/],
      ["another block within", block.replace("\n\n", `\n\n${block}`), 9, /not base64/],
      ["no blank line", block.replace("\n\n", "\n"), 6, /no blank line/],
      ["a header that is none", block.replace("\n\n", "\nhello\n\n"), 8, /is not a header/],
      ["no data", "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n", 3, /not base64/],
      ["a character that is not base64", block.replace("AAEC", "AA*C"), 7, /not base64/],
      ["a missing character", block.replace("AAEC", "AAE"), 7, /not base64/],
      ["a wrong checksum", block.replace(/\n=..../, "\n=AAAA"), 7, /the checksum is wrong/],
    ];
    for (const [what, text, line, message] of cases) {
      it(`refuses ${what}`, () => {
        const said = refusal(() => strictly(text));
        expect(said.code).to.equal("bad_signature_data");
        expect(said.message)
          .to.match(message)
          .and.to.match(/^index\.asc, line/);
        expect(said.line).to.equal(line);
        expect(said.hint).to.match(/only the armored block/);
      });
    }

    it("refuses a second spelling of the same bytes", () => {
      const [one] = strictly("-----BEGIN PGP SIGNATURE-----\n\nAQ==\n-----END PGP SIGNATURE-----");
      expect(one).to.deep.equal(Uint8Array.of(1));
      const said = refusal(() => strictly("-----BEGIN PGP SIGNATURE-----\n\nAR==\n-----END PGP SIGNATURE-----"));
      expect(said.message).to.match(/canonical form/);
    });

    it("refuses a long run of blanks that ends no line", () => {
      expect(() => strictly(`${" ".repeat(300_000)}x`)).to.throw("text outside the armor");
    });

    it("finds no block in white space", () => {
      expect(strictly(" \n\t\r\n")).to.deep.equal([]);
    });

    it("meets random text with blocks or bad_signature_data", () => {
      const piece = fc.constantFrom(
        "-----BEGIN PGP SIGNATURE-----",
        "-----END PGP SIGNATURE-----",
        "",
        "AAEC",
        "=AAAA",
        "A: b",
        "\r",
        "=",
        "\u00e9",
      );
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 12 }), (lines) => {
          try {
            strictly(lines.join("\n"));
          } catch (error) {
            expect(error).to.be.instanceOf(FeedkeyError).with.property("code", "bad_signature_data");
          }
        }),
        { numRuns: 2000 },
      );
    });
  });

  describe("leniently", () => {
    const key = armored("PUBLIC KEY BLOCK", some);
    it("finds blocks within HTML, other text and CRLF", () => {
      const page = `<html><pre>\n${key}</pre>\n<p>x</p><pre>${key}</pre>`.replaceAll("\n", "\r\n");
      expect(dearmor(latin1(page), "PUBLIC KEY BLOCK")).to.deep.equal([some, some]);
    });

    it("passes over broken blocks and blocks of another kind", () => {
      const text = `${key.replace("AAEC", "A*EC")}${armored("SIGNATURE", some)}${key}`;
      expect(dearmor(latin1(text), "PUBLIC KEY BLOCK")).to.deep.equal([some]);
    });

    it("finds the whole lines of a block that is cut off, where that is said, and of no other", () => {
      const long = Uint8Array.from({ length: 500 }, (_, i) => i & 0xff);
      const text = `${key}${armored("PUBLIC KEY BLOCK", long)}`;
      const cutOff = latin1(text.slice(0, -200));
      expect(dearmor(cutOff, "PUBLIC KEY BLOCK")).to.deep.equal([some]);
      const [whole, beginning = new Uint8Array(), ...others] = dearmor(cutOff, "PUBLIC KEY BLOCK", true);
      expect([whole, others]).to.deep.equal([some, []]);
      expect(beginning.length).to.be.within(300, 450);
      expect(beginning).to.deep.equal(long.subarray(0, beginning.length));
      expect(dearmor(latin1(text), "PUBLIC KEY BLOCK", true)).to.deep.equal([some, long]);
    });

    it("finds nothing in a web page or a block without end", () => {
      expect(dearmor(latin1("<html>404</html>"), "PUBLIC KEY BLOCK")).to.deep.equal([]);
      expect(dearmor(latin1(key.replace(/-----END.*/, "")), "PUBLIC KEY BLOCK")).to.deep.equal([]);
    });

    it("never throws", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          expect(dearmor(Buffer.concat([bytes, latin1(key), bytes]), "PUBLIC KEY BLOCK").length).to.be.lessThan(2);
        }),
      );
    });
  });
});
