/** The manual and `--help`, which are made of the same commands: complete, well formed, with examples that the program takes. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type Command, CommanderError } from "commander";
import { addCommands, allCommands } from "../../src/cli/commands.ts";
import { examples } from "../../src/cli/help/examples.ts";
import { pathOf } from "../../src/cli/help/help.ts";
import { makeProgram } from "../../src/cli/program.ts";
import { type ErrorCode, exitStatus } from "../../src/error.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";

const pages = fs.readdirSync("dist/man").sort();

/** The program, whose commands do nothing but say that they are reached. */
function idleProgram(reached: string[] = []): Command {
  const program = makeProgram();
  const run = (command: string) => async () => void reached.push(command);
  addCommands(allCommands, program, run, async () => 0);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

function everyCommand(command: Command = idleProgram()): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

const ends = (command: Command) => command.parent !== null && command.commands.length === 0;

/** All codes of `src/error.ts` with the number that each has. */
function realStatuses(): Map<number, string[]> {
  const codes = [...fs.readFileSync("src/error.ts", "utf8").matchAll(/^ {2}([a-z_]+): \d+,$/gm)];
  const found = new Map<number, string[]>();
  for (const [, code = ""] of codes) {
    const status = exitStatus(code as ErrorCode);
    found.set(status, [...(found.get(status) ?? []), code].sort());
  }
  return found;
}

/** A line of a shell in words: single and double quotes, comments, a pipe and what follows. */
function wordsOf(line: string): string[] {
  const [command = ""] = line.split(/ [|>] /);
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, three]) => one ?? two ?? three ?? "");
}

describe("the manual", () => {
  it("has a page for each command, listed in package.json, and three more", () => {
    const commands = idleProgram().commands.map((command) => `feedkey-${command.name()}.1`);
    const expected = ["feedkey.1", ...commands, "feedkey-profile.5", "feedkey-archive.5", "feedkey-trust.7"].sort();
    expect(pages).to.deep.equal(expected);
    const { man } = JSON.parse(fs.readFileSync("package.json", "utf8")) as { man: string[] };
    expect([...man].sort()).to.deep.equal(expected.map((page) => `./dist/man/${page}`));
  });

  it("says of every option what --help says", () => {
    const plain = (text: string) => text.replace(/[^A-Za-z0-9]+/g, "").toLowerCase();
    for (const command of everyCommand().filter(ends)) {
      const page = fs.readFileSync(`dist/man/feedkey-${pathOf(command).split(" ")[0]}.1`, "utf8");
      const text = plain(page.replace(/\\f[BIR]/g, "").replace(/\\\(ti/g, "~"));
      for (const { long, description } of command.options) {
        expect(page, pathOf(command)).to.match(
          new RegExp(`^\\.It Fl .*\\\\?${(long ?? "").slice(1).replaceAll("-", "(?:\\\\)?-")}`, "m"),
        );
        const [about = ""] = description.split(" (default");
        expect(text, `${pathOf(command)} ${long}`).to.contain(plain(about));
      }
    }
  });

  it("names every error code at its exit status", () => {
    const [, piece = ""] = /^## Exit status\n([\s\S]*?)^## /m.exec(fs.readFileSync("man/feedkey.md", "utf8")) ?? [];
    const described = new Map<number, string[]>();
    for (const [, status = "", text = ""] of piece.matchAll(/^- `(\d+)`: ([\s\S]*?)(?=^- |$(?![\s\S]))/gm)) {
      const codes = [...text.matchAll(/`([a-z_]+)`/g)].map(([, code = ""]) => code);
      if (codes.length > 0) described.set(Number(status), codes.sort());
    }
    expect([...described]).to.deep.equal([...realStatuses()].sort(([a], [b]) => a - b));
  });

  for (const [program, args] of [
    ["mandoc", ["-T", "lint"]],
    ["groff", ["-mdoc", "-Tutf8", "-ww", "-z"]],
  ] as const) {
    it(`is formatted by ${program} without a warning`, function () {
      const here = (process.env.PATH ?? "").split(":").some((folder) => fs.existsSync(join(folder, program)));
      if (!presentOrSkip(this, here, `${program} is missing`)) return;
      const files = pages.map((page) => `dist/man/${page}`);
      const { stdout, stderr } = spawnSync(program, [...args, ...files], { encoding: "utf8" });
      // Which manuals this machine has does not matter.
      const lines = `${stdout}${stderr}`.split("\n").filter((line) => !/referenced manual|mandoc\.db/.test(line));
      expect(lines.join("\n")).to.equal("");
    });
  }
});

describe("--help", () => {
  it("is at most 80 columns wide", () => {
    const long = everyCommand().flatMap((command) => {
      let text = "";
      command.configureOutput({ writeOut: (more) => (text += more), getOutHelpWidth: () => 80 }).outputHelp();
      return text.split("\n").filter((line) => line.length > 80);
    });
    expect(long).to.deep.equal([]);
  });

  it("shows the global options with each command, and the commands in groups", () => {
    const ask = (...args: string[]) => spawnSync(process.execPath, ["bin/feedkey.js", ...args], { encoding: "utf8" });
    expect(ask("key", "export", "--help").stdout).to.match(/^Global Options:\n(?:.*\n)*? +--offline /m);
    expect(ask("--help").stdout).to.match(/^Publishing:\n {2}keygen [\s\S]*^Following an archive:\n {2}profile /m);
  });

  it("has examples of every command, and of no other", () => {
    const paths = everyCommand()
      .filter((command) => command.parent === null || ends(command))
      .map(pathOf);
    expect(Object.keys(examples)).to.deep.equal(paths);
  });

  for (const [path, lines] of Object.entries(examples)) {
    it(`has examples that the program takes: ${path || "feedkey"}`, async () => {
      const commands = lines
        .join("\n")
        .replaceAll("\\\n", "")
        .split("\n")
        .filter((line) => !line.startsWith("#"));
      for (const line of commands) {
        const reached: string[] = [];
        const [name, ...words] = wordsOf(line.replace(/^eval "\$\((.*)\)"$/, "$1"));
        expect(name, line).to.equal("feedkey");
        try {
          await idleProgram(reached).parseAsync(words, { from: "user" });
        } catch (error) {
          if (error instanceof CommanderError) throw new Error(`${line}: ${error.message}`);
          throw error;
        }
        expect(reached, line).to.have.length(1);
        expect(words.join(" "), line).to.contain(path);
      }
    });
  }
});
