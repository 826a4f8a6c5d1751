// apt's repositories: signed, updated, fetched and verified by feedkey; each hop changed in turn.
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { partsBeside, type Source } from "../../src/client/index-download.ts";
import { netLimits, timeFor } from "../../src/net/limits.ts";
import type { GetOptions } from "../../src/net/types.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";
import { debOf, hash, releaseDate, stanza, withSuite } from "./suite.ts";

const main = "main/binary-amd64";

/** The folder of the accepted index, somewhere below the state. */
async function folderOfParts(state: string): Promise<string> {
  const names = await fs.readdir(state, { recursive: true });
  const found = names.find((name) => /part-[0-9a-f]{64}$/.test(name));
  return dirname(join(state, found ?? ""));
}

describe("apt's repositories", function () {
  this.timeout(60_000);

  it("are updated and fetched, by InRelease, or by Release and Release.gpg where there is no other", async () => {
    await withSuite(async (suite) => {
      await suite.release();
      await suite.sign();
      for (const round of ["InRelease", "Release.gpg"]) {
        await suite.accept(day(11), "update");
        expect(await suite.fetch(day(11), "alpha"), round).to.deep.equal(["alpha_1.0_amd64.deb"]);
        expect(await fs.readFile(join(suite.folder, "out/alpha_1.0_amd64.deb"), "utf8")).to.equal(debOf("alpha"));
        await fs.rm(suite.path("InRelease"), { force: true });
        await fs.rm(join(suite.folder, "state"), { recursive: true });
      }
      // Badness of one is never made good by the other.
      await suite.sign(day(12));
      const signed = await fs.readFile(suite.path("InRelease"), "utf8");
      await suite.write(suite.path("InRelease"), signed.replace("Suite", "Label: x\nSuite"));
      await suite.refuse("bad_signature", day(12), "update");
      await suite.write(suite.path("InRelease"), `${signed}\n`);
      await suite.refuse("bad_signature_data", day(12), "update");
    });
  });

  it("may list a package that is called as another one with its version, which is not taken for that one", async () => {
    await withSuite(async (suite) => {
      await suite.release({ lists: { [main]: stanza("alpha") + stanza("alpha=1.0", "5.0") } });
      await suite.sign();
      await suite.accept(day(11), "update");
      expect(await suite.fetch(day(11), "alpha=1.0")).to.deep.equal(["alpha_1.0_amd64.deb"]);
    });
  });

  it("may have several components and architectures, whose lists count as one", async () => {
    await withSuite(async (suite) => {
      const lists = {
        [main]: stanza("alpha") + stanza("shared", "1.0", "all"),
        "main/binary-arm64": stanza("beta", "1.0", "arm64") + stanza("shared", "1.0", "all"),
        "contrib/binary-amd64": stanza("alpha", "2.0"),
        "contrib/binary-arm64": "",
      };
      const fields = ["Components: main contrib", "Architectures: amd64 arm64 all"];
      await suite.profile(["suite = stable-code", "components = main, contrib", "architectures = amd64, arm64"]);
      await suite.release({ lists, fields });
      await suite.sign();
      // By its codename, as mirrors have it: a link to the suite.
      await fs.symlink("stable", join(suite.folder, "site/debian/dists/stable-code"));
      await suite.accept(day(11), "update");
      expect(await suite.fetch(day(11), "alpha", "beta", "shared")).to.deep.equal([
        "alpha_2.0_amd64.deb",
        "beta_1.0_arm64.deb",
        "shared_1.0_all.deb",
      ]);
      expect(await suite.fetch(day(11), "--all")).to.have.length(4);
      await suite.release({
        at: day(12),
        lists: {
          ...lists,
          "contrib/binary-arm64": stanza("shared", "1.0", "all").replace(/SHA256: .*/, `SHA256: ${"0".repeat(64)}`),
        },
        fields,
      });
      await suite.sign(day(12), "--force");
      await suite.refuse("bad_index", day(12), "update");
      // A component more in the profile: nothing of it was accepted yet.
      await suite.release({ at: day(13), lists, fields });
      await suite.sign(day(13));
      await suite.profile();
      await suite.accept(day(13), "update");
      await suite.profile(["suite = stable", "components = main, contrib", "architectures = amd64"]);
      await suite.refuse("not_found", day(13), "fetch", "-o", join(suite.folder, "out"), "alpha");
      await suite.accept(day(13), "update");
      expect(await suite.fetch(day(13), "alpha")).to.deep.equal(["alpha_2.0_amd64.deb"]);
    });
  });

  it("are bound to the suite that was asked for", async () => {
    await withSuite(async (suite) => {
      await suite.release({ name: "testing" });
      await suite.sign();
      await suite.refuse("wrong_feed", day(11), "update");
      await suite.release({ fields: ["Components: contrib"] });
      await suite.sign(day(12));
      await suite.refuse("wrong_feed", day(12), "update");
      await suite.release();
      await suite.sign(day(13));
      await suite.accept(day(13), "update");
    });
  });

  it("stay the repository that was accepted, by Origin, Label and Codename, unless a change is allowed", async () => {
    await withSuite(async (suite) => {
      const publish = async (at: number, ...fields: readonly string[]) => {
        await suite.release({ at, fields });
        await suite.sign(at);
      };
      await publish(day(10), "Origin: One", "Label: Main");
      await suite.accept(day(10), "update");
      await publish(day(11), "Origin: One", "Label: Main");
      await suite.accept(day(11), "update");
      for (const fields of [["Origin: Two", "Label: Main"], ["Origin: One", "Label: Other"], ["Origin: One"]]) {
        await publish(day(12), ...fields);
        await suite.refuse("wrong_feed", day(12), "update");
        await suite.refuse("wrong_feed", day(12), "verify", suite.path("InRelease"));
      }
      const text = await suite.release({ at: day(12), fields: ["Origin: One", "Label: Main"] });
      await suite.write(suite.path("Release"), text.replace("stable-code", "other-code"));
      await suite.sign(day(12));
      await suite.refuse("wrong_feed", day(12), "update");
      await suite.accept(day(12), "update", "--allow-releaseinfo-change");
      await suite.accept(day(12), "update");
      // Consent to another name is none to an older text.
      await suite.release({ at: day(9), fields: ["Origin: Two"] });
      await suite.sign(day(13));
      await suite.refuse("rollback", day(13), "update", "--allow-releaseinfo-change");
    });
  });

  it("say of a rollback that another suite needs a name of its own", async () => {
    await withSuite(async (suite) => {
      await suite.release({ at: day(9) });
      await suite.sign(day(10));
      await suite.accept(day(10), "update");
      for (const name of ["InRelease", "Release.gpg"]) await fs.rm(suite.path(name));
      await suite.sign(day(9));
      const said = await suite.run(day(10), "verify", suite.path("InRelease"));
      expect(said.error?.code).to.equal("rollback");
      expect(said.error?.hint).to.contain("[feed ...]");
    });
  });

  it("give each list a time by its own size, however little is left of the root's", async () => {
    const asked: (number | undefined)[] = [];
    const transport = {
      limits: netLimits,
      get: async (_: URL, { within }: GetOptions) => {
        asked.push(within);
        return { status: 200, headers: {}, body: Buffer.from("list") };
      },
    };
    const progress = () => ({ update: () => undefined, stop: () => undefined });
    const source = {
      session: { options: { transport, reporter: { progress } } },
      location: "https://example.org/",
      feed: { name: "stable", path: "debian" },
      left: () => 0,
      absences: [],
    } as unknown as Source;
    const size = 64 * 1024 * 1024;
    expect(await partsBeside(source, "dists/stable/InRelease", {})("main/Packages", size, undefined)).to.not.equal(
      undefined,
    );
    const total = timeFor(size, netLimits);
    expect(asked[0]).to.be.within(total - netLimits.fileBase, total);
  });

  it("never go back, expire at Valid-Until, and are not from the future (T9)", async () => {
    await withSuite(async (suite) => {
      await suite.release({ at: day(10), fields: [`Valid-Until: ${releaseDate(day(20))}`] });
      await suite.sign(day(10), "--valid-for", "never");
      await suite.accept(day(11), "update");
      // Signed later, but an older text: by the signature's date alone it would be news.
      await suite.release({ at: day(9) });
      await suite.sign(day(12), "--valid-for", "never");
      await suite.refuse("rollback", day(12), "update");
      await suite.release({ at: day(13) });
      await suite.sign(day(12), "--valid-for", "never", "--force");
      await suite.refuse("not_yet_valid", day(12), "update");
      await suite.fetch(day(19), "alpha");
      await suite.refuse("stale", day(21), "fetch", "-o", join(suite.folder, "out"), "alpha");
      await suite.release({ at: day(14), fields: [`Valid-Until: ${releaseDate(day(15))}`] });
      await suite.sign(day(14), "--valid-for", "never");
      await suite.refuse("stale", day(16), "update");
      await suite.accept(day(15), "update");
    });
  });

  it("give their lists by digest alone, by-hash first, and each form is checked before and after it is decompressed", async () => {
    await withSuite(async (suite) => {
      const text = stanza("alpha");
      const release = await suite.release({ fields: ["Acquire-By-Hash: yes"] });
      await suite.sign();
      const refuse = async (code: string) => await suite.refuse(code, day(11), "update");
      const gz = gzipSync(text);
      // The plain names hold what a later run of the archive wrote.
      await suite.write(suite.path(`${main}/Packages.gz`), gzipSync(stanza("later")));
      await suite.write(suite.path(`${main}/Packages`), stanza("later"));
      await refuse("bad_index");
      await suite.write(suite.path(`${main}/by-hash/SHA256/${hash(gz)}`), gz);
      await suite.accept(day(11), "update");
      await fs.rm(join(suite.folder, "state"), { recursive: true });
      // Same length, other bytes.
      await suite.write(
        suite.path(`${main}/by-hash/SHA256/${hash(gz)}`),
        Buffer.concat([gz.subarray(0, -1), Buffer.of(1)]),
      );
      await refuse("bad_index");
      await fs.rm(suite.path(`${main}/by-hash`), { recursive: true });
      await fs.rm(suite.path(`${main}/Packages.gz`));
      await refuse("bad_index");
      await fs.rm(suite.path(`${main}/Packages`));
      await refuse("unavailable");
      await suite.write(suite.path(`${main}/Packages`), text);
      await suite.accept(day(11), "update");
      // A compressed form whose digest is right, but that decompresses to something else.
      const other = gzipSync(text.replace("1.0", "1.1"));
      await suite.write(suite.path(`${main}/Packages.gz`), other);
      const line = /^ .*Packages\.gz$/m;
      await suite.write(
        suite.path("Release"),
        release.replace(line, ` ${hash(other)} ${other.length} ${main}/Packages.gz`).replace("stable-code", "code"),
      );
      await suite.sign(day(12), "--force");
      await fs.rm(join(suite.folder, "state"), { recursive: true });
      await suite.refuse("bad_index", day(12), "update");
    });
  });

  it("lose nothing when a later update is refused, and ask for no list that did not change", async () => {
    await withSuite(async (suite) => {
      await suite.release();
      await suite.sign();
      await suite.accept(day(11), "update");
      // The same list under a new Release: its files are not needed.
      await suite.release({ at: day(12) });
      await suite.sign(day(12));
      await fs.rm(suite.path("main"), { recursive: true });
      await suite.accept(day(12), "update");
      expect(await suite.fetch(day(12), "alpha")).to.have.length(1);
      await suite.release({ at: day(13), lists: { [main]: stanza("beta") } });
      await suite.sign(day(13));
      await suite.write(suite.path(`${main}/Packages.gz`), "changed");
      await suite.refuse("bad_index", day(13), "update");
      expect(await suite.fetch(day(13), "alpha")).to.have.length(1);
      // What lies in the client's state is believed no more than a mirror.
      const [kept = ""] = (await fs.readdir(join(suite.folder, "state/example/feeds/stable"))).filter((name) =>
        name.startsWith("part-"),
      );
      await fs.writeFile(join(suite.folder, "state/example/feeds/stable", kept), stanza("evil"));
      await suite.refuse("bad_state", day(13), "fetch", "-o", join(suite.folder, "out"), "evil");
    });
  });

  it("have a status, mend a damaged list, and are one index in both forms whatever blanks end their lines", async () => {
    await withSuite(async (suite) => {
      const text = await suite.release({ fields: ["Label: "] });
      await suite.write(suite.path("Release"), text.slice(0, -1));
      await suite.sign();
      await suite.accept(day(11), "update");
      const { feeds } = await suite.accept(day(11), "status");
      expect((feeds as { expiresAt: string }[])[0]?.expiresAt).to.match(/^20/);
      const folder = await folderOfParts(join(suite.folder, "state"));
      const part = join(folder, `part-${hash(stanza("alpha"))}`);
      await fs.writeFile(part, "damaged");
      await suite.refuse("bad_state", day(11), "list");
      await suite.accept(day(11), "update");
      const mended = join(await folderOfParts(join(suite.folder, "state")), `part-${hash(stanza("alpha"))}`);
      expect(await fs.readFile(mended, "utf8")).to.equal(stanza("alpha"));
      // Only the form is another one.
      const inline = await fs.readFile(suite.path("InRelease"));
      await fs.rm(suite.path("InRelease"));
      await suite.accept(day(11), "update");
      await suite.write(suite.path("InRelease"), inline);
      await suite.accept(day(11), "update");
      // Control: another text of the same moment is refused.
      await suite.release({ fields: ["Label: other"] });
      await fs.rm(suite.path("InRelease"));
      await fs.rm(suite.path("Release.gpg"));
      await suite.sign();
      await suite.refuse("rollback", day(11), "update");
    });
  });

  it("are verified on the disk, also under the names that apt gives its lists", async () => {
    await withSuite(async (suite) => {
      await suite.release();
      await suite.sign();
      const verify = ["verify", "--no-state"];
      const deb = join(suite.folder, "site/debian/pool/alpha_1.0_amd64.deb");
      for (const name of ["InRelease", "Release"]) await suite.accept(day(11), ...verify, suite.path(name), deb);
      const lists = join(suite.folder, "lists");
      const as = (name: string) => join(lists, `deb.example.org_debian_dists_stable_${name}`);
      await suite.write(as("InRelease"), await fs.readFile(suite.path("InRelease")));
      await suite.refuse("unavailable", day(11), ...verify, as("InRelease"));
      await suite.write(as("main_binary-amd64_Packages"), stanza("alpha"));
      await suite.accept(day(11), ...verify, as("InRelease"), deb);
      await suite.write(as("main_binary-amd64_Packages"), stanza("alphb"));
      await suite.refuse("bad_index", day(11), ...verify, as("InRelease"), deb);
      await suite.write(deb, "changed");
      await suite.refuse("size_mismatch", day(11), ...verify, suite.path("InRelease"), deb);
    });
  });

  it("are signed by several keys in one armored block, the older key first, and a client of either follows", async () => {
    await withSuite(async (suite) => {
      await suite.release();
      const second = await addKey(join(suite.folder, "home"), { at: day(5), userId: "Other <archive@example.org>" });
      await suite.accept(day(10), "sign", suite.path("Release"), "--key", second, "--also-key", suite.key);
      const signed = await fs.readFile(suite.path("InRelease"), "utf8");
      expect(signed.match(/BEGIN PGP SIGNATURE/g)).to.have.length(1);
      const said = await suite.accept(day(11), "update");
      const [feed] = said.feeds as { signatures: { certificate: string }[] }[];
      expect(feed?.signatures.map(({ certificate }) => certificate)).to.deep.equal([suite.key]);
      const twice = ["sign", suite.path("Release"), "--key", suite.key, "--also-key", suite.key];
      await suite.refuse("usage", day(11), ...twice);
      await suite.write(suite.path("Packages"), "");
      await suite.refuse("usage", day(11), "sign", suite.path("Packages"), "--key", suite.key, "--also-key", second);
      // A Release that clients would refuse is not signed.
      await suite.write(suite.path("Release"), "Suite: stable\n");
      await suite.refuse("bad_index", day(11), "sign", suite.path("Release"), "--key", suite.key);
    });
  });
});
