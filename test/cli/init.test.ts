/** `feedkey init`: questions to a person, and what is written for the answers. */
import * as fs from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect } from "chai";
import { Context, type GlobalOptions } from "../../src/cli/context.ts";
import { init } from "../../src/cli/init.ts";
import { makeReporter } from "../../src/cli/run.ts";
import { FeedkeyError } from "../../src/index.ts";
import { iso } from "../../src/time.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere, runProgram } from "../testkit/programs/command-line.ts";

const at = iso(published + hour);

describe("feedkey init", () => {
  let archive: TestArchive;
  let folder: string;
  let config: string | undefined;

  beforeEach(async () => {
    archive = await TestArchive.make();
    folder = join(archive.folder, "first run");
    fs.mkdirSync(folder);
    config = process.env.XDG_CONFIG_HOME;
    process.env.XDG_CONFIG_HOME = join(folder, "config");
  });

  afterEach(() => {
    if (config === undefined) delete process.env.XDG_CONFIG_HOME;
    else process.env.XDG_CONFIG_HOME = config;
    archive.remove();
  });

  /** Answers the questions, hidden ones too, one after the other. */
  async function answering(answers: readonly string[], options: GlobalOptions = {}) {
    let said = "";
    const left = [...answers];
    const ask = async (question: string) => {
      said += question;
      const next = left.shift();
      if (next === undefined) throw new FeedkeyError("usage", `nobody answers "${question}"`);
      return next;
    };
    const stderr = new Writable({
      write: (text: Buffer, _encoding, done) => {
        said += text.toString();
        done();
      },
    }) as unknown as NodeJS.WriteStream;
    const context = new Context({ at, ...options }, makeReporter({}, { stdout: stderr, stderr, env: {} }));
    const outcome = await init(context, { ask, askHidden: ask }, folder);
    expect(left).to.deep.equal([]);
    return { ...outcome, said };
  }

  it("asks nothing where nobody is there to answer, and names the commands instead", async () => {
    const command = `${process.execPath} ${join(process.cwd(), "bin/feedkey.js")} --json init < /dev/null`;
    const { status, stdout } = await runProgram("sh", ["-c", command]);
    expect(status).to.equal(2);
    expect(JSON.parse(stdout).error.hint).to.contain("feedkey keygen").and.contain("feedkey profile init URL");
  });

  it("writes a profile for a client, which then updates", async () => {
    const answers = ["both", "follow", archive.mirror.url, "1234", archive.key, "", "", "feeds/base", "", ""];
    const { said, json } = await answering(answers);
    expect(said).to.contain('"both" is not one of publish, follow').and.contain("is not a full fingerprint");
    const profile = join(folder, "config/feedkey/profiles/default.ini");
    expect(json).to.deep.equal({ file: profile, seeds: [archive.key] });
    const args = ["--json", "--profile", profile, "--state", join(folder, "state"), "--at", at, "update"];
    expect(documentOf(await runHere(args)).error).to.equal(undefined);
  });

  it("writes a key and a configuration for a keeper, who then publishes, and replaces neither", async () => {
    const home = join(folder, "home");
    const answers = ["publish", "New Archive <new@example.org>", "", "", "", "secret", "secret"];
    const { json } = await answering(answers, { home });
    const file = join(folder, "archive.ini");
    expect(json).to.include({ file, feedFolder: join(folder, "archive/base") });
    const secret = join(folder, "secret");
    fs.writeFileSync(secret, "secret\n", { mode: 0o600 });
    const publish = ["--json", "--home", home, "--at", at, "publish", "--config", file, "--allow-empty"];
    const ended = await runHere([...publish, "--passphrase-file", secret]);
    expect(documentOf(ended).error).to.equal(undefined);
    const before = [fs.readFileSync(file, "utf8"), fs.readdirSync(join(home, "private"))];
    const refused = await answering(answers, { home }).catch((error: unknown) => error);
    expect(refused).to.include({ code: "output" });
    expect([fs.readFileSync(file, "utf8"), fs.readdirSync(join(home, "private"))]).to.deep.equal(before);
  });

  it("writes a suite of apt's", async () => {
    const home = join(folder, "home");
    const answers = ["publish", "New Archive <new@example.org>", "", "stable", "apt", "amd64 arm64", ""];
    const { json } = await answering(answers, { home });
    const file = join(folder, "archive.ini");
    expect(json).to.include({ feedFolder: join(folder, "archive/pool") });
    const publish = ["--json", "--home", home, "--at", at, "publish", "--config", file, "--allow-empty"];
    expect(documentOf(await runHere(publish)).error).to.equal(undefined);
    const lists = fs.readdirSync(join(folder, "archive/dists/stable/main"));
    expect(lists.sort()).to.deep.equal(["binary-amd64", "binary-arm64"]);
  });
});
