/** `status --prometheus`, and the check for Nagios. */
import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { prometheus } from "../../src/cli/client/metrics.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere, runProgram } from "../testkit/programs/command-line.ts";

/** A line of the exposition format, as far as it is used here. */
const line =
  /^(# HELP feedkey_[a-z_]+ [^\n]+|# TYPE feedkey_[a-z_]+ gauge|feedkey_[a-z_]+\{([a-z]+="(\\["\\n]|[^"\\\n])*",?)+\} -?\d+(\.\d+)?)$/;

/** The samples by what stands in front of the value; each line must be one, and each series there once. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.trimEnd().split("\n");
  expect(lines.filter((one) => !line.test(one))).to.deep.equal([]);
  const samples = lines
    .filter((one) => !one.startsWith("#"))
    .map((one) => [one.replace(/ \S+$/, ""), Number(one.split(" ").at(-1))] as const);
  expect(new Set(samples.map(([series]) => series)).size).to.equal(samples.length);
  return new Map(samples);
}

describe("monitoring", () => {
  let archive: TestArchive;
  const at = published + hour;

  beforeEach(async () => {
    archive = await TestArchive.make({ feeds: ["base", "extra"] });
  });

  afterEach(() => archive.remove());

  const plain = (args: readonly string[]) => args.filter((word) => word !== "--json");

  async function metrics(args: readonly string[]) {
    const { status, stdout, stderr } = await runHere(plain(args));
    expect(status, stderr).to.equal(0);
    return samplesOf(stdout);
  }

  it("prints what a client has and when it ends", async () => {
    const before = await metrics(archive.clientArgs(at, "status", "--prometheus"));
    expect([...before].filter(([, value]) => value === 0)).to.have.length(2);
    await archive.accept(at, "update");
    const samples = await metrics(archive.clientArgs(at, "--quiet", "status", "--prometheus"));
    const profile = [...samples.keys()][0]?.match(/profile="([^"]+)"/)?.[1];
    const feed = `{profile="${profile}",feed="base"}`;
    expect(samples.get(`feedkey_feed_accepted${feed}`)).to.equal(1);
    expect(samples.get(`feedkey_feed_signed_timestamp_seconds${feed}`)).to.equal(published / 1000);
    expect(samples.get(`feedkey_feed_packages${feed}`)).to.equal(2);
    const expires = samples.get(`feedkey_feed_expires_timestamp_seconds${feed}`);
    expect(expires).to.equal(published / 1000 + 14 * 86_400);
  });

  it("prints what of an archive ends soon, with an exit status that lets a script go on", async () => {
    const samples = await metrics(
      archive.keeperArgs(at, "status", "--config", archive.config, "--prometheus", "--warn-within", "20y"),
    );
    const count = samples.get(`feedkey_archive_ends{key="${archive.key}"}`) ?? 0;
    const ends = [...samples.keys()].filter((series) => series.startsWith("feedkey_archive_end_timestamp_seconds"));
    expect(ends).to.have.length(count);
  });

  it("leaves out what is not known, and lets no label end early", () => {
    const samples = [
      { labels: { feed: 'a"} 1\nb\\' }, value: 1 },
      { labels: { feed: "none" }, value: null },
    ];
    const text = prometheus([
      { name: "one", help: "One.", samples },
      { name: "two", help: "Two.", samples: samples.slice(1) },
    ]);
    expect(text).to.equal('# HELP feedkey_one One.\n# TYPE feedkey_one gauge\nfeedkey_one{feed="a\\"} 1\\nb\\\\"} 1');
    samplesOf(text);
  });

  it("answers Nagios in its own statuses", async () => {
    const folder = join(archive.folder, "bin");
    fs.mkdirSync(folder);
    const check = async (statuses: Readonly<Record<string, number>>, ...args: readonly string[]) => {
      const cases = Object.entries(statuses).map(([words, status]) => `*"${words}"*) exit ${status} ;;`);
      fs.writeFileSync(
        join(folder, "feedkey"),
        `#!/bin/sh\necho "told of $*"\ncase "$*" in ${cases.join(" ")} esac\n`,
        { mode: 0o755 },
      );
      const env = { PATH: `${folder}:${process.env.PATH}` };
      const { status, stdout } = await runProgram("packaging/monitoring/check_feedkey", args, { env });
      return `${status} ${stdout.split(":")[0]}`;
    };
    const keeper = ["--config", "archive.ini"];
    expect(await check({ status: 0 }, ...keeper)).to.equal("0 FEEDKEY OK");
    expect(await check({ "--warn-within 7d": 0, status: 1 }, ...keeper)).to.equal("1 FEEDKEY WARNING");
    expect(await check({ status: 1 }, ...keeper)).to.equal("2 FEEDKEY CRITICAL");
    expect(await check({ status: 78 }, ...keeper)).to.equal("3 FEEDKEY UNKNOWN");
    for (const [status, told] of [
      [0, "0 FEEDKEY OK"],
      [1, "2 FEEDKEY CRITICAL"],
      [69, "3 FEEDKEY UNKNOWN"],
    ] as const)
      expect(await check({ update: status }, "--profile", "example")).to.equal(told);
    expect(await check({})).to.equal("3 FEEDKEY UNKNOWN");
  });
});
