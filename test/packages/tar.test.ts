/** Tar archives that readers are known to take differently, beside the honest form of each. */
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { type TarEntry, tarEntries, visitEntries } from "../../src/formats/tar/tar.ts";
import { readControlFrom } from "../../src/packages/control.ts";
import { bytesSource } from "../../src/packages/source.ts";
import { CONTROL, controlTar, deb, type TarFile, tar, tarEntry } from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";

const all = (_: TarEntry) => 1024;
const list = (archive: Uint8Array) =>
  [...tarEntries(archive, all)].map(({ name, content }) => [name, Buffer.from(content).toString()]);
const file: TarFile = { name: "a", data: "1" };
const record = (text: string) => {
  const length = [1, 2, 3].map((digits) => text.length + digits + 2).find((sum, at) => String(sum).length === at + 1);
  return `${length} ${text}\n`;
};
const pax = (type: string, ...records: readonly string[]): TarFile => ({
  name: "PaxHeader",
  type,
  data: records.map(record).join(""),
});
const long: TarFile = { name: "././@LongLink", type: "L", data: "gnu\0" };

/** A header with other bytes at a place, and the sum put right. */
function patched(entry: Buffer, at: number, bytes: string): Buffer {
  const header = Buffer.from(entry);
  header.write(bytes, at, "latin1");
  header.write("        ", 148);
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
const whole = (...entries: readonly Uint8Array[]) => Buffer.concat([...entries, Buffer.alloc(1024)]);

describe("package/tar", () => {
  for (const [what, archive, expected] of [
    ["a plain file", tar([file]), [["a", "1"]]],
    ["a long name that ends in NULs", tar([{ ...long, data: `gnu${"\0".repeat(500)}` }, file]), [["gnu", "1"]]],
    ["no file", tar([]), []],
    ["a long name of GNU's", tar([long, file]), [["gnu", "1"]]],
    ["a long link of GNU's", tar([{ ...long, type: "K" }, file]), [["a", "1"]]],
    ["pax records", tar([pax("x", "mtime=1", "path=pax"), file]), [["pax", "1"]]],
    ["a size in a pax record", tar([pax("x", "size=1"), { ...file, size: 1 }]), [["a", "1"]]],
    ["a global comment", tar([pax("g", "comment=of git"), file]), [["a", "1"]]],
    ["a name in two parts", whole(patched(tarEntry(file), 345, "b/c")), [["b/c/a", "1"]]],
    ["GNU's magic", whole(patched(tarEntry(file), 257, "ustar  \0")), [["a", "1"]]],
    ["an older header without a type", whole(patched(tarEntry(file), 156, "\0")), [["a", "1"]]],
    ["zeros behind the end", tar([file], Buffer.alloc(40 * 512)), [["a", "1"]]],
  ] as const) {
    it(`reads ${what}, whole or in pieces of any size`, async () => {
      expect(list(archive)).to.deep.equal(expected);
      for (const size of [1, 7, 512, 1000]) {
        const pieces = (async function* () {
          for (let at = 0; at < archive.length; at += size) yield archive.subarray(at, at + size);
        })();
        const found: string[][] = [];
        await visitEntries(pieces, all, ({ name, content }) => found.push([name, `${Buffer.from(content)}`]) > 0);
        expect(found).to.deep.equal(expected);
      }
    });
  }

  for (const [what, archive, message] of [
    ["two names for one file", tar([long, pax("x", "path=pax"), file]), /two names: "gnu", "pax"/],
    [
      "two pax headers for one file",
      tar([pax("x", "path=b"), pax("x", "path=c"), file]),
      /two extension headers of the same type/,
    ],
    ["two long names for one file", tar([long, long, file]), /two extension headers of the same type/],
    ["a name twice in a pax header", tar([pax("x", "path=b", "path=c"), file]), /"path" twice/],
    ["a name for all files", tar([pax("g", "path=b"), file]), /one name or size to all files/],
    ["a size for all files", tar([pax("g", "size=9"), file]), /one name or size to all files/],
    ["a file with holes under another name", tar([pax("x", "GNU.sparse.name=b"), file]), /"GNU\.sparse\.name" in it/],
    ["an unreadable size in a pax header", tar([pax("x", "size=0x1"), file]), /size of "0x1"/],
    ["an empty name in a pax header", tar([pax("x", "path="), file]), /unusable name ""/],
    ["a NUL in a name", tar([pax("x", "path=a\0b"), file]), /unusable name/],
    [
      "a pax header that tells a wrong length",
      tar([{ name: "x", type: "x", data: "99 path=b\n" }, file]),
      /damaged pax/,
    ],
    ["a pax header without a value", tar([{ name: "x", type: "x", data: "7 path\n" }, file]), /damaged pax/],
    ["a header for a file that does not follow", tar([pax("x", "path=b")]), /ends early/],
    ["a long name for a file that does not follow", tarEntry(long), /ends early/],
    [
      "a header that is too long",
      tar([{ ...long, data: Buffer.alloc(1024 * 1024 + 1, "x") }, file]),
      /at most 1048576/,
    ],
    ["a size in base 256", whole(patched(tarEntry(file), 124, "\x80".padEnd(12, "\0"))), /size that is not an octal/],
    ["a size with letters", whole(patched(tarEntry(file), 124, "0000000001x\0")), /size that is not an octal/],
    ["an unknown form", whole(patched(tarEntry(file), 257, "tar\0\0\0")), /unknown form/],
    ["a file called as a folder", tar([{ name: "a/", data: "1" }]), /is not a file but has a size/],
    ["an unknown kind of file with a size", tar([{ name: "a", type: "S", data: "1" }]), /is not a file but has a size/],
    ["a letter behind the end", whole(tar([file]), Buffer.from("x")), /follows the end/],
    ["a file behind the end", whole(tar([file], Buffer.alloc(512)), tarEntry(file)), /follows the end/],
    ["no end mark", tarEntry(file), /without its end mark/],
    ["half a block", tarEntry(file).subarray(0, 700), /damaged or ends early/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await expectDamage(() => list(archive), message);
      if (archive.length === 512 || archive.length === 1024) return;
      // Such an archive before one that has a control file makes no package.
      const more = deb({ name: "control.tar.gz", data: gzipSync(Buffer.concat([archive, controlTar()])) });
      await expectDamage(() => readControlFrom(bytesSource(more)), /./);
    });
  }

  it("reads a control file behind an honest header of each kind", async () => {
    const control = { name: "./control", data: CONTROL };
    const archive = tar([pax("g", "comment=x"), pax("x", "mtime=1"), { name: "./", type: "5" }, long, file, control]);
    const { control: found } = await readControlFrom(
      bytesSource(deb({ name: "control.tar.gz", data: gzipSync(archive) })),
    );
    expect(Buffer.from(found).toString()).to.equal(CONTROL);
  });
});
