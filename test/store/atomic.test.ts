import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import {
  commitStaged,
  discard,
  removeLeftovers,
  replaceLink,
  stageAll,
  stageFile,
  writeFileAtomic,
} from "../../src/files/atomic.ts";
import { removeForsaken, temporaryName } from "../../src/files/temporary-name.ts";
import { skip } from "../testkit/programs/present.ts";
import { asNobody, inScratch, refusal, run } from "../testkit/scratch.ts";

const writeChild = fileURLToPath(new URL("./write-child.js", import.meta.url));

describe("store/atomic", () => {
  it("stages a file beside its target and leaves the target alone until the commit", () =>
    inScratch(async (folder) => {
      const path = join(folder, "index");
      await fs.writeFile(path, "old");
      const staged = await stageFile(path, "new", { mode: 0o640 });
      expect(dirname(staged.temporary)).to.equal(folder);
      expect(basename(staged.temporary)).to.match(/^\.feedkey-[0-9a-f]{8}-\d+-[0-9a-f]{24}\.tmp$/);
      expect(await fs.readFile(path, "utf8")).to.equal("old");
      await commitStaged([staged]);
      expect(await fs.readFile(path, "utf8")).to.equal("new");
      expect((await fs.stat(path)).mode & 0o777).to.equal(0o640);
      expect(await fs.readdir(folder)).to.deep.equal(["index"]);
    }));

  it("sets the mode asked for whatever the umask, and keeps to the umask where none is asked for", () =>
    inScratch(async (folder) => {
      const before = process.umask(0o077);
      try {
        await writeFileAtomic(join(folder, "exact"), "x", { mode: 0o644 });
        await writeFileAtomic(join(folder, "plain"), "x");
      } finally {
        process.umask(before);
      }
      expect((await fs.stat(join(folder, "exact"))).mode & 0o777).to.equal(0o644);
      expect((await fs.stat(join(folder, "plain"))).mode & 0o777).to.equal(0o600);
    }));

  it("writes bytes and text alike", () =>
    inScratch(async (folder) => {
      await writeFileAtomic(join(folder, "bytes"), Uint8Array.of(0, 255, 10));
      await writeFileAtomic(join(folder, "text"), "ä\n");
      expect([...(await fs.readFile(join(folder, "bytes")))]).to.deep.equal([0, 255, 10]);
      expect(await fs.readFile(join(folder, "text"), "utf8")).to.equal("ä\n");
    }));

  it("replaces a symbolic link at the target instead of following it", () =>
    inScratch(async (folder) => {
      await fs.writeFile(join(folder, "victim"), "precious");
      await fs.symlink("victim", join(folder, "target"));
      await writeFileAtomic(join(folder, "target"), "new");
      expect(await fs.readFile(join(folder, "victim"), "utf8")).to.equal("precious");
      expect((await fs.lstat(join(folder, "target"))).isFile()).to.equal(true);
    }));

  it("renames in the order given; a failure in the middle leaves the earlier ones and no temporary files", () =>
    inScratch(async (folder) => {
      await fs.mkdir(join(folder, "b", "in-the-way"), { recursive: true });
      const names = ["a", "b", "c"];
      const staged = await stageAll(names.map((name) => ({ path: join(folder, name), data: name, mode: 0o644 })));
      const error = await refusal(commitStaged(staged));
      expect(error.code).to.equal("output");
      expect(error.message).to.equal(`cannot write "${join(folder, "b")}": a folder is in the way`);
      expect((await fs.readdir(folder)).sort()).to.deep.equal(["a", "b"]);
    }));

  it("commits nothing when the lock is lost", () =>
    inScratch(async (folder) => {
      const path = join(folder, "index");
      const lost = { assertHeld: () => Promise.reject(new Error("lost")) };
      const failure = await writeFileAtomic(path, "new", {}, lost).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(Error).with.property("message", "lost");
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("leaves none of several staged files when one cannot be staged", () =>
    inScratch(async (folder) => {
      const files = [join(folder, "a"), join(folder, "missing", "b")].map((path) => ({ path, data: "x", mode: 0o644 }));
      const error = await refusal(stageAll(files));
      expect(error.message).to.equal(`cannot write "${join(folder, "missing", "b")}": no such file or folder`);
      expect(error.details).to.deep.equal({ path: join(folder, "missing", "b"), cause: "ENOENT" });
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("discards what will not be committed, also twice", () =>
    inScratch(async (folder) => {
      const staged = await stageFile(join(folder, "a"), "x");
      await discard([staged]);
      await discard([staged]);
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("points a link elsewhere in one step, and makes it where there is none", () =>
    inScratch(async (folder) => {
      await replaceLink(join(folder, "link"), "one");
      await replaceLink(join(folder, "link"), "two");
      expect(await fs.readlink(join(folder, "link"))).to.equal("two");
      expect(await fs.readdir(folder)).to.deep.equal(["link"]);
    }));

  it("removes leftovers of dead runs and nothing else", () =>
    inScratch(async (folder) => {
      for (const name of [".feedkey-0123.tmp", ".feedkey-notes", "feedkey-1.tmp", "index"]) {
        await fs.writeFile(join(folder, name), "x");
      }
      await fs.symlink("nowhere", join(folder, ".feedkey-link.tmp"));
      await removeLeftovers(folder);
      await removeLeftovers(join(folder, "missing"));
      expect((await fs.readdir(folder)).sort()).to.deep.equal([".feedkey-notes", "feedkey-1.tmp", "index"]);
    }));

  it("keeps the old file and leaves nothing behind when a limit on file sizes is hit in the middle", () =>
    inScratch(async (folder) => {
      const path = join(folder, "index");
      await fs.writeFile(path, "old");
      const ended = await run("sh", [
        "-c",
        'ulimit -f 8 && exec "$0" "$@"',
        process.execPath,
        writeChild,
        path,
        "100000",
      ]);
      expect(ended.stdout).to.equal(
        `output: cannot write "${path}": the file would be larger than the limit on file sizes\n`,
      );
      expect(await fs.readFile(path, "utf8")).to.equal("old");
      expect(await fs.readdir(folder)).to.deep.equal(["index"]);
    }));

  it("keeps the old file and leaves nothing behind when the disk is full", async function () {
    const ended = await onFileSystem("size=64k", 'printf old > "$folder/index"', "1000000");
    if (ended === undefined) return skip(this, "no user namespaces here");
    expect(ended.problem).to.equal("no space is left on the device");
    expect(ended.rest).to.equal("index\nold");
  });

  it("says that the file system is read-only", async function () {
    const ended = await onFileSystem(
      "size=64k",
      'printf old > "$folder/index"; mount -o remount,bind,ro "$folder"',
      "3",
    );
    if (ended === undefined) return skip(this, "no user namespaces here");
    expect(ended.problem).to.equal("the file system is read-only");
    expect(ended.rest).to.equal("index\nold");
  });

  it("says that the permission is missing", () =>
    inScratch(async (folder) => {
      await fs.chmod(folder, 0o555);
      const error = await asNobody(() => refusal(writeFileAtomic(join(folder, "index"), "x")));
      expect(error.message).to.equal(`cannot write "${join(folder, "index")}": permission denied`);
    }));

  it("removes what killed runs left in a folder without a lock, and nothing that a living one may still want", () =>
    inScratch(async (folder) => {
      const old = new Date(Date.now() - 2 * 3_600_000);
      const own = temporaryName();
      const dead = own.replace(`-${process.pid}-`, `-${await endedProcess()}-`);
      const elsewhere = (digit: string) => own.replace(/-[0-9a-f]{8}-/, `-${digit.repeat(8)}-`);
      // However old a file is, its run may be suspended; however young, a run that has ended wants it no more.
      const gone = [dead, elsewhere("a")];
      const kept = [own, elsewhere("b"), ".feedkey-mine.tmp", `${dead}x`, `x${dead}`, "hello.ipk"];
      for (const one of [...gone, ...kept]) await fs.writeFile(join(folder, one), "x");
      for (const one of [elsewhere("a"), own, ...kept.slice(2)]) await fs.utimes(join(folder, one), old, old);
      const [link, inner] = [dead.replace(/.{5}(?=\.tmp)/, "00000"), dead.replace(/.{5}(?=\.tmp)/, "11111")];
      await fs.symlink("hello.ipk", join(folder, link));
      await fs.mkdir(join(folder, inner));
      await removeForsaken(folder);
      expect(await fs.readdir(folder)).to.have.members([...kept, link, inner]);
      await removeForsaken(join(folder, "nowhere"));
    }));

  it("removes nothing of another user's, though it could", () =>
    inScratch(async (folder) => {
      await fs.chmod(folder, 0o777);
      const name = temporaryName().replace(`-${process.pid}-`, `-${await endedProcess()}-`);
      await fs.writeFile(join(folder, name), "x");
      await asNobody(() => removeForsaken(folder));
      // Who is not root to begin with is the same user here.
      expect(await fs.readdir(folder)).to.have.length(process.geteuid?.() === 0 ? 1 : 0);
    }));
});

/** The number of a process that no longer exists. */
async function endedProcess(): Promise<number> {
  return Number((await run("sh", ["-c", "echo $$"])).stdout);
}

/** Writes a file on a small file system of its own, in a namespace of its own so that root is not needed. */
async function onFileSystem(
  options: string,
  prepare: string,
  bytes: string,
): Promise<{ problem: string; rest: string } | undefined> {
  const possible = await run("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).catch(() => undefined);
  if (possible?.status !== 0) return undefined;
  let result = { problem: "", rest: "" };
  await inScratch(async (folder) => {
    const script = `folder=$1; mount -t tmpfs -o ${options} none "$folder"; ${prepare}
      "$2" "$3" "$folder/index" ${bytes}; ls -A "$folder"; cat "$folder/index"`;
    const ended = await run("unshare", ["-rm", "sh", "-c", script, "sh", folder, process.execPath, writeChild]);
    const [first = "", ...rest] = ended.stdout.split("\n");
    result = { problem: first.replace(`output: cannot write "${join(folder, "index")}": `, ""), rest: rest.join("\n") };
  });
  return result;
}
