/** The manual page says of every command, option and exit status what there is, and nothing that is not. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Command } from "commander";
import { addCommands } from "../../src/cli/commands.ts";
import { type ErrorCode, exitStatus } from "../../src/error.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";

const page = fs.readFileSync("man/feedkey.1", "utf8");

/** The options of a piece of the page: `.It Fl o , -output Ar dir` is `-o, --output`. */
function describedOptions(piece: string): string[] {
  const items = [...piece.matchAll(/^\.It Fl (.+)$/gm)].map(([, item = ""]) => item);
  return items.map((item) => flagsOf(item.replace(/ (Ar|Op) .*$/, ""), "-")).sort();
}

/** All spellings of an option, in one form. */
function flagsOf(text: string, dash: string): string {
  return text
    .split(/[ ,]+/)
    .filter((word) => word !== "" && word !== "Fl")
    .map((word) => `${dash}${word}`)
    .join(", ");
}

/** Each command with its spelled arguments and options, as the program has them. */
function realCommands(): Map<string, string[]> {
  const program = new Command("feedkey");
  addCommands(
    program,
    async () => undefined,
    async () => 0,
  );
  const found = new Map<string, string[]>();
  const visit = (command: Command, above: string) => {
    const path = `${above}${command.name()}`;
    for (const below of command.commands) visit(below, `${path} `);
    if (command.commands.length > 0) return;
    const options = command.options.map(({ flags }) => flagsOf(flags.replace(/ [<[].*$/, ""), ""));
    found.set(path, options.sort());
  };
  for (const command of program.commands) visit(command, "");
  return found;
}

function describedCommands(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const piece of page.split(/^\.(?=Ss |Sh )/m)) {
    const [, heading] = /^Ss (.+)\n/.exec(piece) ?? [];
    if (heading !== undefined) found.set(heading.replace(/ (Ar|Op) .*$/, ""), describedOptions(piece));
  }
  return found;
}

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

describe("the manual page", () => {
  it("describes every command and no other, in the program's order", () => {
    expect([...describedCommands().keys()]).to.deep.equal([...realCommands().keys()]);
  });

  for (const [path, options] of realCommands()) {
    it(`describes the options of ${path}`, () => {
      expect(describedCommands().get(path)).to.deep.equal(options);
    });
  }

  it("describes the global options", () => {
    const help = spawnSync(process.execPath, ["bin/feedkey.js", "--help"], { encoding: "utf8" }).stdout;
    const [, options = ""] = /^Options:\n((?: .*\n)+)/m.exec(help) ?? [];
    const real = [...options.matchAll(/^ {2}((?:-\w, )?--[\w-]+)/gm)].map(([, flags = ""]) => flags);
    const [, piece = ""] = /^\.Sh GLOBAL OPTIONS\n([\s\S]*?)^\.Sh /m.exec(page) ?? [];
    expect(describedOptions(piece)).to.deep.equal(real.sort());
  });

  it("names every error code at its exit status", () => {
    const [, piece = ""] = /^\.Sh EXIT STATUS\n([\s\S]*?)^\.Sh /m.exec(page) ?? [];
    const described = new Map<number, string[]>();
    for (const [, status = "", text = ""] of piece.matchAll(/^\.It (\d+)\n([\s\S]*?)(?=^\.It |^\.El)/gm)) {
      const codes = [...text.matchAll(/^\.Cm (.*)$/gm)].flatMap(([, words = ""]) => words.match(/[a-z_]+/g) ?? []);
      if (codes.length > 0) described.set(Number(status), codes.sort());
    }
    expect([...described]).to.deep.equal([...realStatuses()].sort(([a], [b]) => a - b));
  });

  for (const [program, args] of [
    ["mandoc", ["-T", "lint", "-W", "warning", "man/feedkey.1"]],
    ["groff", ["-mdoc", "-Tutf8", "-ww", "-z", "man/feedkey.1"]],
  ] as const) {
    it(`is formatted by ${program} without a warning`, function () {
      const here = (process.env.PATH ?? "").split(":").some((folder) => fs.existsSync(join(folder, program)));
      if (!presentOrSkip(this, here, `${program} is missing`)) return;
      const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
      expect(stdout + stderr).to.equal("");
      expect(status).to.equal(0);
    });
  }
});
