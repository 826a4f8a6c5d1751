import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { createTransport } from "../../src/net/transport.ts";
import { reasonOf, refusal } from "../testkit/servers/failures.ts";

describe("transport: local files", () => {
  const transport = createTransport({ offline: true, env: {} });
  let folder = "";
  let root = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "feedkey-net-"));
    root = join(folder, "archive");
    await mkdir(join(root, "feed"), { recursive: true });
    await writeFile(join(root, "feed/Packages"), "Package: a\n");
    await writeFile(join(folder, "secret"), "secret\n");
    await writeFile(join(root, "big"), Buffer.alloc(2_500_000, 7));
    await symlink("feed/Packages", join(root, "link"));
    await symlink("../secret", join(root, "out"));
    await symlink("..", join(root, "up"));
    await symlink("loop", join(root, "loop"));
    execFileSync("mkfifo", [join(root, "fifo")]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const get = (path: string, maxBytes = 10_000_000) =>
    transport.get(pathToFileURL(join(root, path)), { maxBytes, policy: "archive", root });

  it("reads a file, also through a link inside the root", async () => {
    for (const path of ["feed/Packages", "link"]) {
      const answer = await get(path);
      expect(answer.status).to.equal(200);
      expect(Buffer.from(answer.body).toString()).to.equal("Package: a\n");
    }
  });

  it("reads a root that is itself behind a link", async () => {
    const alias = join(folder, "alias");
    await symlink("archive", alias);
    const url = pathToFileURL(join(alias, "feed/Packages"));
    expect((await transport.get(url, { maxBytes: 100, policy: "archive", root: alias })).status).to.equal(200);
  });

  it("hands a large file over piece by piece, whole", async () => {
    let length = 0;
    const url = pathToFileURL(join(root, "big"));
    await transport.get(url, {
      maxBytes: 2_500_000,
      policy: "archive",
      root,
      sink: (chunk) => {
        length += chunk.length;
      },
    });
    expect(length).to.equal(2_500_000);
    expect(Buffer.from((await get("big")).body).equals(Buffer.alloc(2_500_000, 7))).to.equal(true);
  });

  it("answers 404 for what is not a regular file", async () => {
    for (const path of ["none", "feed", "feed/Packages/x", "loop", "fifo"]) {
      expect((await get(path)).status, path).to.equal(404);
    }
  });

  it("refuses a link out of the root", async () => {
    for (const path of ["out", "up/secret"]) expect((await refusal(get(path))).code, path).to.equal("bad_path");
  });

  it("refuses files without a root, names with NUL and other hosts", async () => {
    const terms = { maxBytes: 100, policy: "archive" } as const;
    const inside = pathToFileURL(join(root, "link"));
    expect((await refusal(transport.get(inside, terms))).code).to.equal("bad_path");
    for (const url of [`file://${root}/a%00b`, `file://${root}/a%2fb`, "file://evil.example/etc/passwd"]) {
      expect((await refusal(transport.get(new URL(url), { ...terms, root }))).code, url).to.equal("bad_path");
    }
    const outside = pathToFileURL(join(folder, "secret"));
    expect((await refusal(transport.get(outside, { ...terms, root }))).code).to.equal("bad_path");
  });

  it("does not take a sister folder for the root", async () => {
    await mkdir(join(folder, "archive-2"));
    await writeFile(join(folder, "archive-2/file"), "x");
    await rename(join(folder, "archive-2/file"), join(folder, "archive-2/Packages"));
    const url = pathToFileURL(join(folder, "archive-2/Packages"));
    expect((await refusal(transport.get(url, { maxBytes: 9, policy: "archive", root }))).code).to.equal("bad_path");
  });

  it("stops at the limit", async () => {
    expect(await reasonOf(get("big", 2_499_999))).to.equal("too_large");
  });
});
