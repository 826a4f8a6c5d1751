import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { sameIdentity } from "../../src/publish/scan/file-identity.ts";
import { findPackages } from "../../src/publish/scan/scan-walk.ts";
import { refusalOf } from "../testkit/refusal.ts";
import { asNobody } from "../testkit/scratch.ts";
import { ScanFolder } from "./scan-folder.ts";

describe("finding packages", () => {
  let folder: ScanFolder;
  beforeEach(() => {
    folder = new ScanFolder();
  });
  afterEach(() => folder.remove());

  const walk = async () => {
    const { found, bad } = findPackages(folder.path);
    return {
      found: [...found.paths],
      bad: bad.map(({ path, error }) => `${path}: ${error.code}: ${error.message}`).sort(),
    };
  };

  it("finds .ipk, .opk and .deb at any depth, and nothing else", async () => {
    for (const name of [
      "a.ipk",
      "b.opk",
      "pool/c/c.deb",
      "pool/notes.txt",
      "a.ipk.asc",
      "ipk",
      "x.IPK",
      "pool/x.rpm",
    ]) {
      folder.write(name, "x");
    }
    expect(await walk()).to.deep.equal({ found: ["a.ipk", "b.opk", "pool/c/c.deb"], bad: [] });
  });

  it("passes over hidden folders and hidden files", async () => {
    folder.write(".cache/a.ipk", "x");
    folder.write("pool/.incoming/b.ipk", "x");
    folder.write("pool/.c.ipk", "x");
    expect(await walk()).to.deep.equal({ found: [], bad: [] });
  });

  it("goes into a folder that is named like a package", async () => {
    folder.write("odd.ipk/a.ipk", "x");
    expect(await walk()).to.deep.equal({ found: ["odd.ipk/a.ipk"], bad: [] });
  });

  it("tells size, times and inode of what it found", async () => {
    const file = folder.write("a.ipk", "12345");
    const { size, mtimeMs, ctimeMs, ino } = fs.statSync(file);
    const { found } = findPackages(folder.path);
    expect(found.count).to.equal(1);
    const identity = { size, modified: mtimeMs, changed: ctimeMs, inode: ino };
    expect(found.at(0)).to.deep.equal({ path: "a.ipk", file, identity });
    expect([...found.identities]).to.deep.equal([5, mtimeMs, ctimeMs, ino]);
  });

  it("takes a file for another as soon as one of them differs", async () => {
    const identity = { size: 1, modified: 2, changed: 3, inode: 4 };
    expect(sameIdentity(identity, { ...identity })).to.equal(true);
    for (const part of ["size", "modified", "changed", "inode"]) {
      expect(sameIdentity(identity, { ...identity, [part]: 9 }), part).to.equal(false);
    }
  });

  it("follows a link to a file inside the folder, under the link's name", async () => {
    const file = folder.write("pool/a_1.0.ipk", "x");
    folder.link("feed/a.ipk", "../pool/a_1.0.ipk");
    const { found, bad } = findPackages(folder.path);
    expect(bad).to.deep.equal([]);
    expect(found.at(found.paths.indexOf("feed/a.ipk")).file).to.equal(file);
  });

  it("works where the folder itself is reached over a link", async () => {
    folder.write("real/a.ipk", "x");
    folder.link("real/b.ipk", "a.ipk");
    folder.link("alias", "real");
    const { found, bad } = findPackages(join(folder.path, "alias"));
    expect(found.paths).to.deep.equal(["a.ipk", "b.ipk"]);
    expect(bad).to.deep.equal([]);
  });

  it("reports links that lead outside: to files, to folders, to a folder whose name only begins alike", async () => {
    const outside = new ScanFolder();
    try {
      outside.write("a.ipk", "x");
      fs.mkdirSync(`${folder.path}-more`);
      fs.writeFileSync(`${folder.path}-more/b.ipk`, "x");
      folder.link("a.ipk", join(outside.path, "a.ipk"));
      folder.link("b.ipk", `${folder.path}-more/b.ipk`);
      folder.link("pool", outside.path);
      const problem = "is a symbolic link that leads out of the folder";
      expect(await walk()).to.deep.equal({
        found: [],
        bad: [
          `a.ipk: bad_path: "a.ipk" ${problem}`,
          `b.ipk: bad_path: "b.ipk" ${problem}`,
          `pool: bad_path: "pool" ${problem}`,
        ],
      });
    } finally {
      outside.remove();
      fs.rmSync(`${folder.path}-more`, { recursive: true });
    }
  });

  it("passes over links to folders inside, so that no package counts twice and no loop is entered", async () => {
    folder.write("1.0/a.ipk", "x");
    folder.link("latest", "1.0");
    folder.link("1.0/self", ".");
    expect(await walk()).to.deep.equal({ found: ["1.0/a.ipk"], bad: [] });
  });

  it("passes over links to other files, and broken links that are no packages", async () => {
    folder.write("README", "x");
    folder.link("LIESMICH", "README");
    folder.link("hosts", "/etc/hosts");
    folder.link("gone", "nowhere");
    expect(await walk()).to.deep.equal({ found: [], bad: [] });
  });

  it("reports packages that are broken links or links in a circle", async () => {
    folder.link("gone.ipk", "nowhere");
    folder.link("loop.ipk", "loop.ipk");
    expect((await walk()).bad).to.deep.equal([
      'gone.ipk: not_found: "gone.ipk" cannot be read: ENOENT',
      'loop.ipk: not_found: "loop.ipk" cannot be read: ELOOP',
    ]);
  });

  it("reports packages that are no regular files", async () => {
    execFileSync("mkfifo", [join(folder.path, "pipe.ipk")]);
    expect(await walk()).to.deep.equal({ found: [], bad: ['pipe.ipk: bad_package: "pipe.ipk" is not a regular file'] });
  });

  it("reports names that no index can carry, and goes into no folder of such a name", async () => {
    folder.write("line\nbreak.ipk", "x");
    folder.write("bell\x07.ipk", "x");
    folder.write("left\u202eright.ipk", "x");
    folder.write("back\\slash.ipk", "x");
    folder.write("pool\x1b[2J/a.ipk", "x");
    folder.write("notes\n.txt", "x");
    folder.write("na\u00efve f\u00fcr.ipk", "x");
    const { found, bad } = await walk();
    expect(found).to.deep.equal(["na\u00efve f\u00fcr.ipk"]);
    const hidden = "a control or invisible character";
    expect(bad).to.deep.equal([
      'back\\slash.ipk: bad_path: "back\\slash.ipk" has a name with a backslash',
      `bell\x07.ipk: bad_path: "bell\\x07.ipk" has a name with ${hidden}`,
      `left\u202eright.ipk: bad_path: "left\\u{202e}right.ipk" has a name with ${hidden}`,
      `line\nbreak.ipk: bad_path: "line\\x0abreak.ipk" has a name with ${hidden}`,
      `pool\x1b[2J: bad_path: "pool\\x1b[2J" has a name with ${hidden}`,
    ]);
  });

  it("reports names that are not UTF-8", async () => {
    fs.writeFileSync(Buffer.from(`${folder.path}/caf\xe9.ipk`, "latin1"), "x");
    fs.mkdirSync(Buffer.from(`${folder.path}/\xff`, "latin1"));
    expect(await walk()).to.deep.equal({
      found: [],
      bad: [
        '\\xff: bad_path: "\\xff" has a name with bytes that are not UTF-8',
        'caf\\xe9.ipk: bad_path: "caf\\xe9.ipk" has a name with bytes that are not UTF-8',
      ],
    });
  });

  it("reports a folder that cannot be read", async () => {
    folder.write("closed/a.ipk", "x");
    fs.chmodSync(folder.path, 0o755);
    fs.chmodSync(join(folder.path, "closed"), 0);
    const { bad } = await asNobody(async () => walk());
    expect(bad).to.deep.equal(['closed: not_found: "closed" cannot be read: EACCES']);
    fs.chmodSync(join(folder.path, "closed"), 0o700);
  });

  it("says not_found for a folder that is missing or is a file", async () => {
    const file = folder.write("a.ipk", "x");
    for (const path of [join(folder.path, "none"), file]) {
      const error = await refusalOf(() => findPackages(path));
      expect(error.code).to.equal("not_found");
      expect(error.details.path).to.equal(path);
    }
  });
});
