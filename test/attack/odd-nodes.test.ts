// Attack: whoever can write to the published tree, and has no key, puts something else into the place of a file or folder:
// a pipe that never ends a read, a device, a link to another archive. Each kind, in each place, for each command of the keepers.
import * as fs from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { KeyStore } from "../../src/store/key-store.ts";
import { addKey, hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { type Snapshot, snapshot } from "../testkit/snapshot.ts";

/** Puts a node into a place that is empty. @returns what must be closed afterwards */
type Put = (place: string, elsewhere: string) => Promise<Server | undefined>;

const link = (target: (place: string, elsewhere: string) => string): Put => {
  return async (place, elsewhere) => void (await fs.symlink(target(place, elsewhere), place)) as undefined;
};

const pipe: Put = async (place) => {
  expect((await runProgram("mkfifo", [place])).status).to.equal(0);
  return undefined;
};

const socket: Put = async (place) => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(place, done));
  return server;
};

const folder: Put = async (place) => void (await fs.mkdir(place)) as undefined;

const huge: Put = async (place) => {
  await fs.writeFile(place, "");
  await fs.truncate(place, 1e11);
  return undefined;
};

const inPlaceOfFiles: Readonly<Record<string, Put>> = {
  "a named pipe": pipe,
  "a socket": socket,
  "a folder": folder,
  "a link to /dev/zero": link(() => "/dev/zero"),
  "a link to another archive's file": link((_, elsewhere) => join(elsewhere, "file")),
  "a link within the tree": link((place) => `${place}.real`),
  "a file without end": huge,
};

const inPlaceOfFolders: Readonly<Record<string, Put>> = {
  "a named pipe": pipe,
  "a link to another archive's folder": link((_, elsewhere) => elsewhere),
  "a link within the tree": link((place) => `${place}.real`),
};

interface Command {
  readonly args: (archive: TestArchive, request: string) => readonly string[];
  /** Places that it has to do with. */
  readonly reads: RegExp;
  /** It goes by the clock alone. */
  readonly now?: boolean;
  /** Its root is the folder that its caller named, over whatever links. */
  readonly byPath?: boolean;
}

const bundle = /^keys/;
const feedFiles = /^feeds\/base\/Packages(\.sig|\.asc)?$/;
const config = (archive: TestArchive) => ["--config", archive.config];

const commands: Readonly<Record<string, Command>> = {
  "publish, changed": { args: (archive) => ["publish", ...config(archive)], reads: /./ },
  "publish --dry-run": { args: (archive) => ["publish", "--dry-run", ...config(archive)], reads: /./ },
  sign: {
    args: (archive) => ["sign", archive.file("Packages"), "--key", archive.key, "--feed", "base"],
    reads: feedFiles,
    byPath: true,
  },
  "rotate --at-once": {
    args: (archive) => ["rotate", "--at-once", "--force", "--backup", join(archive.folder, "safe"), ...config(archive)],
    reads: /./,
  },
  rehearse: {
    args: (archive) => ["rehearse", ...config(archive), "rotate", "--force"],
    // Clients that are shown the copy have no use for the packed form.
    reads: /^(?!.*gz$)/,
    now: true,
  },
  revoke: {
    args: (archive) => ["revoke", archive.key, "--reason", "compromised", "--force", ...config(archive)],
    reads: bundle,
  },
  delegate: {
    args: (archive, request) => {
      return ["delegate", request, "--key", archive.key, "--expires", "90d", "--feeds", "base", ...config(archive)];
    },
    reads: bundle,
  },
  "key import": { args: (archive, request) => ["key", "import", request, ...config(archive)], reads: bundle },
};

const files = [
  "feeds/base/Packages",
  "feeds/base/Packages.gz",
  "feeds/base/Packages.sig",
  "feeds/base/Packages.asc",
  "keys/archive-keyring.pgp",
  "keys/archive-keyring.asc",
];
const folders = ["keys", "feeds/base", "feeds"];

describe("attack: something else in the place of a published file", function () {
  this.timeout(60_000);
  let template: TestArchive;
  let request: string;

  before(async () => {
    template = await TestArchive.make();
    const home = join(template.folder, "machine");
    const machine = await addKey(home, { userId: "Machine <machine@build.example.org>" });
    request = join(template.folder, "request.asc");
    await fs.writeFile(request, await (await KeyStore.open(home)).certificate(machine));
    // The next publication has something to say.
    await template.addPackage("gamma");
  });

  after(() => template.remove());

  /** Runs the command with the node in its place. @returns its code, and whether anything outside changed */
  async function run(command: Command, place: string, put: Put | undefined) {
    const archive = await template.copy();
    const elsewhere = join(archive.folder, "elsewhere");
    await fs.mkdir(join(elsewhere, "base"), { recursive: true });
    for (const name of ["file", "Packages", "archive-keyring.pgp", "base/Packages"]) {
      await fs.writeFile(join(elsewhere, name), "of another archive");
    }
    const outside: Snapshot = await snapshot(elsewhere);
    const path = join(archive.site, place);
    let held: Server | undefined;
    try {
      if (put !== undefined) {
        await fs.rename(path, `${path}.real`);
        held = await put(path, elsewhere);
      }
      const given = command.args(archive, request);
      const now = ["--home", archive.home, "--json", ...given];
      const ended = await runHere(command.now === true ? now : archive.keeperArgs(published + hour, ...given));
      expect(await snapshot(elsewhere), "what lies outside").to.deep.equal(outside);
      return documentOf(ended).error;
    } finally {
      await new Promise<void>((done) => (held === undefined ? done() : void held.close(() => done())));
      await archive.removeFolder();
    }
  }

  for (const [name, command] of Object.entries(commands)) {
    it(`${name}: goes through where all is as it was`, async () => {
      expect((await run(command, "", undefined))?.message).to.equal(undefined);
    });

    const places = command.byPath === true ? files : [...files, ...folders];
    // A rehearsal that goes through takes its time.
    for (const place of places.filter((one) => command.now !== true || command.reads.test(one))) {
      const kinds = files.includes(place) ? inPlaceOfFiles : inPlaceOfFolders;
      it(`${name}: whatever lies in the place of ${place}`, async () => {
        for (const [kind, put] of Object.entries(kinds)) {
          const error = await run(command, place, put);
          // What it has nothing to do with does not stop it; a signature that is going to be replaced may have any size.
          const must = command.reads.test(place) && kind !== "a file without end";
          if (must || error !== undefined) expect(error?.code, `${kind}: ${error?.message}`).to.equal("bad_path");
          if (error !== undefined) expect(error.message, kind).to.contain(place.split("/")[0]);
        }
      });
    }
  }
});
