// The cleartext framework: what is taken out of a signed text, and everything around it that is refused.
import { expect } from "chai";
import { frame, isFramed, maxFramedBytes, unframe } from "../../src/formats/cleartext.ts";
import { HashedDocument } from "../../src/openpgp/packet/hashed-document.ts";
import { refusalOf } from "../testkit/refusal.ts";

const armor = "-----BEGIN PGP SIGNATURE-----\n\nwgAA\n=AAAA\n-----END PGP SIGNATURE-----\n";
const head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n";
const framed = (text: string) => `${head}${text}\n${armor}`;
const textOf = (file: string) => Buffer.from(unframe(Buffer.from(file, "latin1"), "F").signed).toString("latin1");

describe("the cleartext framework", () => {
  for (const [what, file, text] of [
    ["a text", framed("one\ntwo"), "one\ntwo\n"],
    ["an empty line at the end", framed("one\n"), "one\n\n"],
    ["escaped dashes", framed("- -----BEGIN\n- - x\n- plain"), "-----BEGIN\n- x\nplain\n"],
    ["spaces at the ends of lines", framed("one \t\n  two\n \t"), "one\n  two\n\n"],
    ["CRLF", framed("one\ntwo").replaceAll("\n", "\r\n"), "one\ntwo\n"],
    ["no Hash header", framed("one").replace("Hash: SHA256\n", ""), "one\n"],
    ["two Hash headers", framed("one").replace("Hash: SHA256\n", "Hash: SHA256\nHash: SHA512, SHA1\n"), "one\n"],
    ["no line feed at the very end", framed("one").slice(0, -1), "one\n"],
    ["no text at all", `${head}${armor}`, ""],
    ["bytes that are not UTF-8", framed("\xff\xe9"), "\xff\xe9\n"],
  ] as const) {
    it(`is taken apart: ${what}`, () => {
      expect(textOf(file)).to.equal(text);
    });
  }

  for (const [what, file, line] of [
    ["a line before it", `hello\n${framed("one")}`, 1],
    ["an empty line before it", `\n${framed("one")}`, 1],
    ["a space behind its first line", framed("one").replace("MESSAGE-----", "MESSAGE----- "), 1],
    ["another header", framed("one").replace("Hash: SHA256", "Comment: x"), 2],
    ["text among the headers", framed("one").replace("Hash: SHA256", "Hash: SHA256\nevil"), 3],
    ["an empty Hash header", framed("one").replace("Hash: SHA256", "Hash: "), 2],
    ["spaces for the empty line", framed("one").replace("\n\n", "\n \n"), 3],
    ["a dash that is not escaped", framed("one\n-two"), 5],
    ["another text in it", framed(`one\n${head}two`), 5],
    ["a carriage return within a line", framed("o\rne"), 4],
    ["two carriage returns at the end of a line", framed("one\r\r"), 4],
    ["no signature", `${head}one\n`, 6],
    ["nothing but its first line", "-----BEGIN PGP SIGNED MESSAGE-----", 2],
    ["a signature without an end", framed("one").replace(/-----END.*/s, ""), 5],
    ["a line below it", `${framed("one")}hello\n`, 10],
    ["an empty line below it", `${framed("one")}\n`, 10],
    ["a second signature", framed("one") + armor, 10],
    ["a second text", framed("one") + framed("two"), 10],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      const refusal = await refusalOf(() => unframe(Buffer.from(file, "latin1"), "F"));
      expect({ code: refusal.code, line: refusal.details.line }).to.deep.equal({ code: "bad_signature_data", line });
    });
  }

  it("reads back what it wrote", async () => {
    for (const text of ["one\ntwo\n", "-dash\n- dash\n", "\n\n", "From here\n", "one"]) {
      const file = frame(Buffer.from(text), armor, ["SHA256"]);
      expect(isFramed(file)).to.equal(true);
      expect(textOf(Buffer.from(file).toString("latin1"))).to.equal(text.endsWith("\n") ? text : `${text}\n`);
    }
    for (const text of ["one\r\n", "one\0\n"]) {
      expect((await refusalOf(() => frame(Buffer.from(text), armor, []))).code).to.equal("bad_index");
    }
  });

  it("may have a long run of blanks that ends no line", () => {
    const blanks = " \t".repeat(150_000);
    expect(textOf(framed(`${blanks}x${blanks}`)) === `${blanks}x\n`).to.equal(true);
    const { covered } = HashedDocument.ofText(Buffer.from(`${blanks}x${blanks}\ny`));
    expect(Buffer.from(covered).equals(Buffer.from(`${blanks}x\r\ny`))).to.equal(true);
  });

  it("may be as large as apt reads, whatever its lines, and no larger", async () => {
    const feeds = (size: number) => framed("\n".repeat(size - framed("").length));
    const whole = Buffer.from(feeds(maxFramedBytes));
    const before = process.memoryUsage().heapUsed;
    const { signed } = unframe(whole, "F");
    const { covered } = HashedDocument.ofText(signed);
    // Lines that are kept as values take at least eight bytes each on the heap.
    expect(process.memoryUsage().heapUsed - before).to.be.below(64 << 20);
    expect(signed).to.have.length(maxFramedBytes - framed("").length + 1);
    expect(covered).to.have.length(2 * (signed.length - 1));
    const limits = { code: "bad_index", details: { limit: maxFramedBytes, reason: "limits" } };
    const larger = await refusalOf(() => unframe(Buffer.from(feeds(maxFramedBytes + 1)), "F"));
    expect({ code: larger.code, details: larger.details }).to.deep.equal(limits);
    const written = await refusalOf(() => frame(Buffer.alloc(maxFramedBytes, "\n"), armor, ["SHA256"]));
    expect({ code: written.code, details: written.details }).to.deep.equal(limits);
  });

  it("is signed with CRLF, without the end of the last line", () => {
    const covered = (text: string) => Buffer.from(HashedDocument.ofText(Buffer.from(text)).covered).toString();
    expect(covered("one\ntwo\n")).to.equal("one\r\ntwo");
    expect(covered("one \t\n\n")).to.equal("one\r\n");
    expect(covered("")).to.equal("");
    expect(covered("\n")).to.equal("");
    expect(covered("\n\n")).to.equal("\r\n");
    expect(covered("one\n \n two ")).to.equal("one\r\n\r\n two");
  });
});
