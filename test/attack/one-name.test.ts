// Attack: exit status 0, and a file that is not what it is said to be, or that nobody looked at.
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hour, inArchive, inUse, packageOf, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";

const at = published + 2 * hour;

async function ended(archive: TestArchive, ...args: string[]): Promise<[number | null, string | undefined]> {
  const { status, stdout, ...rest } = await runHere(archive.clientArgs(at, ...args));
  return [status, documentOf({ status, stdout, ...rest }).error?.code];
}

/** Publishes a package in feed `test` whose file has the name of one of feed `base`. */
async function withRival(action: (archive: TestArchive) => Promise<void>): Promise<void> {
  await inArchive(
    async (archive) => {
      await fs.writeFile(archive.file("alpha_1.0-1_all.ipk", "test"), packageOf("evil", "9.0"));
      await archive.publish(published + hour);
      await archive.accept(at, "update");
      await action(archive);
    },
    { feeds: ["base", "test"] },
  );
}

function stanza(name: string, filename: string, bytes: Buffer): string {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return `Package: ${name}\nVersion: 1\nArchitecture: all\nFilename: ${filename}\nSize: ${bytes.length}\nSHA256: ${sha256}\n\n`;
}

describe("attack: two packages, one file name", () => {
  it("fetch lets no feed put its package under the name of another's", async () => {
    await withRival(async (archive) => {
      expect(await ended(archive, "fetch", "alpha=1.0-1", "evil", "-o", archive.out)).to.deep.equal([1, "bad_path"]);
      const [got, base] = [join(archive.out, "alpha_1.0-1_all.ipk"), archive.file("alpha_1.0-1_all.ipk", "base")];
      expect((await fs.readFile(got)).equals(await fs.readFile(base))).to.equal(true);
    });
  });

  it("verify --complete misses the other one", async () => {
    await inArchive(async (archive) => {
      const [one, other] = [packageOf("one"), packageOf("other")];
      await archive.signText(stanza("one", "a/x.ipk", one) + stanza("other", "b/x.ipk", other), published + hour);
      const folder = join(archive.folder, "packages");
      await fs.mkdir(join(folder, "a"), { recursive: true });
      await fs.writeFile(join(folder, "a", "x.ipk"), one);
      const verify = ["verify", "--no-state", archive.file("Packages"), "--packages", folder, "--complete"];
      expect(await ended(archive, ...verify)).to.deep.equal([1, "size_mismatch"]);
      await fs.mkdir(join(folder, "b"));
      await fs.writeFile(join(folder, "b", "x.ipk"), other);
      expect(await ended(archive, ...verify)).to.deep.equal([0, undefined]);
    });
  });
});

describe("attack: two packages, one file name, exchanged", () => {
  it("verify --packages takes neither for the other", async () => {
    await inArchive(async (archive) => {
      const [one, other] = [packageOf("one"), packageOf("other")];
      await archive.signText(stanza("one", "a/x.ipk", one) + stanza("other", "b/x.ipk", other), published + hour);
      const folder = join(archive.folder, "packages");
      const verify = ["verify", "--no-state", archive.file("Packages"), "--packages", folder];
      for (const name of ["a", "b", "flat"]) await fs.mkdir(join(folder, name), { recursive: true });
      await fs.writeFile(join(folder, "a", "x.ipk"), one);
      await fs.writeFile(join(folder, "b", "x.ipk"), other);
      await fs.writeFile(join(folder, "flat", "x.ipk"), other);
      expect(await ended(archive, ...verify)).to.deep.equal([0, undefined]);
      await fs.writeFile(join(folder, "a", "x.ipk"), other);
      await fs.writeFile(join(folder, "b", "x.ipk"), one);
      expect((await ended(archive, ...verify))[0]).to.equal(1);
      const named = ["verify", "--no-state", archive.file("Packages"), join(folder, "a", "x.ipk")];
      expect(await ended(archive, ...named)).to.deep.equal([0, undefined]);
    });
  });
});

describe("attack: what nobody looked at", () => {
  it("verify takes no file for an entry that fetch would refuse", async () => {
    await inArchive(async (archive) => {
      const one = packageOf("one");
      const file = join(archive.folder, "x.ipk");
      await fs.writeFile(file, one);
      for (const path of ["../x.ipk", "/x.ipk", "a/%2e%2e/x.ipk"]) {
        await archive.signText(stanza("one", path, one), published + hour);
        const verify = ["verify", "--no-state", archive.file("Packages"), file];
        expect(await ended(archive, ...verify)).to.deep.equal([1, "bad_path"]);
      }
    });
  });

  it("verify --packages does not pass over a folder behind a link", async () => {
    await inArchive(async (archive) => {
      const [folder, away] = [join(archive.folder, "packages"), join(archive.folder, "away")];
      for (const made of [folder, away]) await fs.mkdir(made);
      await fs.writeFile(join(away, "evil_1_all.ipk"), packageOf("evil"));
      await fs.symlink(away, join(folder, "pool"));
      const verify = ["verify", "--no-state", archive.file("Packages"), "--packages", folder];
      expect((await ended(archive, ...verify))[0]).to.not.equal(0);
    });
  });

  it("fetch --all, or from a feed by name, says which feed was never updated", async () => {
    await inUse(
      async (archive) => {
        await fs.rm(join(archive.state, "example"), { recursive: true });
        await archive.accept(at, "update", "base", "--reset-state");
        expect(await ended(archive, "fetch", "--all", "-o", archive.out)).to.deep.equal([66, "not_found"]);
        const named = ["--feed", "base", "--feed", "test"];
        expect(await ended(archive, "fetch", "alpha", ...named, "-o", archive.out)).to.deep.equal([66, "not_found"]);
        expect(await ended(archive, "fetch", "alpha", "-o", archive.out)).to.deep.equal([0, undefined]);
      },
      { feeds: ["base", "test"] },
    );
  });
});
