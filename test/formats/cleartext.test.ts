// The cleartext framework: beside test/vectors/index/InRelease.json, what is written, and how large it may be.
import { expect } from "chai";
import { frame, isFramed, maxFramedBytes, unframe } from "../../src/formats/cleartext.ts";
import { HashedDocument } from "../../src/openpgp/packet/hashed-document.ts";
import { refusalOf } from "../testkit/refusal.ts";

const armor = "-----BEGIN PGP SIGNATURE-----\n\nwgAA\n=AAAA\n-----END PGP SIGNATURE-----\n";
const head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n";
const framed = (text: string) => `${head}${text}\n${armor}`;
const textOf = (file: string) => Buffer.from(unframe(Buffer.from(file, "latin1"), "F").signed).toString("latin1");

describe("the cleartext framework", () => {
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
