import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { withPrivateFolder } from "../../src/rehearse/private-folder.ts";

describe("rehearse/private-folder", () => {
  let parent: string;
  let runtime: string | undefined;

  beforeEach(async () => {
    parent = await fs.mkdtemp(join(tmpdir(), "fk-private-"));
    runtime = process.env.XDG_RUNTIME_DIR;
    process.env.XDG_RUNTIME_DIR = parent;
  });

  afterEach(async () => {
    if (runtime === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = runtime;
    await fs.rm(parent, { recursive: true });
  });

  it("is private, and gone afterwards", async () => {
    const seen = await withPrivateFolder(async (folder) => {
      await fs.writeFile(join(folder, "secret"), "");
      return (await fs.stat(folder)).mode & 0o777;
    });
    expect(seen).to.equal(0o700);
    expect(await fs.readdir(parent)).to.deep.equal([]);
  });

  it("removes what a killed run left, and nothing that is somebody's", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", "0"]);
    const left = join(parent, `feedkey-rehearsal-${pid}-abcdef`);
    const others = [`feedkey-rehearsal-${process.pid}-abcdef`, "feedkey-rehearsal-mine", `mine-${pid}-abcdef`];
    for (const name of others) await fs.mkdir(join(parent, name));
    await fs.mkdir(join(left, "home/private"), { recursive: true });
    await fs.writeFile(join(left, "home/private/key.asc"), "secret");
    // A link of that name is no folder of ours.
    await fs.symlink(parent, join(parent, `feedkey-rehearsal-${pid}-ghijkl`));
    await withPrivateFolder(async () => undefined);
    const rest = await fs.readdir(parent);
    expect(rest.sort()).to.deep.equal([...others, `feedkey-rehearsal-${pid}-ghijkl`].sort());
  });
});
