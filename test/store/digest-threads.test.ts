import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { DigestThreads } from "../../src/store/digest-threads.ts";
import { digestFile } from "../../src/store/file-digest.ts";
import { digestShared, sharedDigest, shareFiles } from "../../src/store/shared-digests.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("store/digest-threads", () => {
  let work = "";
  const folder = () => work;

  beforeEach(() => {
    work = fs.mkdtempSync(join(tmpdir(), "feedkey-test-"));
  });

  afterEach(() => fs.rmSync(work, { recursive: true, force: true }));

  function files(count: number): string[] {
    return Array.from({ length: count }, (_, place) => {
      const path = join(folder(), `file${place}`);
      fs.writeFileSync(path, Buffer.alloc(place * 1000, place));
      return path;
    });
  }

  it("digests files as they are, by both threads", async () => {
    const paths = files(400);
    const threads = new DigestThreads();
    let begun = 0;
    try {
      for (const list of [paths, paths.toReversed(), []]) {
        const digest = await threads.begin(list).join((count) => {
          begun = count;
        });
        for (const [place, path] of list.entries()) {
          const bytes = fs.readFileSync(path);
          expect(digest(place)).to.deep.equal({ sha256: sha256(bytes), size: bytes.length });
        }
      }
    } finally {
      await threads.close();
    }
    expect(begun).to.be.within(1, 400);
  });

  it("digests everything here when the second thread is gone", async () => {
    const paths = files(20);
    const threads = new DigestThreads();
    await threads.close();
    const digest = await threads.begin(paths).join(() => undefined);
    expect(paths.every((path, place) => digest(place)?.sha256 === sha256(fs.readFileSync(path)))).to.equal(true);
  });

  it("digests several lists that were begun at once, whichever is wanted first", async () => {
    const threads = new DigestThreads();
    try {
      const lists = [files(150), files(70), []];
      const begun = lists.map((list) => threads.begin(list));
      for (const [number, list] of [...lists.entries()].reverse()) {
        const digest = await begun[number]?.join(() => undefined);
        for (const [place, path] of list.entries()) {
          expect(digest?.(place)?.sha256).to.equal(sha256(fs.readFileSync(path)));
        }
      }
    } finally {
      await threads.close();
    }
  });

  it("ends while files are being digested", async () => {
    const threads = new DigestThreads();
    const digesting = threads.begin(files(400));
    await threads.close();
    const digest = await digesting.join(() => undefined);
    expect(digest(399)?.size).to.equal(399_000);
  });

  it("digests again what a thread took and never finished", () => {
    const shared = shareFiles(files(3));
    // As a thread leaves it that dies between taking the first file and digesting it.
    Atomics.store(new Int32Array(shared.states), 0, 1);
    Atomics.store(new Int32Array(shared.states), 1, 1);
    digestShared(shared, () => undefined);
    expect(sharedDigest(shared, 0)).to.deep.equal({ sha256: sha256(new Uint8Array()), size: 0 });
    expect(sharedDigest(shared, 2)?.size).to.equal(2000);
  });

  it("takes only files: no folder, no link, no pipe, nothing that is not there", () => {
    const [path = ""] = files(1);
    fs.symlinkSync(path, join(folder(), "link"));
    for (const other of [folder(), join(folder(), "link"), join(folder(), "none"), join(path, "below")]) {
      expect(digestFile(other), other).to.equal(undefined);
    }
    const shared = shareFiles([join(folder(), "none")]);
    digestShared(shared, () => undefined);
    expect(sharedDigest(shared, 0)).to.equal(undefined);
  });
});
