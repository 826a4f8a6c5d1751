/** The client as a library: what it throws, what it reports, and that each call is judged by the clock of its own time. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Client, type ClientOptions, FeedkeyError, openClient } from "../../src/index.ts";
import { published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { day } from "../testkit/dates.ts";

async function refusal(action: Promise<unknown>): Promise<FeedkeyError> {
  const outcome = await action.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof FeedkeyError) return outcome;
  throw new Error("it was not refused", { cause: outcome });
}

/** The files below a folder that this process has open. */
async function openFiles(folder: string): Promise<string[]> {
  const own = "/proc/self/fd";
  const paths = (await fs.readdir(own)).map((name) => fs.readlink(join(own, name)).catch(() => ""));
  return (await Promise.all(paths)).filter((path) => path.startsWith(folder));
}

describe("the client as a library", () => {
  let archive: TestArchive;
  let clients: Client[];

  beforeEach(async () => {
    archive = await TestArchive.make({ feeds: ["base", "extra"] });
    clients = [];
  });

  afterEach(async () => {
    for (const client of clients) await client.close();
    await archive.remove();
  });

  async function open(options: Partial<ClientOptions> = {}): Promise<Client> {
    const { profile, state: stateFolder } = archive;
    const client = await openClient({ profile, stateFolder, at: published, ...options });
    clients.push(client);
    return client;
  }

  it("updates, then fetches what it is asked for", async () => {
    const client = await open();
    const { feeds, errors } = await client.update();
    expect(feeds.map(({ feed, ok }) => [feed.name, ok])).to.deep.equal([
      ["base", true],
      ["extra", true],
    ]);
    expect(errors).to.deep.equal([]);
    const fetched = await client.fetch("alpha", { folder: archive.out });
    expect(fetched.path).to.equal(join(archive.out, "alpha_1.0-1_all.ipk"));
    expect((await fs.stat(fetched.path)).size).to.equal(fetched.size);
  });

  it("throws the most serious refusal, after all feeds were tried; or reports it", async () => {
    const client = await open();
    for (const name of ["Packages.sig", "Packages.asc"]) {
      await fs.copyFile(archive.file(name, "extra"), archive.file(name));
    }
    await archive.mirror.sync(archive.site);
    expect((await refusal(client.update())).code).to.equal("wrong_feed");
    expect((await client.status()).feeds.map(({ name, entries }) => [name, entries])).to.deep.equal([
      ["base", null],
      ["extra", 2],
    ]);
    const { feeds, errors } = await client.update({ partial: true });
    expect(feeds.map(({ ok }) => ok).sort()).to.deep.equal([false, true]);
    expect(errors.map(({ code }) => code)).to.deep.equal(["wrong_feed"]);
  });

  it("throws if one of several packages is refused; or reports it beside the others", async () => {
    const client = await open();
    await client.update();
    const folder = archive.out;
    expect((await refusal(client.fetchAll(["alpha", "gamma"], { folder }))).code).to.equal("not_found");
    const { packages, errors } = await client.fetchAll(["alpha", "gamma"], { folder, partial: true });
    expect(packages).to.have.length(1);
    expect(errors.map(({ code }) => code)).to.deep.equal(["not_found"]);
  });

  it("refuses package files that the index does not list, those that are missing too, unless only a report is wanted", async () => {
    const client = await open();
    const path = join(archive.site, "feeds", "base");
    const index = join(path, "Packages");
    const whole = await client.verify(index, { folder: { path, complete: true } });
    expect(whole.packages).to.have.length(2);
    await fs.rm(join(path, "alpha_1.0-1_all.ipk"));
    expect((await client.verify(index, { folder: { path } })).packages).to.have.length(1);
    expect((await refusal(client.verify(index, { folder: { path, complete: true } }))).code).to.equal("size_mismatch");
    const { errors } = await client.verify(index, { folder: { path, complete: true }, partial: true });
    expect(errors).to.have.length(1);
  });

  it("keeps no file open after a call, even of a large index", async () => {
    const text = await fs.readFile(archive.file("Packages"), "utf8");
    const many = Array.from({ length: 3000 }, (_, n) => text.replaceAll(/^(Package: |Filename: )/gm, `$1n${n}`));
    await archive.signText([text, ...many].join("\n"), published);
    await archive.mirror.sync(archive.site);
    const client = await open();
    const folder = archive.out;
    const index = archive.file("Packages");
    const calls: Record<string, () => Promise<unknown>> = {
      update: () => client.update(),
      "update, nothing changed": () => client.update(),
      fetch: () => client.fetch("alpha", { folder }),
      "fetch, refused": () => refusal(client.fetch("gamma", { folder })),
      list: () => client.list(),
      status: () => client.status(),
      verify: () => client.verify(index),
      "verify, refused": () => refusal(client.verify(index, { signature: archive.file("Packages") })),
      "verify, audit": () => client.verify(index, { audit: true }),
      mirror: () => client.mirror("base", join(archive.folder, "copy"), { packages: ["alpha"] }),
    };
    for (const [name, call] of Object.entries(calls)) {
      await call();
      expect(await openFiles(archive.folder), name).to.deep.equal([]);
    }
  });

  it("records nothing in an audit", async () => {
    const client = await open();
    await client.verify(archive.file("Packages"), { audit: true });
    expect((await client.status()).feeds[0]?.signedAt).to.equal(null);
    await client.verify(archive.file("Packages"));
    expect((await client.status()).feeds[0]?.signedAt).to.not.equal(null);
  });

  it("judges each call by the clock of its own time, however long it stays open", async () => {
    const client = await open({ at: undefined });
    const { now } = Date;
    try {
      Date.now = () => published;
      await client.update();
      await client.fetch("alpha", { folder: archive.out });
      Date.now = () => published + day(60) - day(0);
      expect((await refusal(client.fetch("beta", { folder: archive.out }))).code).to.equal("stale");
    } finally {
      Date.now = now;
    }
  });

  it("tells a reporter of warnings, and has them in each report", async () => {
    const told: string[] = [];
    const client = await open({ reporter: { warn: (text) => told.push(text) } });
    const { warnings } = await client.status();
    expect(warnings).to.not.have.length(0);
    expect(told).to.deep.equal(warnings);
    expect((await client.chain()).warnings).to.deep.equal([]);
  });

  it("says why and by which code a profile can't be opened", async () => {
    expect((await refusal(open({ profile: join(archive.folder, "none.ini") }))).code).to.equal("not_found");
  });

  it("does nothing any more once it is closed", async () => {
    const client = await open();
    await client.close();
    expect((await refusal(client.update())).code).to.equal("usage");
    await client[Symbol.asyncDispose]();
  });

  it("does nothing at import", () => {
    const script = `
      const before = [process.eventNames().join(), Object.keys(globalThis).join(), JSON.stringify(process.env)];
      await import("feedkey");
      await import("feedkey/trust");
      const after = [process.eventNames().join(), Object.keys(globalThis).join(), JSON.stringify(process.env)];
      await new Promise((done) => setTimeout(done, 10));
      console.log(JSON.stringify([before, after, process.getActiveResourcesInfo()]));`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    const [before, after, active] = JSON.parse(said) as [string[], string[], string[]];
    expect(after).to.deep.equal(before);
    expect(active.filter((name) => name !== "PipeWrap")).to.deep.equal([]);
  });
});
