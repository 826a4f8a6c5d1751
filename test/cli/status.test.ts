/** `feedkey status`: what is there and what will break when, told without asking anybody or changing anything. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Duration, type Instant, iso } from "../../src/time.ts";
import { inLiveArchive } from "../testkit/archives/live-archive.ts";
import { hour, inArchive, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { type JsonDocument, runHere } from "../testkit/programs/command-line.ts";

const days = 24 * hour;

interface Status extends JsonDocument {
  readonly feeds: readonly {
    readonly name: string;
    readonly signedAt: string | null;
    readonly expiresAt: string | null;
    readonly entries: number | null;
    readonly signers: readonly string[];
    readonly breaksAt: string | null;
    readonly breaksBecause: string | null;
  }[];
  readonly keys: readonly {
    readonly fingerprint: string;
    readonly role: string;
    readonly expiresAt: string | null;
    readonly state: string;
    readonly lastCheckAt: string | null;
    readonly accepted: boolean;
  }[];
}

const noKeyservers = "keyservers = none: revocations reach this client only through the archive's own bundle";

describe("feedkey status", () => {
  let archive: TestArchive;

  beforeEach(async () => {
    archive = await TestArchive.make({ feeds: ["base", "extra"], lifetime: 100 * days });
  });

  afterEach(() => archive.remove());

  /** Its document; it must succeed, ask nobody and leave every file as it is. */
  async function statusAt(at: Instant, of = archive): Promise<Status> {
    const before = await of.everything();
    of.mirror.sync(of.site);
    const document = (await of.accept(at, "status")) as Status;
    expect(of.mirror.asked, "questions").to.deep.equal([]);
    expect(await of.everything()).to.deep.equal(before);
    return document;
  }

  it("knows the seeds before the first update, and that nothing was updated", async () => {
    const { feeds, keys, warnings } = await statusAt(published);
    const never = { signedAt: null, expiresAt: null, entries: null, signers: [], breaksAt: null, breaksBecause: null };
    expect(feeds).to.deep.equal([
      { name: "base", ...never },
      { name: "extra", ...never },
    ]);
    expect(keys).to.have.length(1);
    expect(keys[0]).to.deep.include({ fingerprint: archive.key, role: "seed", accepted: false, lastCheckAt: null });
    expect(warnings).to.deep.equal(['feed "base" was never updated', 'feed "extra" was never updated', noKeyservers]);
  });

  it("tells of each feed when it was signed, by whom, and until when that holds", async () => {
    await archive.accept(published + hour, "update");
    const { feeds, keys, warnings } = await statusAt(published + 2 * hour);
    const expected = {
      signedAt: iso(published),
      expiresAt: iso(published + 14 * days),
      entries: 2,
      signers: [archive.key],
      breaksAt: iso(published + 90 * days),
      breaksBecause: `the key ${archive.key} expires`,
    };
    expect(feeds).to.deep.equal([
      { name: "base", ...expected },
      { name: "extra", ...expected },
    ]);
    const ends = iso(published + 90 * days);
    expect(keys[0]).to.deep.include({ state: "may sign", accepted: true, expiresAt: ends });
    expect(warnings).to.deep.equal([noKeyservers]);
  });

  it("says what has expired", async () => {
    await archive.accept(published + hour, "update", "base");
    const end = published + 14 * days;
    expect((await statusAt(end - 1000)).warnings?.join("\n")).to.not.include("expired");
    const text = `feed "base": its signature expired on ${iso(end)}; run feedkey update`;
    expect((await statusAt(end)).warnings).to.include(text);
  });

  it("says of a signature without an end that it can be replayed", async () => {
    await archive.signText(await fs.readFile(archive.file("Packages")), published, "--valid-for", "never");
    await archive.accept(published + hour, "update", "base");
    const { feeds, warnings } = await statusAt(published + 2 * hour);
    expect(feeds[0]).to.deep.include({ name: "base", expiresAt: null });
    expect(warnings?.join("\n")).to.include('feed "base": its signature never expires');
  });

  it("warns two weeks before the last key that may sign expires, and when it has", async () => {
    const end = published + 90 * days;
    const lastKey = async (at: Instant) =>
      (await statusAt(at)).warnings?.filter(
        (text) => text.includes("key that may sign") || text.includes("no known key"),
      );
    expect(await lastKey(end - 14 * days)).to.deep.equal([]);
    expect(await lastKey(end - 13 * days)).to.deep.equal(["in 13 days no known key may sign any more"]);
    expect(await lastKey(end)).to.deep.equal(["no known key may sign now: run feedkey refresh, or get a new profile"]);
    const { keys } = await statusAt(end);
    expect(keys[0]?.state).to.match(/^the key expired on /);
  });

  it("does not warn while a successor lives on", async () => {
    const rotated = await runHere(
      archive.keeperArgs(published + hour, "rotate", "--config", archive.config, "--force"),
    );
    expect(rotated.status, rotated.stdout).to.equal(0);
    await archive.mirror.sync(archive.site);
    await archive.accept(published + 2 * hour, "refresh");
    const { keys, warnings } = await statusAt(published + 89 * days);
    expect(keys.map(({ role, accepted }) => [role, accepted])).to.have.deep.members([
      ["seed", true],
      ["successor", true],
    ]);
    expect(warnings?.join("\n")).to.not.include("last known key");
  });

  it("has no key left when the only one was compromised", async () => {
    await archive.accept(published + hour, "update");
    const args = ["revoke", archive.key, "--reason", "compromised", "--force", "--config", archive.config];
    expect((await runHere(archive.keeperArgs(published + hour, ...args))).status).to.equal(0);
    await archive.mirror.sync(archive.site);
    await runHere(archive.clientArgs(published + 2 * hour, "refresh"));
    const { keys, warnings } = await statusAt(published + 3 * hour);
    expect(keys).to.deep.equal([]);
    expect(warnings?.join("\n")).to.include("no known key may sign now");
  });

  it("says when keys will be refused because no key server answers", async () => {
    await inLiveArchive(async (live) => {
      const key = await live.keygen();
      await live.publish(key);
      await live.ship(key);
      await live.accept("refresh");
      const { keys } = (await live.accept("status")) as Status;
      const checked = keys[0]?.lastCheckAt ?? "";
      const warningsIn = async (after: Duration) => {
        const { warnings = [] } = await live.accept("--at", iso(Date.parse(checked) + after), "status");
        return warnings.filter((text) => text.includes(key));
      };
      const since = `no key server has confirmed since ${checked} that ${key} is not revoked`;
      expect(await warningsIn(7 * days - hour)).to.deep.equal([]);
      expect(await warningsIn(8 * days - hour)).to.deep.equal([`${since}: in 6 days the key will be refused`]);
      expect(await warningsIn(15 * days)).to.deep.equal([
        `${since}: this client refuses the key until a key server confirms it`,
      ]);
    });
  });

  it("is a table for people, its warnings apart", async () => {
    await archive.accept(published + hour, "update");
    const args = archive.clientArgs(published + 2 * hour, "status").filter((arg) => arg !== "--json");
    const { stdout, stderr, status } = await runHere(args);
    expect(status).to.equal(0);
    expect(stdout)
      .to.match(/^feed +signed +expires +packages +signed by$/m)
      .and.match(/^key +role +until/m);
    expect(stdout).to.match(new RegExp(`^base +${iso(published)} +\\S+ +2 +${archive.key}$`, "m"));
    expect(stdout).to.match(new RegExp(`^${archive.key} +seed .* may sign$`, "m"));
    expect(stderr).to.equal(`feedkey: warning: ${noKeyservers}\n`);
  });

  it("does not hide that the state is damaged", async () => {
    await archive.accept(published + hour, "update");
    const ledger = join(archive.state, "example/ledger.json");
    await fs.writeFile(ledger, (await fs.readFile(ledger, "utf8")).slice(0, -20));
    await archive.refuse({ code: "bad_state", status: 74 }, published + 2 * hour, "status");
  });

  it("of a profile without seeds: no_seed", async () => {
    await inArchive(async (other) => {
      await other.writeProfile({ seeds: [] });
      const text = (await fs.readFile(other.profile, "utf8")).replace("seeds = \n", "seeds =\n");
      await fs.writeFile(other.profile, text);
      await other.refuse({ code: "no_seed", status: 78 }, published, "status");
    });
  });
});
