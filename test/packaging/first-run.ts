/** A person's way from nothing: the lines of the documents, as they stand there, in a bare Debian made from the mirror that apt uses. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { freePort, read, runnable, scriptOf, writePackages } from "../house/guides.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { runInRoot } from "../testkit/programs/private-root.ts";

export interface System {
  readonly name: string;
  readonly suite: string;
  /** What it consists of, as patterns of apt. */
  readonly packages: string;
  /** The lines that install feedkey. */
  readonly install: string;
}

/** Milliseconds for each part of the way. */
export interface Times {
  readonly install: number;
  readonly publish: number;
  readonly verify: number;
}

function installLines(info: string): string {
  const [, lines = ""] = new RegExp(`^\`\`\`sh ${info}\n([\\s\\S]*?)^\`\`\``, "m").exec(read("docs/install.md")) ?? [];
  return lines;
}

export const systems: readonly System[] = [
  {
    name: "Debian 12, the executable",
    suite: "bookworm",
    packages: "base-files,base-passwd,bash,coreutils,libstdc++6",
    install: installLines("debian-12"),
  },
  {
    name: "Debian 13, the Debian package",
    suite: "trixie",
    packages: "apt,?essential",
    install: installLines("debian-13"),
  },
];

/** The documents' lines: how many install, publish and verify. */
export function lineCounts({ install }: System): number[] {
  return [install, ...runnable("README.md").map(({ code }) => code)].map((code) => code.trim().split("\n").length);
}

/** The mirror of Debian that apt on this machine is set up with. */
export async function debianMirror(): Promise<string | undefined> {
  const terms = ["--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian"];
  const { stdout } = await runProgram("apt-get", ["indextargets", ...terms]);
  return stdout.split("\n")[0] || undefined;
}

/** Unpacking is enough, and takes half as long as installing. apt must believe that the packages are installed. */
const settle = `cd "$1"
for deb in var/cache/apt/archives/*.deb; do dpkg-deb -f "$deb" | sed '1a Status: install ok installed'; echo; done > var/lib/dpkg/status
mkdir -p usr/local/bin
for name in passwd group; do cp usr/share/base-passwd/$name.master etc/$name; done`;

/** Makes a folder with a system and nothing else, and brings what is to be installed and packages to publish into root's home. */
export async function bareDebian({ suite, packages, install }: System, mirror: string, root: string): Promise<void> {
  const apt = ['APT::Sandbox::User "root"', 'Acquire::Languages "none"'].map((line) => `--aptopt=${line}`);
  const parts = ["--variant=extract", `--include=${packages}`, `--extract-hook=${settle}`];
  const args = ["--quiet", "--skip=cleanup/apt/lists", ...parts, ...apt, suite, root, mirror];
  const made = await runProgram("mmdebstrap", args);
  expect(made.status, made.stderr).to.equal(0);
  const home = join(root, "root");
  const [file = ""] = /\bfeedkey\S*/.exec(install) ?? [];
  await fs.copyFile(join("dist", file), join(home, file));
  await fs.mkdir(join(home, "packages"));
  writePackages(home);
}

/** Runs the documents' lines. @returns how long they took */
export async function firstRun({ install }: System, root: string): Promise<Times> {
  const blocks = scriptOf("README.md", await freePort()).replace(/^echo "README\.md:/gm, "stamp\n$&");
  const script = `trap 'kill $(jobs -p)' EXIT
stamp() { echo "stamp $EPOCHREALTIME"; }
stamp
${install}${blocks}stamp
[ "$(sha256sum < got/hello_1.0_all.ipk)" = "$(sha256sum < packages/hello_1.0_all.ipk)" ]
feedkey --profile ./example.ini verify archive/Packages
echo >> archive/Packages
if feedkey --profile ./example.ini verify archive/Packages; then exit 1; fi`;
  // apt asks whether to go on.
  const output = await runInRoot(root, script, "y\n");
  const stamps = [...output.matchAll(/^stamp (\d+\.\d+)$/gm)].map(([, seconds]) => Number(seconds) * 1000);
  expect(stamps, output).to.have.length(4);
  const [begun = 0, installed = 0, published = 0, verified = 0] = stamps;
  return { install: installed - begun, publish: published - installed, verify: verified - published };
}
