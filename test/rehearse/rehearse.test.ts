// What a rehearsal leaves alone, whom it asks, and how it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { rsaKey } from "../testkit/keys.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { documentOf, type Ended, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { snapshot } from "../testkit/snapshot.ts";
import { opkg, pkgAdmin, standIn, withEnvironment } from "./stand-ins.ts";

interface RowJson {
  readonly generation: string;
  readonly client: string;
  readonly feed: string;
  readonly before: string;
  readonly after: string;
  readonly reason: string;
}

const rowsOf = ({ rows }: JsonDocument) => rows as readonly RowJson[];

describe("rehearse", function () {
  this.timeout(60_000);
  let archive: LiveArchive;
  let first: string;
  /** Where copies come and go. */
  let temporary: string;

  let bin = "";

  before(async function () {
    needing("gpgv", "gpg", "sqv", "ar").call(this);
    bin = await fs.mkdtemp(join(tmpdir(), "fk-bin-"));
    await fs.symlink("/usr/bin/gpgv", join(bin, "gpgv"));
  });

  after(async () => {
    if (bin !== "") await fs.rm(bin, { recursive: true, force: true });
  });

  beforeEach(async () => {
    path = bin;
    archive = await LiveArchive.make();
    first = await archive.keygen();
    await archive.publish(first);
    await archive.stopKeyserver();
    temporary = await fs.mkdtemp(join(tmpdir(), "fk-tmp-"));
  });

  afterEach(async () => {
    await archive.remove();
    await fs.rm(temporary, { recursive: true, force: true });
  });

  const args = (...words: readonly string[]) => [
    ...["--home", archive.home, "--json", "rehearse", "--config", archive.config],
    ...words,
  ];

  /** A search path with gpgv alone, unless a test needs more. */
  let path: string;

  /** Runs a rehearsal, and shows that it changed nothing and left nothing. */
  async function rehearse(...words: readonly string[]): Promise<Ended & { readonly document: JsonDocument }> {
    const before = await snapshot(archive.folder);
    const environment = { PATH: path, TMPDIR: temporary, XDG_RUNTIME_DIR: undefined };
    const ended = await withEnvironment(environment, () => runHere(args(...words)));
    expect(await snapshot(archive.folder), "the archive, its keys and its configuration").to.deep.equal(before);
    expect(await fs.readdir(temporary), "copies left").to.deep.equal([]);
    return { ...ended, document: documentOf(ended) };
  }

  async function succeeds(...words: readonly string[]): Promise<JsonDocument> {
    const { status, document } = await rehearse(...words);
    expect({ status, error: document.error }).to.deep.equal({ status: 0, error: undefined });
    return document;
  }

  async function refuses(code: string, status: number, ...words: readonly string[]): Promise<JsonDocument> {
    const { status: got, document } = await rehearse(...words);
    expect({ code: document.error?.code, status: got }, document.error?.message).to.deep.equal({ code, status });
    return document;
  }

  describe("leaves alone", () => {
    it("the archive, the key store and the configuration, and asks no key server", async () => {
      let asked = 0;
      const listener = createServer((socket) => {
        asked += 1;
        socket.destroy();
      }).listen(0, "127.0.0.1");
      await once(listener, "listening");
      const address = listener.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      try {
        // The server that archive.ini names is down: asking it would be an error.
        const named = ["--keyserver", `hkps://127.0.0.1:${port}`];
        const { breaks, warnings, done } = await succeeds("rotate", "--at-once", "--force", ...named);
        expect(breaks).to.equal(2);
        expect(warnings).to.equal(undefined);
        expect(String(done)).to.include(`wrote ${archive.site}/keys/archive-keyring.pgp`).and.not.include(temporary);
        expect(asked).to.equal(0);
      } finally {
        listener.close();
      }
    });

    it("what options name: the backup's folder, the delegate's file", async () => {
      const backup = join(archive.folder, "safe");
      await succeeds("rotate", "--backup", backup);
      const machines = join(archive.folder, "machines");
      const machine = await addKey(machines, { userId: "Machine <machine@example.org>", at: Date.now() - 5000 });
      const request = join(machines, "certs", `${machine}.asc`);
      const terms = ["--key", first, "--expires", "90d", "-o", join(archive.folder, "back.asc")];
      await refuses("not_found", 66, "delegate", request, ...terms);
    });

    it("everything, where the step is refused", async () => {
      const { error } = await refuses("usage", 2, "rotate", "--finish");
      expect(error?.message).to.equal(`no rotation of ${first} is in progress`);
      await refuses("usage", 2, "rotate");
      await refuses("usage", 2, "revoke", first, "--reason", "compromised");
      await refuses("not_found", 66, "revoke", "A".repeat(40), "--reason", "retired");
    });

    it("everything, where the step would leave a feed: an older index was put back", async () => {
      const old = await fs.readFile(archive.file("Packages"));
      const signature = await fs.readFile(archive.file("Packages.sig"));
      await archive.addPackage("gamma");
      await archive.keep("publish", "--config", archive.config);
      await fs.writeFile(archive.file("Packages"), old);
      await fs.writeFile(archive.file("Packages.sig"), signature);
      const { error } = await refuses("rollback", 1, "rotate", "--at-once", "--force");
      expect(error?.message).to.include("NOT signed");
    });

    it("everything, where the archive can't be copied", async () => {
      await fs.chmod(join(archive.home, "private", `${first}.asc`), 0o644);
      await refuses("bad_config", 78, "rotate", "--force");
    });
  });

  describe("keeps its copy private", () => {
    /** A gpgv that tells where it works before it goes on. */
    async function watched(): Promise<{ watching: string; seen: () => Promise<string> }> {
      const told = join(archive.folder, "..", `told-${first}`);
      const script = `cd "$HOME/../../.." && stat -c '%a %n' "$PWD" >> '${told}' && exec /usr/bin/gpgv "$@"\n`;
      const watching = await standIn(join(temporary, "bin"), "gpgv", script);
      const seen = async () => {
        const text = await fs.readFile(told, "utf8");
        await fs.rm(told);
        return text.split("\n")[0] ?? "";
      };
      return { watching, seen };
    }

    it("in XDG_RUNTIME_DIR if nobody else can enter that, else in TMPDIR; mode 0700", async () => {
      const { watching, seen } = await watched();
      const runtime = join(temporary, "runtime");
      await fs.mkdir(runtime, { mode: 0o700 });
      const run = async () => {
        const environment = { PATH: watching, TMPDIR: temporary, XDG_RUNTIME_DIR: runtime };
        const ended = await withEnvironment(environment, () => runHere(args("rotate", "--force")));
        expect(ended.status, ended.stdout).to.equal(0);
        expect(await fs.readdir(runtime)).to.deep.equal([]);
        return await seen();
      };
      expect(await run()).to.match(new RegExp(`^700 ${runtime}/feedkey-rehearsal-\\d+-\\w+$`));
      await fs.chmod(runtime, 0o755);
      expect(await run()).to.match(new RegExp(`^700 ${temporary}/feedkey-rehearsal-\\d+-\\w+$`));
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      it(`and removes it on ${signal}, with the client that is running`, async () => {
        const before = await snapshot(archive.folder);
        const own = await fs.mkdtemp(join(tmpdir(), "fk-bin-"));
        const told = join(own, "told");
        try {
          const slow = await standIn(
            own,
            "gpgv",
            `echo $$ > '${told}.new' && mv '${told}.new' '${told}'\nexec sleep 60\n`,
          );
          const env = { ...process.env, PATH: slow, TMPDIR: temporary, XDG_RUNTIME_DIR: "" };
          const child = spawn(process.execPath, ["bin/feedkey.js", ...args("rotate", "--force")], {
            env,
            stdio: "ignore",
          });
          const ended = once(child, "exit");
          let pid = "";
          while (pid === "") {
            await sleep(20);
            pid = (await fs.readFile(told, "utf8").catch(() => "")).trim();
          }
          expect(await fs.readdir(temporary)).to.have.length(1);
          child.kill(signal);
          expect(await ended).to.deep.equal([null, signal]);
          expect(await fs.readdir(temporary)).to.deep.equal([]);
          expect(await snapshot(archive.folder)).to.deep.equal(before);
          while (await isRunning(pid)) await sleep(20);
        } finally {
          await fs.rm(own, { recursive: true });
        }
      });
    }
  });

  describe("asks", () => {
    it("only what is installed, and names the rest", async () => {
      const { clients, rows } = await succeeds("rotate", "--at-once", "--force");
      expect(clients).to.deep.equal([
        { name: "gpgv", installed: true, program: join(bin, "gpgv") },
        { name: "gpg", installed: false, program: null },
        { name: "sqv", installed: false, program: null },
        { name: "opkg", installed: false, program: null },
      ]);
      const asked = new Set((rows as RowJson[]).map(({ client }) => client));
      expect([...asked]).to.deep.equal(["gpgv", "feedkey", "feedkey, in use"]);
    });

    it("opkg by its configuration, in a home of its own", async () => {
      const own = join(tmpdir(), `fk-bin-${first}`);
      try {
        path = await standIn(own, "opkg", opkg);
        const document = await succeeds("rotate", "--at-once", "--force");
        const said = rowsOf(document).filter(({ client }) => client === "opkg");
        expect(said.map(({ generation, before, after }) => [generation, before, after])).to.deep.equal([
          [first, "accepts", "refuses"],
          ["bundle", "accepts", "refuses"],
          ["set-up", "accepts", "accepts"],
          ["new-bundle", "accepts", "accepts"],
        ]);
        const [first_] = rowsOf(document).filter(({ client, after }) => client === "opkg" && after === "refuses");
        expect(first_?.reason).to.equal("no public key");
      } finally {
        await fs.rm(own, { recursive: true });
      }
    });

    it("pkg_admin about a signed package of the feed", async () => {
      const own = join(tmpdir(), `fk-bin-${first}`);
      try {
        path = await standIn(own, "pkg_admin", pkgAdmin);
        const made = certificate({ key: rsaKey("rsa-a") });
        await archive.importKey(secretKeyBlock(made));
        const all = join(archive.site, "All");
        await fs.mkdir(all);
        await fs.writeFile(join(all, "tiny-1.0.tgz"), pkgsrcPackage({ name: "tiny-1.0" }));
        await archive.keep("sign-package", join(all, "tiny-1.0.tgz"), "--key", made.fingerprint);
        const lines = [
          "[archive]",
          `root = ${archive.site}`,
          "user-id = Example Archive Signing Key <archive@example.org>",
        ];
        lines.push(`key = ${made.fingerprint}`, "[feed pkgsrc]", "format = pkgsrc", "path = All", "");
        await fs.writeFile(archive.config, lines.join("\n"));
        await archive.keep("publish", "--config", archive.config);
        const document = await succeeds("rotate", "--at-once", "--force");
        const said = rowsOf(document).filter(({ client }) => client === "pkg_admin");
        const expected = new Map([
          [made.fingerprint, "accepts"],
          // The package was signed with another key.
          [first, "refuses"],
          // The bundle has a key that is not RSA; what is exported for pkg_install has not.
          ["set-up", "accepts"],
        ]);
        expect(said.map(({ generation, after }) => [generation, after])).to.have.deep.members([...expected]);
        expect(rowsOf(document).filter(({ client }) => client === "opkg")).to.deep.equal([]);
      } finally {
        await fs.rm(own, { recursive: true });
      }
    });
  });

  it("shows a delegation as the delegate would sign it, or says that it can't", async () => {
    const machines = join(archive.folder, "machines");
    const machine = await addKey(machines, { userId: "Machine <machine@example.org>", at: Date.now() - 5000 });
    const request = join(machines, "certs", `${machine}.asc`);
    const words = ["delegate", request, "--key", first, "--feeds", "base", "--expires", "90d"];
    const unseen = await refuses("not_found", 66, ...words);
    expect(unseen.error?.message).to.include(`the secret key of ${machine} is not in this key store`);
    expect(rowsOf(unseen).filter(({ after }) => after !== "accepts")).to.deep.equal([]);
    await archive.keep("key", "import", join(machines, "private", `${machine}.asc`));
    const seen = rowsOf(await succeeds(...words));
    const said = (client: string) => seen.find((row) => row.client === client && row.generation === first);
    expect(said("gpgv")).to.deep.include({ before: "accepts", after: "refuses" });
    expect(said("feedkey")).to.deep.include({ before: "accepts", after: "accepts" });
    const other = await succeeds("delegate", request, "--key", first, "--feeds", "other", "--expires", "90d");
    expect(
      rowsOf(other).filter(({ after }) => after !== "accepts"),
      "a feed that is not delegated",
    ).to.deep.equal([]);
  });

  it("with a locked key takes its passphrase as the step does", async () => {
    const file = join(archive.folder, "passphrase");
    await fs.writeFile(file, "correct horse\n", { mode: 0o600 });
    const locked = await archive.keygen("--passphrase-file", file);
    await archive.writeConfig(locked);
    await archive.keep("publish", "--config", archive.config, "--passphrase-file", file);
    await refuses("bad_config", 78, "rotate", "--at-once", "--force");
    await succeeds("rotate", "--at-once", "--force", "--passphrase-file", file);
  });

  describe("ends", () => {
    it("with 0 whoever would break; with --fail-on-break with 1 if somebody would", async () => {
      const { breaks } = await succeeds("rotate", "--at-once", "--force");
      expect(breaks).to.be.greaterThan(0);
      const { error } = await refuses("would_break", 1, "--fail-on-break", "rotate", "--at-once", "--force");
      expect(error?.details).to.deep.equal({ breaks });
      await succeeds("rotate", "--force", "--fail-on-break");
    });

    it("with usage for what changes nothing, for another time, and for what is no step", async () => {
      await refuses("usage", 2, "rotate", "--status");
      await refuses("usage", 2, "revoke", first, "--reason", "retired", "--dry-run");
      await refuses("usage", 2, "rotate", "--force", "--at", "2026-01-01T00:00:00Z");
      await refuses("usage", 2, "rotate", "--no-such-option");
      await refuses("usage", 2, "revoke", first);
      await refuses("usage", 2, "publish");
    });

    it("with not_found where nothing is published", async () => {
      await fs.rm(archive.file("Packages"));
      await refuses("not_found", 66, "rotate", "--force");
    });
  });

  it("is a table for people: columns that align, who holds what, and how many would break", async () => {
    const words = args("rotate", "--at-once", "--force").filter((word) => word !== "--json");
    const { stdout } = await runHere(words);
    const lines = stdout.split("\n");
    expect(lines).to.include(`  A  ${first} alone, as shipped (the present key)`);
    const head = lines.find((line) => /^ +client /.test(line)) ?? "";
    const body = lines.filter((line) => /^[A-D] {2}\w/.test(line));
    expect(body).to.have.length(14);
    for (const column of ["client", "feed", "now", "after"]) {
      const place = head.indexOf(column);
      for (const line of body) expect(line.slice(place - 2, place + 1), line).to.match(/^ {2}\S/);
    }
    expect(body.filter((line) => line.includes("REFUSES"))).to.have.length(6);
    expect(lines.at(-2)).to.equal("6 of 14 would break; nothing was changed");
    expect(stdout).to.include("not installed, so not tested: opkg");
  });
});

async function isRunning(pid: string): Promise<boolean> {
  const status = await fs.readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/^\d+ \(.*\) Z/.test(status);
}
