// Real packages: published by feedkey, their index checked against Debian's own tools, its signature against gpgv and
// sqv, and every package fetched over TLS and compared. The same packages again in both outer forms of .ipk.
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { startServer } from "../../src/keyserver/server.ts";
import { hour, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { ar, oldIpk, VERSION } from "../testkit/packages/build-package.ts";
import { documentOf, type Ended, runProcess, runProgram } from "../testkit/programs/command-line.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { tlsFile } from "../testkit/servers/misbehaving-server.ts";

const wanted = 60;

async function realDebs(): Promise<string[] | undefined> {
  const folder = process.env.FEEDKEY_REAL_DEBS;
  if (folder === undefined) return undefined;
  const names = (await fs.readdir(folder)).filter((name) => name.endsWith(".deb")).sort();
  return names.length < 50 ? undefined : names.slice(0, wanted).map((name) => join(folder, name));
}

/** The output of a program as bytes. */
async function bytesOf(script: string, file: string, scratch: string): Promise<Buffer> {
  const out = join(scratch, "bytes");
  const ended = await runProgram("sh", ["-c", `${script} "$1" > "$2"`, "sh", file, out]);
  expect(ended.status, ended.stderr).to.equal(0);
  return await fs.readFile(out);
}

type Repack = (deb: string, scratch: string) => Promise<Buffer>;

/** Its control and data archives, compressed as opkg's packages have them. */
async function members(deb: string, scratch: string) {
  const control = gzipSync(await bytesOf("dpkg-deb --ctrl-tarfile", deb, scratch));
  const data = gzipSync(await bytesOf("dpkg-deb --fsys-tarfile", deb, scratch));
  return [VERSION, { name: "control.tar.gz", data: control }, { name: "data.tar.gz", data }];
}

const forms: readonly (readonly [string, string, Repack])[] = [
  ["as .deb", "deb", (deb) => fs.readFile(deb)],
  ["as .ipk in an ar archive", "ipk", async (deb, scratch) => ar(await members(deb, scratch))],
  ["as .ipk in a gzip-compressed tar", "ipk", async (deb, scratch) => oldIpk(await members(deb, scratch))],
];

for (const [what, ending, repack] of forms) {
  describe(`peers: real packages ${what}`, function () {
    this.timeout(120_000);

    const at = Math.floor(Date.now() / 1000) * 1000;
    let archive: TestArchive;
    let originals: string[] = [];
    let feed = "";

    before(async function () {
      const debs = await realDebs();
      if (!presentOrSkip(this, debs, "FEEDKEY_REAL_DEBS names no folder with 50 or more packages")) return;
      originals = debs;
      archive = await TestArchive.make({ at: at - hour });
      feed = join(archive.site, "feeds", "base");
      for (const name of (await fs.readdir(feed)).filter((one) => one.endsWith(".ipk"))) await fs.rm(join(feed, name));
      for (const deb of debs) {
        await fs.writeFile(join(feed, basename(deb).replace(/deb$/, ending)), await repack(deb, archive.folder));
      }
      const ended = await runProcess(archive.keeperArgs(at, "publish", "--config", archive.config));
      expect(ended.status, ended.stdout).to.equal(0);
    });

    after(async () => archive?.remove());

    const packages = async () => (await fs.readdir(feed)).filter((name) => name.endsWith(`.${ending}`)).sort();

    it("are listed with what dpkg-deb and their bytes say", async () => {
      const entries = [...readPackages(await fs.readFile(archive.file("Packages")))];
      expect(entries.map(({ filename }) => filename).sort()).to.deep.equal(await packages());
      for (const deb of originals) {
        const name = basename(deb).replace(/deb$/, ending);
        const fields = await runProgram("dpkg-deb", ["-f", deb, "Package", "Version", "Architecture"]);
        const bytes = await fs.readFile(join(feed, name));
        const entry = entries.find(({ filename }) => filename === name);
        const said = `Package: ${entry?.name}\nVersion: ${entry?.version}\nArchitecture: ${entry?.architecture}\n`;
        expect(said).to.equal(fields.stdout);
        expect(entry).to.include({ size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
      }
    });

    it("have an index whose signatures gpgv and sqv accept", async () => {
      const keyring = join(archive.site, "keys", "archive-keyring.pgp");
      for (const name of ["Packages.asc", "Packages.sig"]) {
        for (const program of ["gpgv", "sqv"]) {
          const ended = await runProgram(program, ["--keyring", keyring, archive.file(name), archive.file("Packages")]);
          expect(ended.status, `${program} ${name}: ${ended.stderr}`).to.equal(0);
        }
      }
    });

    it("are all fetched over TLS, each as it was, and verified on the disk", async () => {
      const tls = { cert: tlsFile("good.pem"), key: tlsFile("good.key") };
      const server = await startServer({ root: archive.site, port: 0, tls });
      const client = (...args: readonly string[]): Promise<Ended> => {
        return runProcess(archive.clientArgs(at, ...args), { env: { NODE_EXTRA_CA_CERTS: "test/vectors/tls/ca.pem" } });
      };
      try {
        await archive.writeProfile({ url: `https://localhost:${server.port}/` });
        const update = await client("update");
        expect(update.status, update.stdout).to.equal(0);
        const fetch = await client("fetch", "--all", "-o", archive.out);
        expect(fetch.status, fetch.stdout).to.equal(0);
        expect(documentOf(fetch).packages).to.have.length(originals.length);
        await archive.expectOut(...(await packages()));
        const verify = await client("verify", archive.file("Packages"), "--packages", archive.out, "--complete");
        expect(verify.status, verify.stdout).to.equal(0);
        expect(documentOf(verify).packages).to.have.length(originals.length);
      } finally {
        await server.close();
      }
    });
  });
}
