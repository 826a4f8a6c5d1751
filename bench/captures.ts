/**
 * `npm run captures` runs the help of every command, tables and errors on a terminal of 80 columns and 24 lines. It writes all of
 * them into dist/captures.txt, and says which lines are too wide.
 */
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Command } from "commander";
import { addCommands, allCommands } from "../src/cli/commands.ts";
import { pathOf } from "../src/cli/help/help.ts";
import { makeProgram } from "../src/cli/program.ts";
import { TestArchive } from "../test/testkit/archives/opkg-archive.ts";
import { runProgram } from "../test/testkit/programs/command-line.ts";

const [columns, rows] = [80, 24];

const archive = await TestArchive.make({ feeds: ["base"], at: Date.now() - 3_600_000 });
const bin = join(archive.folder, "bin");
fs.mkdirSync(bin);
fs.writeFileSync(join(bin, "feedkey"), `#!/bin/sh\nexec '${process.execPath}' '${resolve("bin/feedkey.js")}' "$@"\n`, {
  mode: 0o755,
});
const env = {
  PATH: `${bin}:${process.env.PATH}`,
  HOME: archive.folder,
  LC_ALL: "C.UTF-8",
  TERM: "xterm",
  FEEDKEY_HOME: archive.home,
  FEEDKEY_STATE: archive.state,
  FEEDKEY_PROFILE: "./example.ini",
};

/** Runs a line of a shell on a terminal. @returns what a person sees there */
async function capture(line: string): Promise<string[]> {
  const command = `stty cols ${columns} rows ${rows}; ${line}`;
  const { stdout } = await runProgram("script", ["-qec", command, "/dev/null"], { cwd: archive.folder, env });
  const text = stripVTControlCharacters(stdout).replaceAll("\r\n", "\n");
  // What is drawn over is not seen.
  return [
    `$ ${line}`,
    ...text
      .trimEnd()
      .split("\n")
      .map((one) => one.slice(one.lastIndexOf("\r") + 1)),
  ];
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

const program = makeProgram();
addCommands(
  allCommands,
  program,
  () => async () => undefined,
  async () => 0,
);
const helps = everyCommand(program).map((command) => `feedkey ${pathOf(command)}`.trim());
const tables = [
  "feedkey update && feedkey list && feedkey status",
  "feedkey key list && feedkey chain",
  "echo '# changed' >> Packages; feedkey verify Packages",
];

try {
  fs.copyFileSync(archive.file("Packages"), join(archive.folder, "Packages"));
  fs.copyFileSync(archive.file("Packages.sig"), join(archive.folder, "Packages.sig"));
  const others = [
    "feedkey search alpha",
    "feedkey show alpha",
    "feedkey updat",
    "feedkey fetch none",
    "feedkey publish",
  ];
  const lines = [...helps.map((help) => `${help} --help`), ...tables, ...others];
  const shots = new Map<string, string[]>();
  for (const line of lines) shots.set(line, await capture(line));
  fs.writeFileSync("dist/captures.txt", [...shots.values()].map((shot) => `${shot.join("\n")}\n`).join("\n"));
  for (const [line, shot] of shots) {
    const wide = shot.slice(1).filter((one) => one.length > columns);
    if (wide.length > 0)
      console.log(`${line}: wider than ${columns} columns:\n${wide.map((one) => `  ${one}`).join("\n")}`);
  }
  console.log("wrote dist/captures.txt");
} finally {
  await archive.remove();
}
