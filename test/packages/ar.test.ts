import { expect } from "chai";
import * as fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { readArMembers } from "../../src/packages/ar.ts";
import { bytesSource } from "../../src/packages/source.ts";
import { AR_MAGIC, ar, arMember } from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";

const list = (bytes: Uint8Array) =>
  readArMembers(bytesSource(bytes)).map(({ name, offset, size }) => ({
    name,
    text: Buffer.from(bytes.subarray(offset, offset + size)).toString("latin1"),
  }));

/** Header fields by their first byte and width (ar(5)). */
const fields = {
  name: [0, 16],
  time: [16, 12],
  user: [28, 6],
  group: [34, 6],
  mode: [40, 8],
  size: [48, 10],
  end: [58, 2],
} as const;

function withField(field: keyof typeof fields, text: string): Buffer {
  const archive = ar([{ name: "first", data: "12345" }]);
  archive.write(text.padEnd(fields[field][1]), AR_MAGIC.length + fields[field][0], "latin1");
  return archive;
}

describe("ar archive", () => {
  it("lists members with even and odd sizes in their order", () => {
    const archive = ar([
      { name: "debian-binary", data: "2.0\n" },
      { name: "odd", data: "123" },
      { name: "empty", data: "" },
      { name: "odd", data: "z" },
    ]);
    expect(list(archive)).to.deep.equal([
      { name: "debian-binary", text: "2.0\n" },
      { name: "odd", text: "123" },
      { name: "empty", text: "" },
      { name: "odd", text: "z" },
    ]);
  });

  it("lists nothing in an archive without members", () => {
    expect(list(AR_MAGIC)).to.deep.equal([]);
  });

  it("drops the slash that GNU ar puts after a short name", () => {
    expect(list(ar([{ name: "control.tar.gz/", data: "x" }]))).to.deep.equal([{ name: "control.tar.gz", text: "x" }]);
  });

  it("reads long names as BSD writes them, before the content", () => {
    const name = "a-package-with-a-long-name-1.0.tgz";
    const archive = ar([
      { name: `#1/${name.length}`, data: `${name}content` },
      { name: "#1/8", data: "padded\0\0!" },
      { name: "+PKG_HASH", data: "h" },
    ]);
    expect(list(archive)).to.deep.equal([
      { name, text: "content" },
      { name: "padded", text: "!" },
      { name: "+PKG_HASH", text: "h" },
    ]);
  });

  it("reads long names as GNU writes them, from a table", () => {
    const archive = ar([
      { name: "/", data: "symbols" },
      { name: "//", data: "a-long-member-name.tgz/\nanother-long-member-name/\n" },
      { name: "/24", data: "second" },
      { name: "/0", data: "first" },
    ]);
    expect(list(archive)).to.deep.equal([
      { name: "another-long-member-name", text: "second" },
      { name: "a-long-member-name.tgz", text: "first" },
    ]);
  });

  it("accepts the blank owner fields of GNU's tables", () => {
    const archive = withField("user", "");
    archive.write(" ".repeat(8), AR_MAGIC.length + fields.mode[0]);
    expect(list(archive)).to.deep.equal([{ name: "first", text: "12345" }]);
  });

  const damaged: readonly [string, Buffer, RegExp][] = [
    ["nothing at all", Buffer.alloc(0), /does not begin like an ar archive/],
    ["another magic", Buffer.from("!<thin>\n"), /does not begin like an ar archive/],
    ["a header that ends early", ar([{ name: "a", data: "xy" }]).subarray(0, 40), /expected 60 bytes at byte 8/],
    ["a wrong header end", withField("end", "`\r"), /header at byte 8 does not end with the usual two bytes/],
    ["no size", withField("size", ""), /size that is not a number/],
    ["a negative size", withField("size", "-5"), /size that is not a number/],
    ["a hexadecimal size", withField("size", "0x5"), /size that is not a number/],
    ["a size after a blank", withField("size", " 5"), /size that is not a number/],
    ["a size in two parts", withField("size", "5 5"), /size that is not a number/],
    ["a time in words", withField("time", "now"), /not a number/],
    ["an owner that is none", withField("user", "root"), /not a number/],
    ["a group that is none", withField("group", "-1"), /not a number/],
    ["a mode that is not octal", withField("mode", "100648"), /not a number/],
    ["a member past the end", withField("size", "7"), /member "first" ends at byte 75, but the file ends at byte 74/],
    ["missing padding", ar([{ name: "a", data: "x" }]).subarray(0, -1), /expected 1 bytes at byte 69/],
    ["other padding", Buffer.concat([ar([{ name: "a", data: "x" }]).subarray(0, -1), Buffer.from("\0")]), /as padding/],
    [
      "bytes after the last member",
      Buffer.concat([ar([{ name: "a", data: "" }]), Buffer.from("\n")]),
      /expected 60 bytes/,
    ],
    ["an empty name", withField("name", ""), /unusable name ""/],
    [
      "a name that is only a slash twice",
      ar([
        { name: "//x", data: "" },
        { name: "/", data: "" },
        { name: "/0", data: "" },
      ]),
      /a name that is not in the table/,
    ],
    ["terminal escapes in a name", withField("name", "\x1b[2Jx"), /unusable name "\\x1b\[2Jx"/],
    ["a name that is not ASCII", withField("name", "caf\xe9"), /unusable name/],
    ["a BSD name longer than its member", withField("name", "#1/6"), /shorter than its own name/],
    [
      "a BSD name that is too long",
      ar([{ name: "#1/5000", data: "n".repeat(5000) }]),
      /name has 5000 bytes, but feedkey reads at most 4096/,
    ],
    ["a GNU name without a table", withField("name", "/0"), /a name that is not in the table/],
    [
      "a GNU name past the table",
      ar([
        { name: "//", data: "abc/\n" },
        { name: "/9", data: "" },
      ]),
      /a name that is not in the table/,
    ],
    [
      "a GNU name inside another",
      ar([
        { name: "//", data: "abc/\n" },
        { name: "/1", data: "" },
      ]),
      /a name that is not in the table/,
    ],
    [
      "a GNU name without its end",
      ar([
        { name: "//", data: "abc" },
        { name: "/0", data: "" },
      ]),
      /a name that is not in the table/,
    ],
    [
      "two tables of names",
      ar([
        { name: "//", data: "abc/\n" },
        { name: "//", data: "abc/\n" },
      ]),
      /second table/,
    ],
    ["a table of names that is too long", ar([{ name: "//", data: Buffer.alloc(1024 * 1024 + 1) }]), /at most 1048576/],
    ["too many members", ar(Array.from({ length: 1001 }, () => ({ name: "a", data: "" }))), /more than 1000 members/],
  ];
  for (const [what, bytes, message] of damaged) {
    it(`refuses ${what}`, () => expectDamage(() => list(bytes), message));
  }

  it("refuses an archive cut off at any byte but between members", async () => {
    const archive = ar([
      { name: "debian-binary", data: "2.0\n" },
      { name: "control.tar.gz", data: "123" },
    ]);
    const between = [AR_MAGIC.length, AR_MAGIC.length + arMember("debian-binary", Buffer.from("2.0\n")).length];
    for (let length = 0; length < archive.length; length += 1) {
      if (between.includes(length)) continue;
      await expectDamage(() => list(archive.subarray(0, length)), /./);
    }
  });

  it("never shows bytes outside the archive, whatever its headers say", () => {
    const archive = ar([
      { name: "//", data: "a-long-member-name.tgz/\n" },
      { name: "/0", data: "abc" },
      { name: "#1/4", data: "namedata" },
    ]);
    const change = fc.tuple(fc.nat(archive.length - 1), fc.constantFrom(...Buffer.from("0129#/ \n`\0\xff", "latin1")));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(archive);
        for (const [position, value] of changes) bytes[position] = value;
        try {
          for (const { offset, size } of readArMembers(bytesSource(bytes))) {
            expect(offset).to.be.within(68, bytes.length);
            expect(offset + size).to.be.within(offset, bytes.length);
          }
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.code).to.equal("bad_package");
        }
      }),
      { numRuns: 2000 },
    );
  });
});
