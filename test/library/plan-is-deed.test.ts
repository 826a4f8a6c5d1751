// Every `--dry-run` shows what the command does, or is refused as the command is, and changes nothing.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { Command } from "commander";
import { addCommands, allCommands } from "../../src/cli/commands.ts";
import { addKey, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";

const day = 86_400_000;

interface Case {
  readonly what: string;
  readonly args: (archive: TestArchive) => readonly string[];
  /** What was done to the archive before. */
  readonly prepare?: (archive: TestArchive) => Promise<unknown>;
  /** When it is run. */
  readonly at?: number;
  /** What the plan says that the deed says too. */
  readonly same?: (document: JsonDocument) => unknown;
  /** The code that refuses both. */
  readonly refused?: string;
}

const at = published + day;
const keep = async (archive: TestArchive, ...args: readonly string[]): Promise<JsonDocument> => {
  return documentOf(await runHere(archive.keeperArgs(at, ...args)));
};
const safe = (archive: TestArchive) => ["--backup", join(archive.folder, "safe")];
const rotating = (...more: readonly string[]) => {
  return (archive: TestArchive) => ["rotate", "--config", archive.config, ...more];
};
const begun = (archive: TestArchive) => keep(archive, ...rotating(...safe(archive))(archive));
/** The overlap of a rotation is over. */
async function overlapped(archive: TestArchive): Promise<void> {
  await begun(archive);
  await runHere(archive.keeperArgs(at + 39 * day, ...publishing(archive)));
}
/** A key that the archive delegates to, as the file that its owner brings. */
async function request(archive: TestArchive): Promise<void> {
  const home = join(archive.folder, "machine");
  const key = await addKey(home, { userId: "Machine <machine@example.org>", at: published });
  await fs.copyFile(join(home, "certs", `${key}.asc`), join(archive.folder, "machine.asc"));
}
const delegating = (...more: readonly string[]) => {
  return (archive: TestArchive) => {
    return ["delegate", join(archive.folder, "machine.asc"), "--key", archive.key, "--config", archive.config, ...more];
  };
};
const delegated = async (archive: TestArchive) => {
  await request(archive);
  await keep(archive, ...delegating("--feeds", "base", "--expires", "90d")(archive));
};
const publishing = (archive: TestArchive) => ["publish", "--config", archive.config];
const publication = ({ feeds, bundle, skipped }: JsonDocument) => ({ feeds, bundle, skipped });
const settingUp = (...more: readonly string[]) => {
  return (archive: TestArchive) => {
    return [
      "--profile",
      archive.profile,
      "setup",
      "apt",
      "--root",
      join(archive.folder, "root"),
      "--timer",
      "cron",
      ...more,
    ];
  };
};
const changes = ({ changes: found }: JsonDocument) => found;

/**
 * The kinds of a rotation's deeds: how a plan says each, and how the deed does. Fingerprints are left out: a plan can't know that of a
 * key that is yet to be made.
 */
const deeds: readonly (readonly [planned: RegExp, done: RegExp])[] = [
  [/^make a new \w+ key/, /^made the successor/],
  [/^copy its revocation certificates/, /^copied its revocation certificates/],
  [/^let [\dA-F]+ certify .*key$|^let [\dA-F]+ certify [\dA-F]+$/, /^[\dA-F]+ certified [\dA-F]+$/],
  [/^let .* certify [\dA-F]+ for /, /^[\dA-F]+ certified [\dA-F]+ until /],
  [/^let [\dA-F]+ withdraw its certification/, /^[\dA-F]+ withdrew its certification/],
  [/^revoke [\dA-F]+ as retired/, /^[\dA-F]+ is revoked as retired/],
  [/^revoke [\dA-F]+ as superseded/, /^[\dA-F]+ is .*superseded/],
  [/^archive\.ini: key = /, /^archive\.ini: key = /],
  [/^sign feed "base" with /, /^signed feed "base" with /],
  [/^sign feed "extra" with /, /^signed feed "extra" with /],
  [/^leave feed "base" signed by its delegate/, /^feed "base" stays signed by its delegate/],
  [/the key bundle/, /archive-keyring\.pgp$/],
];

/** Which of these deeds a rotation plans or did. */
function rotation({ steps, done }: JsonDocument): readonly string[] {
  const side = steps === undefined ? 1 : 0;
  const lines = (steps ?? done) as readonly string[];
  return deeds.filter((pair) => lines.some((line) => pair[side].test(line))).map(([planned]) => String(planned));
}

const cases: Readonly<Record<string, readonly Case[]>> = {
  publish: [
    { what: "a new package", args: publishing, prepare: (archive) => archive.addPackage("gamma"), same: publication },
    {
      what: "a damaged package",
      args: publishing,
      prepare: (archive) => fs.writeFile(archive.file("bad_1_all.ipk"), "!<arch>\n"),
      refused: "bad_package",
    },
    {
      what: "another program's signature in the way",
      args: publishing,
      prepare: (archive) => fs.writeFile(archive.file("Packages.sig"), "untrusted comment: x\nRWQ=\n"),
      refused: "would_break",
    },
  ],
  rotate: [
    { what: "the first step", args: (archive) => rotating(...safe(archive))(archive), same: rotation },
    {
      what: "the first step again",
      args: (archive) => rotating(...safe(archive))(archive),
      prepare: begun,
      same: rotation,
    },
    { what: "both at once", args: (archive) => rotating("--at-once", ...safe(archive))(archive), same: rotation },
    { what: "the second step", args: rotating("--finish"), prepare: overlapped, at: at + 40 * day, same: rotation },
    { what: "the second step too early", args: rotating("--finish"), prepare: begun, refused: "usage" },
    { what: "the second step of none", args: rotating("--finish"), refused: "usage" },
    {
      what: "a feed that its delegate signs",
      args: rotating("--finish", "--force"),
      prepare: async (archive) => {
        await delegated(archive);
        const home = join(archive.folder, "machine");
        for (const name of await fs.readdir(join(archive.home, "certs"))) {
          await fs.copyFile(join(archive.home, "certs", name), join(home, "certs", name));
        }
        const [key = ""] = (await fs.readdir(join(home, "private"))).map((name) => name.replace(".asc", ""));
        const signing = ["sign", archive.file("Packages"), "--feed", "base", "--key", key];
        const ended = await runHere([...archive.keeperArgs(at, ...signing), "--home", home]);
        expect(ended.status, ended.stdout).to.equal(0);
        await begun(archive);
      },
      same: rotation,
    },
    {
      what: "an index that somebody else put there",
      args: rotating("--finish", "--force"),
      prepare: async (archive) => {
        await begun(archive);
        await fs.writeFile(archive.file("Packages"), "Package: x\nVersion: 1\n");
      },
      refused: "bad_signature",
    },
    {
      what: "the second step with the old key retired, whose clients would lose their chain",
      args: rotating("--finish", "--retire"),
      prepare: begun,
      at: at + 40 * day,
      refused: "usage",
    },
    {
      what: "both at once with the old key retired, whose clients would lose their chain",
      args: (archive) => rotating("--at-once", "--retire", ...safe(archive))(archive),
      refused: "usage",
    },
    {
      what: "the second step with the old key retired, forced",
      args: rotating("--finish", "--retire", "--force"),
      prepare: begun,
      same: rotation,
    },
    {
      what: "a successor whose secret is gone",
      args: rotating("--finish", "--force"),
      prepare: async (archive) => {
        const { successor } = await begun(archive);
        await fs.rm(join(archive.home, "private", `${successor}.asc`));
      },
      refused: "not_found",
    },
    { what: "abandoned", args: rotating("--abandon"), prepare: begun, same: rotation },
    { what: "none that could be abandoned", args: rotating("--abandon"), refused: "usage" },
    { what: "a key that is not there", args: rotating("--force", "--to", "A".repeat(40)), refused: "not_found" },
    {
      what: "a key bundle that can't be written",
      args: rotating("--force"),
      prepare: async (archive) => {
        await fs.rm(join(archive.site, "keys"), { recursive: true });
        await fs.writeFile(join(archive.site, "keys"), "");
      },
      refused: "bad_path",
    },
  ],
  revoke: [
    {
      what: "a successor",
      args: (archive) => ["revoke", archive.key, "--reason", "compromised", "--force", "--config", archive.config],
      prepare: begun,
      same: ({ fingerprint, reason, generations }) => ({ fingerprint, reason, generations }),
    },
    {
      what: "a key that is not there",
      args: () => ["revoke", "A".repeat(40), "--reason", "retired"],
      refused: "not_found",
    },
  ],
  delegate: [
    {
      what: "a delegation",
      args: delegating("--feeds", "base", "--expires", "90d"),
      prepare: request,
      same: ({ delegate, userId, terms, expiresAt }) => ({ delegate, userId, terms, expiresAt }),
    },
    {
      what: "a withdrawal",
      args: delegating("--withdraw"),
      prepare: delegated,
      same: ({ withdrawn, below }) => ({ withdrawn, below }),
    },
    { what: "the withdrawal of none", args: delegating("--withdraw"), prepare: request, refused: "not_found" },
    {
      what: "a key whose secret is not here",
      args: delegating("--feeds", "base", "--expires", "90d"),
      prepare: async (archive) => {
        await request(archive);
        await fs.rm(join(archive.home, "private", `${archive.key}.asc`));
      },
      refused: "not_found",
    },
    {
      what: "a key bundle that can't be written",
      args: delegating("--feeds", "base", "--expires", "90d"),
      prepare: async (archive) => {
        await request(archive);
        await fs.rm(join(archive.site, "keys"), { recursive: true });
        await fs.writeFile(join(archive.site, "keys"), "");
      },
      refused: "bad_path",
    },
  ],
  delete: [
    {
      what: "a key of which there is a copy",
      args: (archive) => ["key", "delete", archive.key, "--force"],
      same: ({ fingerprint, secret, certificate, connected }) => ({ fingerprint, secret, certificate, connected }),
    },
    { what: "a key that is not there", args: () => ["key", "delete", "A".repeat(40)], refused: "not_found" },
  ],
  setup: [
    {
      what: "a program",
      args: settingUp("--suite", "stable"),
      prepare: async (archive) => {
        await fs.mkdir(join(archive.folder, "root"));
        await archive.writeProfile({ url: `file://${archive.site}/` });
      },
      same: changes,
    },
    {
      what: "its removal",
      args: (archive) => ["--profile", "example", "setup", "apt", "--root", join(archive.folder, "root"), "--remove"],
      prepare: async (archive) => {
        await fs.mkdir(join(archive.folder, "root"));
        await archive.writeProfile({ url: `file://${archive.site}/` });
        await keep(archive, ...settingUp("--suite", "stable")(archive));
      },
      same: changes,
    },
  ],
};

/** The commands that have the option. */
function withDryRun(): string[] {
  const program = new Command("feedkey");
  addCommands(
    allCommands,
    program,
    () => async () => undefined,
    async () => 0,
  );
  const found: string[] = [];
  const visit = (command: Command) => {
    if (command.options.some(({ long }) => long === "--dry-run")) found.push(command.name());
    for (const below of command.commands) visit(below);
  };
  visit(program);
  return found;
}

describe("--dry-run: the plan is the deed", () => {
  let original: TestArchive;

  before(async () => {
    original = await TestArchive.make();
  });

  after(() => original.remove());

  it("stands here for every command that has it", () => {
    expect(withDryRun().sort()).to.deep.equal(Object.keys(cases).sort());
  });

  for (const [command, all] of Object.entries(cases)) {
    for (const { what, args, prepare, at: when = at, same, refused } of all) {
      it(`${command}: ${what}`, async () => {
        const archive = await original.copy();
        try {
          await prepare?.(archive);
          const words = args(archive);
          const files = await archive.everything();
          const plan = documentOf(await runHere(archive.keeperArgs(when, ...words, "--dry-run")));
          expect(await archive.everything(), "files after the plan").to.deep.equal(files);
          const ended = await runHere(archive.keeperArgs(when, ...words));
          const deed = documentOf(ended);
          expect(deed.error?.code, deed.error?.message).to.equal(refused);
          expect(plan.error?.code, plan.error?.message).to.equal(refused);
          if (same === undefined) return;
          expect(same(plan)).to.deep.equal(same(deed));
        } finally {
          await archive.removeFolder();
        }
      });
    }
  }

  it("a refused retirement signs nothing and leaves archive.ini as it is", async () => {
    const archive = await original.copy();
    try {
      await begun(archive);
      const retire = ["rotate", "--config", archive.config, "--finish", "--retire"];
      await archive.refuseKeeper({ code: "usage", status: 2 }, at + 40 * day, ...retire);
    } finally {
      await archive.removeFolder();
    }
  });
});
