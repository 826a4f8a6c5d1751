/** bzip2, as the real program writes it, and as somebody else might. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { decompress } from "../../src/packages/compression/compression.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";

const roomy = 16 << 20;
const noise = (length: number) => createHash("shake256", { outputLength: length }).update("noise").digest();

function bzip2(context: Mocha.Context, input: Uint8Array, ...args: readonly string[]): Buffer | undefined {
  const { status, stdout, error } = spawnSync("bzip2", ["-c", ...args], { input, maxBuffer: 1 << 30 });
  const made = error === undefined && status === 0 ? stdout : undefined;
  return presentOrSkip(context, made, "bzip2 is not installed") ? made : undefined;
}

describe("bzip2", () => {
  const contents: readonly [string, Buffer][] = [
    ["nothing", Buffer.alloc(0)],
    ["one byte", Buffer.from("a")],
    [
      "runs of every length around those that are packed",
      Buffer.from(Array.from({ length: 270 }, (_, length) => `${"x".repeat(length)}y`).join("")),
    ],
    ["every byte", Buffer.from(Array.from({ length: 4096 }, (_, index) => index & 0xff))],
    ["what can't be packed, several blocks of it", noise(250_000)],
  ];
  for (const [what, content] of contents) {
    it(`is read as the program writes it: ${what}`, async function () {
      for (const level of ["-1", "-9"]) {
        const bytes = bzip2(this, content, level);
        if (bytes === undefined) return;
        expect(Buffer.from(await decompress(bytes, "bzip2", content.length)).equals(content), level).to.equal(true);
        if (content.length === 0) continue;
        const error = await expectDamage(() => decompress(bytes, "bzip2", content.length - 1), /more than \d+ bytes/);
        expect(error.details.reason).to.equal("limits");
      }
    });
  }

  it("is read stream after stream, as cat and pbzip2 make them, and not one byte more", async function () {
    const [one, none, two] = [
      bzip2(this, Buffer.from("one ")),
      bzip2(this, Buffer.alloc(0)),
      bzip2(this, Buffer.from("two")),
    ];
    if (one === undefined || none === undefined || two === undefined) return;
    const all = Buffer.concat([one, none, two, none]);
    expect(Buffer.from(await decompress(all, "bzip2", 7)).toString()).to.equal("one two");
    await expectDamage(() => decompress(all, "bzip2", 6), /more than 6 bytes/);
    const error = await expectDamage(
      () => decompress(Buffer.concat([all, Buffer.alloc(1)]), "bzip2", 7),
      /unexpected bytes/,
    );
    expect(error.details.reason).to.equal("trailing");
    await expectDamage(() => decompress(all.subarray(0, -1), "bzip2", 7), /ends early/);
  });

  it("is refused where it ends between two blocks, or lacks its end", async function () {
    const bytes = bzip2(this, noise(250_000), "-1");
    if (bytes === undefined) return;
    // The magic of a block, which need not begin with a byte: the first one does.
    const first = bytes.indexOf(Buffer.from("314159265359", "hex"));
    expect(first).to.equal(4);
    for (const length of [4, 10, 100_000, bytes.length - 10, bytes.length - 4, bytes.length - 1]) {
      await expectDamage(() => decompress(bytes.subarray(0, length), "bzip2", roomy), /ends early/);
    }
  });

  it("is refused with any bit of its checksums changed", async () => {
    const good = readFileSync("test/vectors/package/control.tar.bz2");
    const changed = (byte: number, bit: number) => {
      const bytes = Buffer.from(good);
      bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit);
      return bytes;
    };
    for (let bit = 0; bit < 32; bit += 1) {
      // Behind the block's magic; and the stream's, of which the last bits may be padding.
      await expectDamage(() => decompress(changed(10 + (bit >> 3), bit & 7), "bzip2", roomy), /damaged/);
      await expectDamage(() => decompress(changed(good.length - 5 + (bit >> 3), bit & 7), "bzip2", roomy), /damaged/);
    }
  });

  it("takes no more memory for a bomb than is let out of it", async () => {
    // 48 bytes that hold 8 MiB, a hundred times.
    const bomb = Buffer.concat(Array<Buffer>(100).fill(readFileSync("test/vectors/package/zeros.bz2")));
    const before = process.memoryUsage().arrayBuffers;
    await expectDamage(() => decompress(bomb, "bzip2", 1 << 20), /more than 1048576 bytes/);
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(64 << 20);
  });
});
