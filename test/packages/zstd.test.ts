import { readFileSync } from "node:fs";
import { expect } from "chai";
import { decompress } from "../../src/packages/compression/compression.ts";
import { zstdFrames } from "../../src/packages/compression/zstd-frames.ts";
import { nodeZstd, wasmZstd, type Zstd } from "../../src/packages/compression/zstd-library.ts";
import { controlTar } from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** Descriptor 0: no checksum, no content size, a window descriptor. */
const WINDOW_1K = 0x00;
const limit = 1024 * 1024;

const frame = (...rest: readonly number[]) => Buffer.from([...MAGIC, ...rest]);
/** Block header (RFC 8878 section 3.1.1.2): last, type 0 raw, 1 repeated, 2 compressed. */
const block = (last: boolean, type: number, size: number) => {
  const header = (last ? 1 : 0) | (type << 1) | (size << 3);
  return [header & 0xff, (header >>> 8) & 0xff, header >>> 16];
};
/** Whether it is one frame by its own account, of a size that a decoder is shown. */
const framed = (bytes: Uint8Array) => {
  try {
    return [...zstdFrames(bytes)].every(({ contentSize = 0 }) => contentSize <= limit);
  } catch {
    return false;
  }
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
    await expectDamage(() => text(Buffer.concat([one, one]), 5), /more than 2 bytes/);
  });

  it("reads an empty frame", async () => {
    expect(await text(frame(0, WINDOW_1K, ...block(true, 0, 0)))).to.equal("");
  });

  it("verifies the checksum", async () => {
    const good = readFileSync("test/vectors/package/control.tar.zst");
    expect(await text(good)).to.equal(controlTar().toString());
    const bad = Buffer.from(good);
    bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
    const error = await expectDamage(() => text(bad), /damaged/);
    expect(error.details.reason).to.equal("damaged");
  });

  it("verifies the content size where the frame tells it", async () => {
    // Descriptor 0x20: single segment, one byte of size.
    expect(await text(frame(0x20, 3, ...block(true, 1, 3), 97))).to.equal("aaa");
    await expectDamage(() => text(frame(0x20, 4, ...block(true, 1, 3), 97)), /damaged|has 3/);
  });

  it("refuses a claimed content over the limit before any memory is taken", async () => {
    // Eight bytes of size: 2 GiB less one, as a single segment, which would be the window too.
    await expectDamage(
      () => text(frame(0xe0, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, ...block(true, 0, 0))),
      /more than 1048576/,
    );
    await expectDamage(() => text(frame(0xe0, ...Array(8).fill(0xff), ...block(true, 0, 0))), /more than 1048576/);
  });

  it("takes no window's memory, up to the 128 MiB that the zstd program writes at most", async () => {
    expect(await text(frame(0, 17 << 3, ...block(true, 1, 1), 97))).to.equal("a");
  });

  it("stops at once where matches would write without end", async () => {
    // One block of 128 KiB whose 50,000 sequences each repeat 131,074 bytes: some decoders work on it for minutes.
    const sequences = 50_000;
    const bits = sequences * 18;
    const stream = new Uint8Array(Math.ceil((bits + 1) / 8)).fill(0xff);
    stream[stream.length - 1] = (1 << ((bits % 8) + 1)) - 1;
    const literals = [0x41, 0x41];
    const count = [255, (sequences - 0x7f00) & 0xff, (sequences - 0x7f00) >> 8];
    const body = [...literals, ...count, 0x54, 0, 2, 52, ...stream];
    await expectDamage(() => text(frame(0, 7 << 3, ...block(true, 2, body.length), ...body)), /damaged/);
  });

  describe("as Node has it from 22.15 on, and as WebAssembly", () => {
    const libraries: Zstd[] = [];
    const content = Buffer.from("feedkey ".repeat(3000));
    const good = readFileSync("test/vectors/package/control.tar.zst");

    before(async () => {
      libraries.push(await wasmZstd());
      const own = nodeZstd();
      if (own !== undefined) libraries.push(own);
    });

    /** What one makes of a frame: its content, or that it is refused. */
    const outcome = (zstd: Zstd, bytes: Uint8Array, room: number) => {
      try {
        return Buffer.from(zstd.decompress(bytes, room)).toString("hex");
      } catch {
        return "refused";
      }
    };

    it("each reads what each writes, and says its size in the frame", () => {
      for (const writer of libraries) {
        const written = writer.compress(content);
        expect([...zstdFrames(written)].map(({ contentSize }) => contentSize)).to.deep.equal([content.length]);
        expect(Buffer.compare(written, writer.compress(content)), "the same bytes each time").to.equal(0);
        for (const reader of libraries) {
          expect(Buffer.compare(reader.decompress(written, content.length), content)).to.equal(0);
        }
        expect(framed(written.subarray(0, -1)), "cut off").to.equal(false);
        expect(writer.decompress(writer.compress(Buffer.alloc(0)), 1)).to.have.length(0);
      }
    });

    it("both refuse the same, bit by bit, and give the same where they do not", () => {
      const whole = controlTar().toString("hex");
      let refused = 0;
      for (let bit = 0; bit < good.length * 8; bit++) {
        const bytes = Buffer.from(good);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        // What no decoder is shown: the frame's own bounds are wrong.
        if (!framed(bytes)) continue;
        const outcomes = new Set(libraries.map((zstd) => outcome(zstd, bytes, limit)));
        expect(outcomes.size, `bit ${bit}`).to.equal(1);
        if (outcomes.has("refused")) refused++;
        else expect([...outcomes], `bit ${bit}`).to.deep.equal([whole]);
      }
      expect(refused).to.be.greaterThan(100);
    });

    it("the one of WebAssembly takes no more than it can address", async () => {
      const wasm = await wasmZstd();
      expect(() => wasm.decompress(frame(0, WINDOW_1K, ...block(true, 0, 0)), 1 << 30)).to.throw(
        "more than 1073741824",
      );
    });

    it("both give no more than the room that they are given", () => {
      const endless = frame(0, WINDOW_1K, ...block(false, 1, 1000), 97, ...block(true, 1, 1000), 98);
      for (const zstd of libraries) {
        expect(outcome(zstd, endless, 1999)).to.equal("refused");
        expect(zstd.decompress(endless, 2000)).to.have.length(2000);
      }
    });
  });

  it("refuses what no encoder writes", async () => {
    await expectDamage(() => text(frame(0x08, WINDOW_1K, ...block(true, 0, 0))), /reserved bit/);
    await expectDamage(() => text(frame(0x01, WINDOW_1K, 7, ...block(true, 0, 0))), /dictionary/);
    await expectDamage(() => text(frame(0, WINDOW_1K, ...block(true, 3, 0))), /reserved type/);
    await expectDamage(() => text(frame(0, WINDOW_1K, ...block(true, 1, 1025), 97)), /larger than its window/);
    await expectDamage(
      () => text(Buffer.concat([frame(0, WINDOW_1K, ...block(true, 0, 0)), Buffer.from("????")])),
      /not a zstd frame/,
    );
    await expectDamage(() => text(frame(0, WINDOW_1K, ...block(true, 0, 2), 97)), /ends inside a frame/);
    await expectDamage(() => text(Buffer.from([0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1])), /skippable/);
  });
});
