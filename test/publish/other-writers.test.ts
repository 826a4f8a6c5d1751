// Feeds of archive.ini whose index another program writes: publish and rotate sign it as it lies there.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { withArchive } from "../apt/archive.ts";
import { releaseDate, type Suite, stanza } from "../apt/suite.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { type JsonDocument, runHere } from "../testkit/programs/command-line.ts";

interface PublishedFeed {
  readonly name: string;
  readonly packages: number | null;
  readonly changed: boolean;
  readonly writes: readonly string[];
  readonly signed: string | null;
}

const feedsOf = (document: JsonDocument) => document.feeds as PublishedFeed[];

/** What a later run of the program that writes the suite leaves. */
async function written(suite: Suite, at: number, version = "1.1"): Promise<void> {
  await suite.release({ at, fields: [`Version: ${version}`] });
}

describe("feeds whose index another program writes", function () {
  this.timeout(60_000);

  it("are signed by publish as they lie there, where they changed or their signature gets old", async () => {
    await withArchive(async (suite, keeper) => {
      const release = await fs.readFile(suite.path("Release"));
      const first = await keeper(day(10), "publish");
      expect(first.error).to.equal(undefined);
      expect(feedsOf(first).map(({ name, packages, changed }) => ({ name, packages, changed }))).to.deep.equal([
        { name: "stable", packages: null, changed: true },
        { name: "v1", packages: null, changed: true },
        { name: "tools", packages: null, changed: true },
      ]);
      expect(await fs.readFile(suite.path("Release"))).to.deep.equal(release);
      expect((await fs.readdir(suite.path("."))).sort()).to.deep.equal(["InRelease", "Release", "Release.gpg", "main"]);
      const names = ["CHECKSUMS", "SHA256SUMS"].flatMap((name) => [name, `${name}.asc`, `${name}.sig`]);
      expect((await fs.readdir(join(suite.folder, "site/v1"))).sort()).to.deep.equal(names);
      await suite.accept(day(11), "update");
      expect(feedsOf(await keeper(day(11), "publish")).map(({ changed }) => changed)).to.deep.equal([
        false,
        false,
        false,
      ]);

      await written(suite, day(12));
      await suite.refuse(
        "bad_signature",
        day(12),
        "verify",
        "--signature",
        suite.path("Release.gpg"),
        suite.path("Release"),
      );
      const plan = feedsOf(await keeper(day(12), "publish", "--dry-run"));
      expect(plan.map(({ signed }) => signed)).to.deep.equal(["Release.gpg has no good signature", null, null]);
      await keeper(day(12), "publish");
      await suite.accept(day(12), "update");
      // Half of 14 days.
      expect(feedsOf(await keeper(day(18), "publish")).map(({ changed }) => changed)).to.deep.equal([
        false,
        true,
        true,
      ]);
      await keeper(day(20), "publish");
      await suite.accept(day(20), "update");

      // A frame whose text is another's, and one that was cut off.
      const signed = await fs.readFile(suite.path("InRelease"), "utf8");
      for (const bad of [signed.replace("Version: 1.1", "Version: 1.2"), signed.slice(0, 200)]) {
        await suite.write(suite.path("InRelease"), bad);
        expect(feedsOf(await keeper(day(21), "publish"))[0]?.signed).to.equal("InRelease has no good signature");
      }
      await suite.accept(day(21), "update");
    });
  });

  it("end by themselves, which their keepers are told once half of that time is over", async () => {
    await withArchive(async (suite, keeper) => {
      await suite.release({ at: day(10), fields: [`Valid-Until: ${releaseDate(day(20))}`] });
      for (const [at, warned] of [
        [14, false],
        [16, true],
        [21, true],
      ] as const) {
        const warnings = String((await keeper.done(day(at), "publish")).warnings);
        expect(warnings.includes('the index of feed "stable" is valid until 2026-01-21'), `day ${at}`).to.equal(warned);
      }
    });
  });

  it("are not published where clients would refuse one, or none is there; the others are", async () => {
    await withArchive(async (suite, keeper) => {
      const release = await fs.readFile(suite.path("Release"), "utf8");
      const refused = async (code: string) => {
        const said = await keeper(day(10), "publish");
        expect({ code: said.error?.code, message: said.error?.message }).to.deep.include({ code });
        expect(said.error?.message).to.contain('feed "stable" stays unchanged');
        expect(feedsOf(said).map(({ name }) => name)).to.deep.equal(["v1", "tools"]);
        expect(await fs.readdir(suite.path("."))).to.not.include("InRelease");
        expect(await fs.readdir(join(suite.folder, "site/v1"))).to.include("SHA256SUMS.asc");
        await fs.rm(join(suite.folder, "site/v1/SHA256SUMS.asc"));
      };
      await suite.write(suite.path("Release"), release.replace(/^Date: .*\n/m, ""));
      await refused("bad_index");
      await fs.rm(suite.path("Release"));
      await refused("not_found");
      await suite.write(suite.path("Release"), release);
      await suite.write(suite.path("Release.gpg"), "another program's");
      await refused("would_break");
      await fs.rm(suite.path("Release.gpg"));
      expect((await keeper(day(10), "publish")).error).to.equal(undefined);
    });
  });

  it("are not signed where clients would refuse a list that they lead to, or their suite; sign --force does so", async () => {
    await withArchive(async (suite, keeper) => {
      const lists = (text: string, more: Readonly<Record<string, string>> = {}) =>
        suite.release({ lists: { "main/binary-amd64": text, ...more } });
      const pair = stanza("alpha");
      const other = pair.replace(/SHA256: ./, "SHA256: 0");
      const forEach = async (action: (path: string) => Promise<void>) => {
        for (const name of ["Packages", "Packages.gz"]) await action(suite.path(`main/binary-amd64/${name}`));
      };
      const wrong: readonly (readonly [code: string, says: string, () => Promise<unknown>])[] = [
        [
          "bad_index",
          "main/binary-amd64/Packages: line",
          () => lists(pair.replace("Package: alpha", "Package: al pha")),
        ],
        ["bad_index", "with different digests", () => lists(pair + other)],
        ["bad_index", "with different digests from main", () => lists(pair, { "contrib/binary-amd64": other })],
        [
          "not_found",
          "there is no main/binary-amd64/Packages",
          () => lists(pair).then(() => forEach((path) => fs.rm(path))),
        ],
        ["bad_index", "does not match", () => lists(pair).then(() => forEach((path) => fs.appendFile(path, "\n")))],
        ["wrong_feed", 'suite "stable" was requested', () => suite.release({ name: "testing" })],
        ["not_yet_valid", "made on 2026-01-21", () => suite.release({ at: day(20) })],
      ];
      for (const [code, says, spoil] of wrong) {
        await spoil();
        for (const [command, ...files] of [["publish"], ["sign", suite.path("Release")]] as [string, ...string[]][]) {
          const { error } = await keeper(day(10), command, ...files);
          expect({ code: error?.code, message: error?.message }, says).to.deep.include({ code });
          expect(error?.message).to.contain("clients would refuse").and.to.contain(says);
          expect(await fs.readdir(suite.path(".")), says).to.not.include("InRelease");
        }
      }
      await keeper.done(day(10), "sign", "--force", suite.path("Release"));
      await suite.refuse("not_yet_valid", day(10), "update");

      await suite.release({ lists: { "main/binary-amd64": pair, "contrib/binary-amd64": stanza("beta") } });
      await keeper.done(day(11), "publish");
      await suite.accept(day(11), "update");
      await lists("");
      expect(String((await keeper.done(day(12), "publish")).warnings)).to.contain("lists no package");
      // As reprepro has it signed: the new lists still have the ending, the old ones their names.
      await lists(stanza("gamma"));
      for (const name of ["Release", "main/binary-amd64/Packages.gz"])
        await fs.rename(suite.path(name), suite.path(`${name}.new`));
      await suite.write(suite.path("main/binary-amd64/Packages.gz"), "old");
      await keeper.done(day(13), "sign", suite.path("Release.new"));
      // As aptly has it signed: elsewhere, and the lists are in place.
      await lists(stanza("gamma"));
      await suite.write(join(suite.folder, "tmp/Release"), await fs.readFile(suite.path("Release")));
      await keeper.done(day(13), "sign", join(suite.folder, "tmp/Release"), "--feed", "stable");
    });
  });

  it("get a rotation's signature where the archive's key, or the record, vouches for them, and else stay", async () => {
    await withArchive(async (suite, keeper) => {
      await keeper(day(10), "publish");
      await suite.accept(day(10), "update");
      const held = Object.fromEntries(
        await Promise.all(
          ["Release", "InRelease", "Release.gpg"].map(async (name) => [name, await fs.readFile(suite.path(name))]),
        ),
      ) as Record<string, Buffer>;
      // A new text that nobody signed; an older one with its signatures; a foreign key's.
      await written(suite, day(12));
      await keeper(day(12), "publish");
      const other = await addKey(join(suite.folder, "other"), { userId: "Other <other@example.org>" });
      const begun = await keeper(day(13), "rotate", "--force");
      expect(begun.error).to.equal(undefined);
      const wrongs: [string, () => Promise<void>][] = [
        ["bad_signature", async () => await written(suite, day(13), "2")],
        [
          "rollback",
          async () => {
            for (const [name, bytes] of Object.entries(held)) await suite.write(suite.path(name), bytes);
          },
        ],
        [
          "untrusted_signer",
          async () => {
            const key = ["--home", join(suite.folder, "other"), "--at", iso(day(13))];
            await runHere([...key, "sign", suite.path("Release"), "--key", other, "--feed", "stable"]);
          },
        ],
      ];
      const copy = join(suite.folder, "copy");
      for (const name of ["site", "home"]) await fs.cp(join(suite.folder, name), join(copy, name), { recursive: true });
      for (const [code, spoil] of wrongs) {
        await spoil();
        const plan = await keeper(day(13), "rotate", "--finish", "--force", "--dry-run");
        expect(plan.error?.code, code).to.equal(code);
        expect(plan.error?.message).to.contain('feed "stable" was NOT signed');
        await fs.cp(join(copy, "site"), join(suite.folder, "site"), { recursive: true });
      }
      const finished = await keeper(day(13), "rotate", "--finish", "--force");
      expect({ error: finished.error, done: String(finished.done) }).to.deep.include({ error: undefined });
      expect(String(finished.done)).to.contain('signed feed "v1"').and.to.contain('signed feed "tools"');
      await suite.accept(day(13), "update");
      expect(feedsOf(await keeper(day(14), "publish")).map(({ changed }) => changed)).to.deep.equal([
        false,
        false,
        false,
      ]);
    });
  });
});
