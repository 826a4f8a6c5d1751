/** Files below the root of another system. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { TargetRoot } from "../../src/files/target-root.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { inScratch, refusal } from "../testkit/scratch.ts";

describe("store/target-root", () => {
  const inRoot = (action: (root: TargetRoot, folder: string) => Promise<void>) => {
    return inScratch(async (scratch) => {
      await fs.mkdir(join(scratch, "root/etc"), { recursive: true });
      await action(await TargetRoot.open(join(scratch, "root")), join(scratch, "root"));
    });
  };

  it("tells what lies under a name, without following it", async () => {
    await inRoot(async (root, folder) => {
      await fs.writeFile(join(folder, "etc/file"), "text", { mode: 0o640 });
      await fs.symlink("file", join(folder, "etc/link"));
      await runProgram("mkfifo", [join(folder, "etc/pipe")]);
      const file = await root.look("etc/file");
      expect(file).to.deep.include({ kind: "file", bytes: Buffer.from("text"), mode: 0o640 });
      expect(await root.look("etc/link")).to.deep.equal({ kind: "link", target: "file" });
      expect(await root.look("etc")).to.deep.equal({ kind: "folder", names: ["file", "link", "pipe"] });
      expect(await root.look("etc/pipe")).to.deep.equal({ kind: "other" });
      for (const name of ["etc/none", "none/at/all"]) expect(await root.look(name)).to.deep.equal({ kind: "absent" });
    });
  });

  it("reads text through links that stay inside, and waits for nobody", async () => {
    await inRoot(async (root, folder) => {
      await fs.writeFile(join(folder, "etc/file"), "text");
      await fs.symlink("etc/file", join(folder, "inside"));
      await fs.symlink("/etc/hostname", join(folder, "outside"));
      await runProgram("mkfifo", [join(folder, "pipe")]);
      await fs.writeFile(join(folder, "huge"), "");
      await fs.truncate(join(folder, "huge"), 1e10);
      expect(await root.text("inside")).to.equal("text");
      expect(await root.exists("inside")).to.equal(true);
      for (const name of ["outside", "pipe", "huge", "etc", "none"])
        expect(await root.text(name), name).to.equal(undefined);
      expect(await root.exists("outside")).to.equal(false);
      expect(await root.look("huge")).to.deep.equal({ kind: "other" });
    });
  });

  it("takes plain names only", async () => {
    await inRoot(async (root) => {
      for (const name of ["", "/etc", "etc/", "etc//x", "../x", "etc/../x", "./etc", "etc/\0"]) {
        for (const action of [
          () => root.look(name),
          () => root.write(name, Buffer.from("x")),
          () => root.remove(name),
        ]) {
          expect((await refusal(action())).code, name).to.equal("bad_path");
        }
      }
    });
  });

  it("keeps mode and owner of what it rewrites", async () => {
    await inRoot(async (root, folder) => {
      await fs.writeFile(join(folder, "etc/file"), "a");
      const owner = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;
      if (owner !== undefined) await fs.chown(join(folder, "etc/file"), owner.uid, owner.gid);
      await fs.chmod(join(folder, "etc/file"), 0o4750);
      const found = await root.look("etc/file");
      if (found.kind !== "file") throw new Error("expected a file");
      await root.write("etc/file", Buffer.from("b"), found.mode, found.owner);
      expect(await root.look("etc/file")).to.deep.equal({ ...found, bytes: Buffer.from("b") });
    });
  });

  it("names the folders that are missing, makes them, and removes those that are empty", async () => {
    await inRoot(async (root, folder) => {
      expect(await root.missingFolders("etc/a/b/file")).to.deep.equal(["etc/a", "etc/a/b"]);
      await root.makeFolder("etc/a/b");
      await root.makeFolder("etc/a/b");
      expect((await fs.stat(join(folder, "etc/a/b"))).mode & 0o777).to.equal(0o755);
      expect(await root.removeIfEmpty("etc/a")).to.equal(false);
      expect(await root.removeIfEmpty("etc/a/b")).to.equal(true);
      expect(await root.removeIfEmpty("etc/a/b")).to.equal(true);
      await root.remove("etc/none");
    });
  });

  it("makes no folder in the place of a file", async () => {
    await inRoot(async (root, folder) => {
      await fs.writeFile(join(folder, "etc/file"), "");
      for (const name of ["etc/file", "etc/file/x"]) {
        expect((await refusal(root.makeFolder(name))).code, name).to.equal("output");
      }
    });
  });
});
