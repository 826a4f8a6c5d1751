import { readFileSync } from "node:fs";
import { expect } from "chai";
import { decompress } from "../../src/package/compression.ts";
import { xxh64 } from "../../src/package/xxh64.ts";
import { controlTar } from "./build-package.ts";
import { expectDamage } from "./refusal.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** Descriptor 0: no checksum, no content size, a window descriptor. */
const WINDOW_1K = 0x00;
const WINDOW_8M = 13 << 3;
const limit = 1024 * 1024;

const frame = (...rest: readonly number[]) => Buffer.from([...MAGIC, ...rest]);
/** Block header (RFC 8878 section 3.1.1.2): last, type 0 raw, 1 repeated, 2 compressed. */
const block = (last: boolean, type: number, size: number) => {
  const header = (last ? 1 : 0) | (type << 1) | (size << 3);
  return [header & 0xff, (header >>> 8) & 0xff, header >>> 16];
};
const text = async (bytes: Uint8Array, cap = limit) => Buffer.from(await decompress(bytes, "zstd", cap)).toString();

describe("zstd", () => {
  it("reads raw and repeated blocks", async () => {
    expect(await text(frame(0, WINDOW_1K, ...block(false, 0, 2), 97, 98, ...block(true, 1, 3), 99))).to.equal("abccc");
  });

  it("reads several frames, and passes over skippable ones", async () => {
    const one = frame(0, WINDOW_1K, ...block(true, 1, 3), 97);
    const skipped = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
    expect(await text(Buffer.concat([skipped, one, skipped, one]), 6)).to.equal("aaaaaa");
    await expectDamage(() => text(Buffer.concat([one, one]), 5), /more than the 5 bytes/);
  });

  it("reads an empty frame", async () => {
    expect(await text(frame(0, WINDOW_1K, ...block(true, 0, 0)))).to.equal("");
  });

  it("verifies the checksum", async () => {
    const good = readFileSync("test/vectors/package/control.tar.zst");
    expect(await text(good)).to.equal(controlTar().toString());
    const bad = Buffer.from(good);
    bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
    const error = await expectDamage(() => text(bad), /checksum/);
    expect(error.details.reason).to.equal("damaged");
  });

  it("verifies the content size where the frame tells it", async () => {
    // Descriptor 0x20: single segment, one byte of size.
    expect(await text(frame(0x20, 3, ...block(true, 1, 3), 97))).to.equal("aaa");
    await expectDamage(() => text(frame(0x20, 4, ...block(true, 1, 3), 97)), /holds 3 bytes where it says 4/);
  });

  it("refuses a claimed content over the limit before any memory is taken", async () => {
    // Eight bytes of size: 2 GiB less one, as a single segment, which would be the window too.
    await expectDamage(
      () => text(frame(0xe0, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, ...block(true, 0, 0))),
      /more than the 1048576/,
    );
    await expectDamage(() => text(frame(0xe0, ...Array(8).fill(0xff), ...block(true, 0, 0))), /more than the 1048576/);
  });

  it("refuses a window that is too large", async () => {
    expect(await text(frame(0, WINDOW_8M, ...block(true, 1, 1), 97))).to.equal("a");
    for (const descriptor of [WINDOW_8M + 1, 17 << 3, 0xff]) {
      const error = await expectDamage(() => text(frame(0, descriptor, ...block(true, 1, 1), 97)), /needs a window of/);
      expect(error.details.reason).to.equal("limits");
    }
  });

  it("refuses tiny blocks under a large window by the thousand", async () => {
    const blocks = Array.from({ length: 9000 }, () => [...block(false, 1, 1), 97]).flat();
    await expectDamage(() => text(frame(0, WINDOW_8M, ...blocks, ...block(true, 0, 0))), /too many blocks/);
    const frames = Array.from({ length: 9000 }, () => frame(0, WINDOW_8M, ...block(true, 1, 1), 97));
    await expectDamage(() => text(Buffer.concat(frames)), /too many blocks/);
  });

  it("refuses what no encoder writes", async () => {
    await expectDamage(() => text(frame(0x08, WINDOW_1K, ...block(true, 0, 0))), /reserved bit/);
    await expectDamage(() => text(frame(0x01, WINDOW_1K, 7, ...block(true, 0, 0))), /dictionary/);
    await expectDamage(() => text(frame(0, WINDOW_1K, ...block(true, 3, 0))), /reserved type/);
    await expectDamage(() => text(frame(0, WINDOW_1K, ...block(true, 1, 1025), 97)), /larger than its window/);
    await expectDamage(
      () => text(Buffer.concat([frame(0, WINDOW_1K, ...block(true, 0, 0)), Buffer.from("????")])),
      /no zstd frame/,
    );
    await expectDamage(() => text(frame(0, WINDOW_1K, ...block(true, 0, 2), 97)), /ends inside a frame/);
    await expectDamage(() => text(Buffer.from([0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1])), /skippable/);
  });
});

describe("xxh64", () => {
  // The first bytes of 1234567891011..., hashed by the zstd program: low four bytes, little-endian.
  const digits = Array.from({ length: 60 }, (_, index) => index + 1).join("");
  const sums: Readonly<Record<number, string>> = {
    0: "99e9d851",
    1: "d4640536",
    3: "85e8a73f",
    4: "a46b4fd8",
    7: "59932808",
    8: "4afd7ccf",
    31: "220c5156",
    32: "fd4eef3d",
    33: "f2737458",
    63: "1698ff1c",
    100: "1b91a5d9",
  };
  for (const [length, sum] of Object.entries(sums)) {
    it(`agrees with the zstd program on ${length} bytes`, () => {
      const low = Buffer.alloc(4);
      low.writeUInt32LE(Number(xxh64(Buffer.from(digits.slice(0, Number(length)))) & 0xffffffffn));
      expect(low.toString("hex")).to.equal(sum);
    });
  }

  it("has the specification's value for nothing", () => {
    expect(xxh64(Buffer.alloc(0))).to.equal(0xef46db3751d8e999n);
  });
});
