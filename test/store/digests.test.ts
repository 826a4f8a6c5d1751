import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { Digesting, Digests, digestBatch } from "../../src/files/digests.ts";
import { digestFile } from "../../src/files/file-digest.ts";
import { shareOf } from "../../src/threads.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("store/digests", () => {
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
    const threads = new Digests();
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
    const threads = new Digests();
    await threads.close();
    const digest = await threads.begin(paths).join(() => undefined);
    expect(paths.every((path, place) => digest(place)?.sha256 === sha256(fs.readFileSync(path)))).to.equal(true);
  });

  it("digests several lists that were begun at once, whichever is wanted first", async () => {
    const threads = new Digests();
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
    const threads = new Digests();
    const digesting = threads.begin(files(400));
    await threads.close();
    const digest = await digesting.join(() => undefined);
    expect(digest(399)?.size).to.equal(399_000);
  });

  it("digests again what a thread took and never finished", async () => {
    const share = shareOf("digest", files(3), undefined, 1);
    // As a thread leaves it that dies between taking the first file and digesting it.
    Atomics.store(new Int32Array(share.next), 0, 1);
    const digest = await new Digesting(share, undefined).join(() => undefined);
    expect(digest(0)).to.deep.equal({ sha256: sha256(new Uint8Array()), size: 0 });
    expect(digest(2)?.size).to.equal(2000);
  });

  it("says where it is asked that a file can't be read, also when a thread found so", async () => {
    const [path = ""] = files(1);
    const threads = new Digests();
    try {
      // Longer than any system takes.
      const digest = await threads.begin([join(path, "x".repeat(5000)), path]).join(() => undefined);
      expect(() => digest(0))
        .to.throw(FeedkeyError, "can't be read")
        .with.property("code", "not_found");
      expect(digest(1)?.size).to.equal(0);
    } finally {
      await threads.close();
    }
  });

  it("takes only files: no folder, no link, no pipe, nothing that is not there", () => {
    const [path = ""] = files(1);
    fs.symlinkSync(path, join(folder(), "link"));
    for (const other of [folder(), join(folder(), "link"), join(folder(), "none"), join(path, "below")]) {
      expect(digestFile(other), other).to.equal(undefined);
    }
    const none = join(folder(), "none");
    expect(digestBatch([none])).to.deep.equal([{ path: none, found: undefined }]);
  });
});
