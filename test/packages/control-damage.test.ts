import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import * as fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { readControlFrom } from "../../src/packages/control.ts";
import { bytesSource } from "../../src/packages/source.ts";
import {
  ar,
  CONTROL,
  controlTar,
  DATA,
  deb,
  type Member,
  oldIpk,
  type TarFile,
  tar,
  tarEntry,
  VERSION,
} from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";

const read = (bytes: Uint8Array) => readControlFrom(bytesSource(bytes));
const gz = (bytes: Uint8Array): Member => ({ name: "control.tar.gz", data: gzipSync(bytes) });
/** A package whose control archive has these entries. */
const holding = (...files: readonly TarFile[]) => deb(gz(tar(files)));
const file: TarFile = { name: "./control", data: CONTROL };

const controls: readonly Member[] = [
  { name: "control.tar", data: controlTar() },
  gz(controlTar()),
  { name: "control.tar.xz", data: readFileSync("test/vectors/package/control.tar.xz") },
  { name: "control.tar.zst", data: readFileSync("test/vectors/package/control.tar.zst") },
];

describe("a damaged package", () => {
  const refused: readonly [string, Uint8Array, RegExp][] = [
    ["of no bytes", Buffer.alloc(0), /but found other data/],
    ["that is something else", Buffer.from("<html>not found</html>"), /but found other data/],
    [
      "of format 3",
      ar([{ name: "debian-binary", data: "3.0\n" }, gz(controlTar()), DATA]),
      /expected format version 2 .* found "3.0"/,
    ],
    [
      "of a long format version",
      ar([{ name: "debian-binary", data: "2.0\n".repeat(99) }, gz(controlTar()), DATA]),
      /"debian-binary" has 396 bytes/,
    ],
    [
      "of a long format version, old form",
      oldIpk([{ name: "debian-binary", data: "2.0\n".repeat(99) }]),
      /has 396 bytes/,
    ],
    ["without control data", ar([VERSION, DATA]), /has no member "control.tar"/],
    ["without control data, old form", oldIpk([VERSION, DATA]), /has no member "control.tar"/],
    ["without data", ar([VERSION, gz(controlTar())]), /has no member "data.tar"/],
    ["with control data twice", ar([VERSION, gz(controlTar()), gz(controlTar()), DATA]), /has 2 members "control.tar"/],
    [
      "with control data in two forms",
      ar([VERSION, gz(controlTar()), { name: "control.tar", data: controlTar() }, DATA]),
      /has 2 members/,
    ],
    ["with data twice", ar([VERSION, gz(controlTar()), DATA, DATA]), /has 2 members "data.tar"/],
    ["with debian-binary twice", ar([VERSION, gz(controlTar()), DATA, VERSION]), /has 2 members "debian-binary"/],
    [
      "with control data twice, old form",
      oldIpk([VERSION, gz(controlTar()), DATA, { name: "control.tar", data: controlTar() }]),
      /has 2 members "control.tar"/,
    ],
    ["with data twice, old form", oldIpk([DATA, gz(controlTar()), DATA]), /has 2 members "data.tar"/],
    ["without data, old form", oldIpk([VERSION, gz(controlTar())]), /has no member "data.tar"/],
    [
      "of format 3 said last, old form",
      oldIpk([gz(controlTar()), DATA, { name: "debian-binary", data: "3.0\n" }]),
      /expected format version 2/,
    ],
    ["with bzip2", deb({ name: "control.tar.bz2", data: "BZh9" }), /compression that is not supported/],
    ["with lzma", deb({ name: "control.tar.lzma", data: "]" }), /compression that is not supported/],
    [
      "whose control.tar.gz is xz",
      deb({ name: "control.tar.gz", data: controls[2]?.data ?? "" }),
      /"control.tar.gz" contains data of another compression: "xz"/,
    ],
    [
      "whose control.tar is gzip",
      deb({ name: "control.tar", data: gzipSync(controlTar()) }),
      /of another compression: "gzip"/,
    ],
    [
      "whose control.tar.gz is plain",
      deb({ name: "control.tar.gz", data: controlTar() }),
      /of another compression: "none"/,
    ],
    [
      "whose control.tar.gz is too large",
      deb({ name: "control.tar.gz", data: Buffer.alloc(8 * 1024 * 1024 + 1) }),
      /at most 8388608 are read/,
    ],
    [
      "whose control.tar.gz is too large, old form",
      oldIpk([VERSION, { name: "control.tar.gz", data: Buffer.alloc(8 * 1024 * 1024 + 1) }]),
      /at most 8388608 are read/,
    ],
    [
      "whose control.tar.gz is a folder, old form",
      gzipSync(
        tar([
          { name: "debian-binary", data: "2.0\n" },
          { name: "./control.tar.gz", type: "5" },
        ]),
      ),
      /is not a regular file/,
    ],
    ["whose control.tar.gz is a bomb", deb(gz(Buffer.alloc(33 * 1024 * 1024))), /more than 33554432 bytes/],
    [
      "with bytes behind the gzip data",
      deb({ name: "control.tar.gz", data: Buffer.concat([gzipSync(controlTar()), Buffer.alloc(3)]) }),
      /unexpected bytes after/,
    ],
    ["without a control file", holding({ name: "./postinst", data: "x" }), /no file "control"/],
    ["with the control file twice", holding(file, file), /"control" more than once/],
    [
      "with the control file in two spellings",
      holding({ name: "control", data: "Package: other\n" }, file),
      /more than once/,
    ],
    ["whose control file is spelled oddly", holding({ name: ".//control", data: CONTROL }), /found ".\/\/control"/],
    [
      "with a link to its own folder, and the control file again behind it",
      holding({ name: "./d", type: "2", link: "." }, file, { name: "./d/control", data: "Package: other\n" }),
      /"\.\/d\/control" is below a link/,
    ],
    [
      "whose control file is a link",
      holding({ name: "./control", type: "2", link: "/etc/passwd" }),
      /"\.\/control" in the control archive is not a regular file/,
    ],
    [
      "whose control file is a hard link",
      holding({ name: "./other", data: CONTROL }, { name: "./control", type: "1", link: "./other" }),
      /not a regular file/,
    ],
    ["whose control file is a folder", holding({ name: "./control/", type: "5" }), /not a regular file/],
    ["whose control file is a device", holding({ name: "./control", type: "3" }), /not a regular file/],
    [
      "whose control file is too large",
      holding({ name: "./control", data: Buffer.alloc(1024 * 1024 + 1) }),
      /has 1048577 bytes, but at most 1048576/,
    ],
    ["with an absolute path", holding({ name: "/control", data: CONTROL }), /leads out of the archive/],
    ["with a path that climbs out", holding({ name: "./a/../../b", data: "" }, file), /leads out of the archive/],
    ["with terminal escapes in a path", holding({ name: "/\x1b[2J", data: "" }), /"\/\\x1b\[2J" leads out/],
    [
      "with a sized folder, where readers differ",
      holding({ name: "./", type: "5", size: 512 }, file),
      /is not a file but has a size/,
    ],
    [
      "with a sized link, where readers differ",
      holding({ name: "./l", type: "2", size: 512 }, file),
      /is not a file but has a size/,
    ],
    [
      "with a file behind the end mark",
      deb(
        gz(Buffer.concat([tar([file], Buffer.alloc(512)), tarEntry({ name: "./x", data: "x" }), Buffer.alloc(1024)])),
      ),
      /follows the end/,
    ],
    ["without an end mark", deb(gz(tar([file], Buffer.alloc(0)))), /without its end mark/],
    [
      "whose tar ends inside a file",
      deb(gz(tar([{ name: "./x", data: "short", size: 5000 }]))),
      /damaged or ends early/,
    ],
    ["whose tar has a wrong checksum", deb(gz(Buffer.from(controlTar().fill("X", 0, 1)))), /tar archive is damaged/],
    ["whose tar is text", deb(gz(Buffer.from("no tar at all".repeat(100)))), /tar archive is damaged/],
    [
      "with too many tar entries",
      deb(gz(tar(Array.from({ length: 10_001 }, (_, index) => ({ name: `./${index}` }))))),
      /more than 10000 entries/,
    ],
    ["that is an empty gzip", gzipSync(""), /has no member "control.tar"/],
    ["that is a gzip of text", gzipSync("no tar at all".repeat(100)), /tar archive is damaged/],
  ];
  for (const [what, bytes, message] of refused) {
    it(`${what} is refused`, () => expectDamage(() => read(bytes), message));
  }

  it("is refused when it is cut off at any byte", async () => {
    const whole = deb();
    for (let length = 0; length < whole.length; length += 1) {
      await expectDamage(() => read(whole.subarray(0, length)), /./);
    }
    // Of the old form all that leads to the control file: what follows is left to the digest of the whole.
    const old = oldIpk([VERSION, DATA, gz(controlTar())]);
    for (let length = 0; length < old.length - 40; length += 1) {
      const outcome = await read(old.subarray(0, length)).catch((error: unknown) => error);
      if (outcome instanceof FeedkeyError) expect(outcome.code).to.equal("bad_package");
      else expect(Buffer.from((outcome as { control: Uint8Array }).control).toString()).to.equal(CONTROL);
    }
  });

  it("ends in a refusal or in control data, whatever bytes are changed", async () => {
    const wholes = [...controls.map((control) => deb(control)), oldIpk()];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...wholes),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        async (whole, changes) => {
          const bytes = Buffer.from(whole);
          for (const [position, value] of changes) bytes[position % bytes.length] = value;
          const outcome = await read(bytes).catch((error: unknown) => error);
          if (outcome instanceof Error)
            expect(outcome).to.be.instanceOf(FeedkeyError).with.property("code", "bad_package");
        },
      ),
      { numRuns: 300 },
    );
  });

  it("ends in a refusal or in control data, whatever is changed below the compression", async () => {
    const plain = controlTar();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(plain.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        async (changes) => {
          const bytes = Buffer.from(plain);
          for (const [position, value] of changes) bytes[position] = value;
          const outcome = await read(deb(gz(bytes))).catch((error: unknown) => error);
          if (outcome instanceof Error)
            expect(outcome).to.be.instanceOf(FeedkeyError).with.property("code", "bad_package");
        },
      ),
      { numRuns: 300 },
    );
  });

  it("ends in a refusal for random bytes", async () => {
    const magics = [Buffer.alloc(0), Buffer.from("!<arch>\n"), Buffer.from([0x1f, 0x8b, 8, 0])];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 2000 }), async (magic, tail) => {
        await expectDamage(() => read(Buffer.concat([magic, tail])), /./);
      }),
      { numRuns: 300 },
    );
  });
});
