/** The guides' commands: every block that is to be run, as one script, in a folder with a home and some packages. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { debOf } from "../testkit/packages/build-package.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { trackedFiles } from "./source.ts";

export const documents = trackedFiles().filter((path) => path.endsWith(".md") && !path.startsWith("test/"));

export function read(path: string): string {
  return fs.readFileSync(path, "utf8");
}

/** The blocks of a document that are to be run, in their order, each with its line. */
export function runnable(
  path: string,
): { readonly line: number; readonly code: string; readonly isProgram: boolean }[] {
  const text = read(path);
  return [...text.matchAll(/^```(sh|ts) run\n([\s\S]*?)^```$/gm)].map(({ index, 1: language, 2: code = "" }) => {
    return { line: text.slice(0, index).split("\n").length + 1, code, isProgram: language === "ts" };
  });
}

/** The programs of others that a document's blocks run, for `needing`. */
export function programsIn(path: string): string[] {
  const code = runnable(path).map((block) => block.code);
  const found = code.flatMap((one) => [
    ...one.matchAll(/^ *(gpgv?|rsync|sqv?|curl|openssl|rpmbuild|createrepo_c|repo-add|bsdtar)\b/gm),
  ]);
  return [...new Set(found.map(([, program = ""]) => program))];
}

export async function freePort(): Promise<number> {
  return await new Promise((found, failed) => {
    const server = createServer();
    server.on("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? found(address.port) : failed(address)));
    });
  });
}

/** Waits until a server that a block started answers. */
function awaitPort(port: number): string {
  return `for _ in $(seq 100); do (: < /dev/tcp/127.0.0.1/${port}) 2> /dev/null && break; sleep 0.1; done\n`;
}

/** Compiles a program against the types that users get, strictly, and runs it. */
const compiler = `#!/bin/sh
set -e
'${process.execPath}' '${resolve("node_modules/typescript/bin/tsc")}' --strict --exactOptionalPropertyTypes --skipLibCheck \
  --target es2022 --lib es2022,esnext.disposable --module nodenext --types node --typeRoots '${resolve("node_modules/@types")}' "$1"
exec '${process.execPath}' "\${1%.mts}.mjs"
`;

let compiled: string | undefined;

/** Where the compiled program is kept for all documents: each home would begin without it. */
function compiledFolder(): string {
  if (compiled !== undefined) return compiled;
  const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-compiled-"));
  process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  compiled = folder;
  return folder;
}

/** Two packages of each format in the folder `packages`. */
export function writePackages(folder: string): void {
  for (const name of ["hello", "world"]) {
    const control = `Package: ${name}\nVersion: 1.0\nArchitecture: all\nDescription: says ${name}\n`;
    for (const ending of ["ipk", "deb"]) {
      fs.writeFileSync(join(folder, "packages", `${name}_1.0_all.${ending}`), debOf(control));
    }
    fs.writeFileSync(join(folder, "packages", `${name}-1.0.tgz`), pkgsrcPackage({ name: `${name}-1.0` }));
  }
}

/** A folder with a home of its own, some packages, `feedkey` in the path, and installed for programs. */
export function makeStage(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, "bin");
  for (const name of [bin, join(folder, "packages"), join(folder, "home")]) fs.mkdirSync(name);
  const program = `#!/bin/sh\nexec '${process.execPath}' '${resolve("bin/feedkey.js")}' "$@"\n`;
  fs.writeFileSync(join(bin, "feedkey"), program, { mode: 0o755 });
  fs.writeFileSync(join(bin, "run-program"), compiler, { mode: 0o755 });
  fs.mkdirSync(join(folder, "node_modules"));
  fs.symlinkSync(resolve("."), join(folder, "node_modules", "feedkey"));
  writePackages(folder);
  return {
    HOME: join(folder, "home"),
    XDG_CACHE_HOME: compiledFolder(),
    PATH: `${bin}:${process.env.PATH}`,
    LC_ALL: "C.UTF-8",
  };
}

export interface Performed {
  readonly status: number | null;
  /** Both streams; the line of the block that failed is the last one named in it. */
  readonly output: string;
}

/** Runs a script in a folder made by `makeStage`. */
export async function play(script: string, folder: string, env: NodeJS.ProcessEnv): Promise<Performed> {
  const file = join(folder, "script.sh");
  fs.writeFileSync(file, `set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n${script}`);
  const child = spawn("bash", [file], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"], timeout: 290_000 });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return await new Promise((done, failed) => {
    child.on("error", failed).on("close", (status) => done({ status, output }));
  });
}

/** A document's blocks as one script. @param port stands in for 8080 */
export function scriptOf(path: string, port: number): string {
  const blocks = runnable(path).map(({ line, code, isProgram }) => {
    const plain = code.replaceAll("8080", String(port));
    const program = `program-${line}.mts`;
    const text = isProgram ? `cat > ${program} <<'END'\n${plain}END\nrun-program ${program}\n` : plain;
    return `echo "${path}:${line}" >&2\n${text}${/feedkey serve .*&$/m.test(code) ? awaitPort(port) : ""}`;
  });
  return blocks.join("");
}
