import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import * as fc from "fast-check";
import { type Compression, decompress, detectCompression } from "../../src/packages/compression/compression.ts";
import { controlTar } from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";
import { refusalOf } from "../testkit/refusal.ts";

const plain = controlTar();
const forms: readonly [Compression, Buffer][] = [
  ["gzip", gzipSync(plain)],
  ["xz", readFileSync("test/vectors/package/control.tar.xz")],
  ["zstd", readFileSync("test/vectors/package/control.tar.zst")],
  ["bzip2", readFileSync("test/vectors/package/control.tar.bz2")],
];
const roomy = 1024 * 1024;

describe("decompression", () => {
  it("knows each format by its first bytes", () => {
    for (const [kind, bytes] of forms) expect(detectCompression(bytes)).to.equal(kind);
    expect(detectCompression(plain)).to.equal("none");
    expect(detectCompression(Buffer.from([0x1f]))).to.equal("none");
    expect(detectCompression(Buffer.alloc(0))).to.equal("none");
  });

  for (const [kind, bytes] of [...forms, ["none", plain] as const]) {
    describe(kind, () => {
      it("gives the content back, up to the very limit", async () => {
        expect(Buffer.from(await decompress(bytes, kind, plain.length))).to.deep.equal(plain);
      });

      it("refuses one byte more than the limit", async () => {
        const error = await expectDamage(
          () => decompress(bytes, kind, plain.length - 1),
          new RegExp(`${plain.length - 1} bytes`),
        );
        expect(error.details).to.deep.equal({ compression: kind, reason: "limits" });
      });

      it("gives the failure the code that the caller asks for", async () => {
        expect((await refusalOf(() => decompress(bytes, kind, 1, "bad_index"))).code).to.equal("bad_index");
      });
    });
  }

  for (const [kind, bytes] of forms) {
    describe(`${kind}, damaged`, () => {
      it("refuses bytes after the end", async () => {
        for (const extra of [
          Buffer.from("x"),
          Buffer.from("four"),
          Buffer.alloc(1),
          Buffer.alloc(514),
          bytes.subarray(0, 7),
        ]) {
          const error = await expectDamage(() => decompress(Buffer.concat([bytes, extra]), kind, roomy), /./);
          expect(error.details.reason).to.be.oneOf(["trailing", "damaged"]);
        }
      });

      it("refuses data cut off at any byte", async () => {
        for (let length = 0; length < bytes.length; length += 1) {
          const error = await expectDamage(() => decompress(bytes.subarray(0, length), kind, roomy), /./);
          expect(error.details.reason, `${length} bytes`).to.equal("damaged");
        }
      });

      it("never gives other content for a changed byte", async () => {
        for (let position = 0; position < bytes.length; position += 1) {
          const changed = Buffer.from(bytes);
          changed[position] = (changed[position] ?? 0) ^ 0x15;
          const outcome = await decompress(changed, kind, roomy).catch((error: unknown) =>
            refusalOf(() => Promise.reject(error)),
          );
          // A few header bytes, such as gzip's date, do not touch the content.
          if (outcome instanceof Uint8Array) expect(Buffer.from(outcome), `byte ${position}`).to.deep.equal(plain);
          else expect(outcome.code).to.equal("bad_package");
        }
      });

      it("ends in a refusal for random bytes behind its magic", async () => {
        const magic = bytes.subarray(0, 6);
        await fc.assert(
          fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (tail) => {
            await expectDamage(() => decompress(Buffer.concat([magic, tail]), kind, roomy), /./);
          }),
          { numRuns: 200 },
        );
      });
    });
  }

  it("reads a gzip file of several members, as pigz and cat make them", async () => {
    const twice = Buffer.concat([gzipSync("one "), gzipSync(""), gzipSync("two")]);
    expect(Buffer.from(await decompress(twice, "gzip", 7)).toString()).to.equal("one two");
    await expectDamage(() => decompress(twice, "gzip", 6), /more than 6 bytes/);
  });

  it("reads an xz file of several streams with padding, as the format allows", async () => {
    const xz = readFileSync("test/vectors/package/control.tar.xz");
    const twice = Buffer.concat([xz, Buffer.alloc(4), xz, Buffer.alloc(8)]);
    expect(Buffer.from(await decompress(twice, "xz", roomy))).to.deep.equal(Buffer.concat([plain, plain]));
    await expectDamage(() => decompress(twice, "xz", 2 * plain.length - 1), /more than/);
  });

  it("gives nothing back where there is nothing and nothing may be there, and refuses a byte", async () => {
    const [xz, bzip2] = [
      ["xz", "/Td6WFoAAATm1rRGAAAAABzfRCEftvN9AQAAAAAEWVo="],
      ["bzip2", "QlpoORdyRThQkAAAAAA="],
    ] as const;
    const zstd = ["zstd", "KLUv/SAAAQAA"] as const;
    for (const [kind, text] of [["gzip", gzipSync("").toString("base64")], xz, bzip2, zstd] as const) {
      expect(await decompress(Buffer.from(text, "base64"), kind, 0), kind).to.have.length(0);
    }
    for (const [kind, bytes] of forms)
      expect((await refusalOf(() => decompress(bytes, kind, 0))).code).to.equal("bad_package");
    expect((await refusalOf(() => decompress(gzipSync("x"), "gzip", 0))).details).to.include({ reason: "limits" });
  });

  it("stops a bomb at the limit", async () => {
    const bombs: readonly [Compression, Buffer][] = [
      ["gzip", gzipSync(Buffer.alloc(8 * roomy))],
      ["xz", readFileSync("test/vectors/package/zeros.xz")],
      ["zstd", readFileSync("test/vectors/package/zeros.zst")],
      ["bzip2", readFileSync("test/vectors/package/zeros.bz2")],
    ];
    for (const [kind, bytes] of bombs) {
      expect(await decompress(bytes, kind, 8 * roomy)).to.have.length(8 * roomy);
      const error = await expectDamage(() => decompress(bytes, kind, roomy), /more than 1048576 bytes/);
      expect(error.details.reason).to.equal("limits");
    }
  });

  it("decompresses many xz files at once, and after failures", async () => {
    const xz = readFileSync("test/vectors/package/control.tar.xz");
    const bomb = readFileSync("test/vectors/package/zeros.xz");
    const work = Array.from({ length: 30 }, (_, index) => {
      if (index % 3 === 0) return decompress(xz, "xz", roomy);
      return decompress(index % 3 === 1 ? xz.subarray(0, 100) : bomb, "xz", roomy).catch(() => undefined);
    });
    const outcomes = await Promise.all(work);
    for (const [index, outcome] of outcomes.entries()) {
      if (index % 3 === 0) expect(Buffer.from(outcome ?? [])).to.deep.equal(plain);
      else expect(outcome).to.equal(undefined);
    }
  });
});
