/** Completion of the command line: what fits where, and the three shells' scripts in the real shells. */
import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { need } from "../testkit/programs/peers.ts";

describe("completion", () => {
  let archive: TestArchive;

  before(async () => {
    archive = await TestArchive.make({ feeds: ["base", "extra"] });
    await archive.accept(published + hour, "update");
  });

  after(() => archive.remove());

  /** @returns the first line of the answer, and the words */
  async function complete(...words: readonly string[]): Promise<{ kind: string; words: string[] }> {
    const { status, stdout, stderr } = await runHere(["completion", "words", "--", ...words]);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: "" });
    const [kind = "", ...lines] = stdout.trimEnd().split("\n");
    return { kind, words: lines.map((line) => line.split("\t")[0] ?? "") };
  }

  it("completes commands, and commands below them", async () => {
    expect((await complete("upd")).words).to.deep.equal(["update"]);
    expect((await complete("")).words).to.include.members(["keygen", "rotate", "fetch", "completion"]);
    expect((await complete("key", "ex")).words).to.deep.equal(["export", "extend"]);
    expect((await complete("--json", "--profile", "key", "upd")).words).to.deep.equal(["update"]);
  });

  it("completes options of the command and of the program", async () => {
    expect((await complete("fetch", "--a")).words).to.deep.equal(["--all", "--at"]);
    expect((await complete("--no")).words).to.deep.equal(["--no-color"]);
  });

  it("offers files where the value is one, and nothing where it is free", async () => {
    expect((await complete("verify", "")).kind).to.equal("files");
    expect((await complete("fetch", "-o", "")).kind).to.equal("files");
    expect(await complete("--at", "2")).to.deep.equal({ kind: "words", words: [] });
    expect(await complete("fetch", "--all=x")).to.deep.equal({ kind: "words", words: [] });
  });

  it("offers profiles, programs and shells", async () => {
    expect((await complete("--profile", "de")).words).to.include("demo");
    expect((await complete("--profile=de")).words).to.include("--profile=demo");
    expect((await complete("profile", "check", "de")).words).to.include("demo");
    expect((await complete("export", "--for", "o")).words).to.deep.equal(["opkg"]);
    expect((await complete("setup", "")).words).to.deep.equal([
      "opkg",
      "pkg_install",
      "apt",
      "dnf",
      "zypper",
      "pacman",
    ]);
    expect((await complete("completion", "f")).words).to.deep.equal(["fish"]);
  });

  it("offers the profile's feeds, the accepted indexes' packages and the store's keys", async () => {
    const profile = ["--profile", archive.profile, "--state", archive.state, "--at", iso(published + hour)];
    expect((await complete(...profile, "update", "")).words).to.deep.equal(["base", "extra"]);
    expect((await complete(...profile, "fetch", "--feed", "e")).words).to.deep.equal(["extra"]);
    const { words } = await complete(...profile, "fetch", "al");
    expect(words).to.deep.equal(["alpha"]);
    expect((await complete("--home", archive.home, "key", "extend", "")).words).to.deep.equal([archive.key]);
  });

  it("offers nothing, and says nothing, where the profile or its state can't be read", async () => {
    expect(await complete("--profile", "/nowhere.ini", "fetch", "a")).to.deep.equal({ kind: "words", words: [] });
    const { words } = await complete("--profile", archive.profile, "--state", archive.profile, "fetch", "a");
    expect(words).to.deep.equal([]);
  });

  it("refuses a shell that it does not know", async () => {
    const { status, stderr } = await runHere(["completion", "csh"]);
    expect(status).to.equal(2);
    expect(stderr).to.include("bash, zsh, fish");
  });

  describe("in the shells", () => {
    let folder: string;

    before(async () => {
      folder = await fs.mkdtemp("/tmp/fk-shell-");
      await fs.writeFile(join(folder, "a file.txt"), "");
      const program = join(folder, "feedkey");
      await fs.writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${resolve("bin/feedkey.js")}" "$@"\n`);
      await fs.chmod(program, 0o755);
    });

    after(() => fs.rm(folder, { recursive: true, force: true }));

    /** An interactive shell at a terminal. `start` is what it runs first. */
    class Terminal {
      #shown = "";
      readonly #child;

      constructor(shell: string) {
        const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: "dumb", LC_ALL: "C.UTF-8" };
        this.#child = spawn("script", ["-qec", shell, "/dev/null"], { cwd: folder, env, stdio: "pipe" });
        this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
          this.#shown += text;
        });
      }

      async start(what: string): Promise<void> {
        this.#child.stdin.write(`${what}; echo REA""DY\n`);
        await this.#saw(/READY[\r\n]/);
      }

      /** Types a line and Tab, then has the line printed, as it has become. */
      async tab(line: string): Promise<string> {
        this.#shown = "";
        // Ctrl-A and Ctrl-E go to the start and the end of the line; by then the shell has answered to Tab.
        this.#child.stdin.write(`${line}\t\x01echo "[[\x05]]"\n`);
        return (await this.#saw(/[\r\n]\[\[(.*?)\]\]/)).trimEnd();
      }

      end(): void {
        this.#child.kill("SIGKILL");
      }

      async #saw(what: RegExp): Promise<string> {
        for (;;) {
          const found = what.exec(this.#shown);
          if (found !== null) return found[1] ?? "";
          if (this.#child.exitCode !== null) throw new Error(`it ended before ${what}: ${this.#shown}`);
          await sleep(20);
        }
      }
    }

    const lines: readonly (readonly [string, string])[] = [
      ["feedkey compl", "feedkey completion"],
      ["feedkey setup pk", "feedkey setup pkg_install"],
      ["feedkey --profile=debian-k", "feedkey --profile=debian-keys"],
    ];

    for (const [shell, start] of [
      ["bash --norc --noprofile -i", 'PS1=; eval "$(feedkey completion bash)"'],
      ["zsh -f -i", 'PS1=; bindkey -e; autoload -Uz compinit; compinit -D -u; eval "$(feedkey completion zsh)"'],
    ] as const) {
      it(`completes in ${shell.split(" ")[0]}`, async function () {
        need(this, "script", shell.split(" ")[0] ?? "");
        const terminal = new Terminal(shell);
        try {
          await terminal.start(start);
          for (const [line, whole] of lines) expect(await terminal.tab(line), line).to.equal(whole);
          expect(await terminal.tab("feedkey verify a")).to.equal("feedkey verify a\\ file.txt");
        } finally {
          terminal.end();
        }
      });
    }

    it("completes in fish", async function () {
      need(this, "fish");
      const asked = lines.map(([line]) => `complete -C '${line}'`).join("; ");
      const script = `feedkey completion fish | source; ${asked}; complete -C 'feedkey verify a'`;
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder };
      const child = spawn("fish", ["--no-config", "-c", script], {
        cwd: folder,
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let shown = "";
      for await (const chunk of child.stdout.setEncoding("utf8")) shown += chunk;
      const words = shown
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t")[0]);
      expect(words).to.deep.equal(["completion", "pkg_install", "--profile=debian-keys", "a file.txt"]);
    });
  });
});
