/** A repository as large as Debian's main, over HTTP from nginx: compares feedkey's client with apt-get in its own root. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { biggestList } from "../test/testkit/programs/apt-list.ts";
import { BenchArchive, feedkey } from "./archive.ts";
import { type Goal, measureGoals, type Outcome } from "./goal.ts";
import type { Contender } from "./measure.ts";
import { makeDeb } from "./packages.ts";
import { number, rounds, scaled } from "./size.ts";

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

interface Served {
  readonly url: string;
  readonly stop: () => void;
}

const logOf = (folder: string) => join(folder, "access.log");

/** How many bytes the server sends while a command runs. */
function bytesFor([program, ...args]: Contender["command"], folder: string): number {
  const sent = () =>
    fs
      .readFileSync(logOf(folder), "latin1")
      .split("\n")
      .reduce((sum, line) => sum + Number(line), 0);
  const before = sent();
  execFileSync(program, args, { stdio: "ignore" });
  return sent() - before;
}

async function serve(folder: string, root: string): Promise<Served> {
  const port = await new Promise<number>((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((of) => `${of}_temp_path ${folder}/tmp;`);
  const lines = [
    ...(process.getuid?.() === 0 ? ["user root;"] : []),
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;`,
    `events { } http { log_format bytes $bytes_sent; access_log ${logOf(folder)} bytes; ${temporary.join(" ")}`,
    `server { listen 127.0.0.1:${port}; root ${root}; } }`,
  ];
  fs.writeFileSync(join(folder, "nginx.conf"), lines.join("\n"));
  const child = spawn("/usr/sbin/nginx", [
    "-e",
    join(folder, "error.log"),
    "-p",
    folder,
    "-c",
    join(folder, "nginx.conf"),
  ]);
  const url = `http://127.0.0.1:${port}/`;
  for (let tries = 0; tries < 50; tries++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return { url, stop: () => child.kill() };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("nginx did not start");
}

/** Writes and signs the repository: Debian's own list, and some packages that exist. @returns their names */
function makeRepository(archive: BenchArchive, list: Buffer): string[] {
  const names: string[] = [];
  const stanzas: string[] = [];
  fs.mkdirSync(join(archive.root, "pool"));
  for (let count = 0; count < scaled(200); count++) {
    const name = `bench${String(count).padStart(3, "0")}`;
    const path = placeOf(name);
    const data = makeDeb(name, "1.0", 200_000);
    fs.writeFileSync(join(archive.root, path), data);
    const lines = [
      `Package: ${name}`,
      "Version: 1.0",
      "Architecture: amd64",
      "Maintainer: A. Keeper <keeper@example.org>",
    ];
    lines.push(
      `Filename: ${path}`,
      `Size: ${data.length}`,
      `SHA256: ${sha256(data)}`,
      "Description: one of many",
      "",
      "",
    );
    stanzas.push(lines.join("\n"));
    names.push(name);
  }
  const suite = join(archive.root, "dists/bench");
  const folder = join(suite, "main/binary-amd64");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(join(folder, "Packages"), Buffer.concat([list, Buffer.from(stanzas.join(""))]));
  execFileSync("xz", ["--keep", "-1", join(folder, "Packages")]);
  const lines = [
    "Suite: bench",
    "Components: main",
    "Architectures: amd64",
    `Date: ${new Date().toUTCString()}`,
    "SHA256:",
  ];
  for (const form of ["", ".xz"]) {
    const data = fs.readFileSync(join(folder, `Packages${form}`));
    lines.push(` ${sha256(data)} ${data.length} main/binary-amd64/Packages${form}`);
  }
  fs.rmSync(join(folder, "Packages"));
  fs.writeFileSync(join(suite, "Release"), `${lines.join("\n")}\n`);
  archive.sign(join(suite, "Release"));
  return names;
}

/** A root for apt-get with this repository as its only source. @returns its configuration */
function makeAptRoot(root: string, url: string, keyring: string): string {
  for (const name of ["lists/partial", "cache/archives/partial", "etc"]) {
    fs.mkdirSync(join(root, name), { recursive: true });
  }
  fs.writeFileSync(join(root, "status"), "");
  fs.copyFileSync(keyring, join(root, "key.gpg"));
  fs.writeFileSync(join(root, "etc/sources.list"), `deb [signed-by=${root}/key.gpg] ${url} bench main\n`);
  const settings = {
    "Dir::State": root,
    "Dir::State::lists": join(root, "lists"),
    "Dir::State::status": join(root, "status"),
    "Dir::Cache": join(root, "cache"),
    "Dir::Etc": join(root, "etc"),
    "APT::Sandbox::User": "root",
    "APT::Architecture": "amd64",
    "APT::Update::Error-Mode": "any",
    "Acquire::Languages": "none",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  const path = join(root, "apt.conf");
  fs.writeFileSync(path, `${lines.join("\n")}\nAPT::Architectures { "amd64" };\n`);
  return path;
}

function writeProfile(path: string, archive: BenchArchive, url: string): void {
  const text = fs.readFileSync(archive.profile, "utf8").replace(/^url = .*$/m, `url = ${url}`);
  const settings = ["format = apt", "path = .", "suite = bench", "components = main", "architectures = amd64"];
  fs.writeFileSync(path, text.replace(/\[feed bench\][\s\S]*$/, `[feed bench]\n${settings.join("\n")}\n`));
}

const placeOf = (name: string) => `pool/${name}_1.0_amd64.deb`;

/** A line for `sha256sum -c`. */
function sumOf({ root }: BenchArchive, name: string): string {
  const path = placeOf(name);
  return `${sha256(fs.readFileSync(join(root, path)))}  ${path.replace("pool/", "")}\n`;
}

/** What a user would write: the signed file, the list that it names, and the list's text. */
function updateScript(url: string, folder: string, keyring: string): Contender {
  const suite = `${url}dists/bench`;
  const list = "main/binary-amd64/Packages.xz";
  const lines = [
    `cd ${folder}`,
    `curl -sf --remote-name-all ${suite}/Release ${suite}/Release.gpg ${suite}/${list}`,
    `sqv --keyring ${keyring} Release.gpg Release`,
    `awk '$3 == "${list}" { print $1 "  Packages.xz" }' Release | sha256sum --check --quiet`,
    "xz -dk Packages.xz",
  ];
  return {
    name: "curl, sqv, sha256sum, xz",
    command: ["sh", "-c", lines.join(" && ")],
    prepare: () => emptied(folder),
    less: "reads no index, follows no keys, and checks neither age nor replay",
  };
}

function fetchScript(url: string, folder: string, sums: string): Contender {
  const urls = `sed 's,^.*  ,${url}pool/,' ${sums}`;
  const command = `cd ${folder} && ${urls} | xargs curl -sf --parallel --remote-name-all && sha256sum --check --quiet ${sums}`;
  return {
    name: "curl --parallel, sha256sum",
    command: ["sh", "-c", command],
    prepare: () => emptied(folder),
    less: "is told the URLs and digests, and checks no signature",
  };
}

function emptied(path: string): void {
  fs.rmSync(path, { recursive: true, force: true });
  fs.mkdirSync(path);
}

/** Measures the first and the second `update`, and `fetch`; skipped if apt or nginx is missing. */
export async function followRepository(folder: string): Promise<Outcome[]> {
  const list = fs.existsSync("/usr/bin/apt-get") && fs.existsSync("/usr/sbin/nginx") ? biggestList() : undefined;
  if (list === undefined) return [];
  const archive = new BenchArchive(folder);
  const names = makeRepository(archive, list);
  const { url, stop } = await serve(folder, archive.root);
  try {
    const profile = join(folder, "apt.ini");
    writeProfile(profile, archive, url);
    const root = join(folder, "apt");
    const config = makeAptRoot(root, url, archive.keyring);
    const [state, out, downloads, sums] = ["state", "out", "downloads", "sums"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
      string,
    ];
    fs.writeFileSync(sums, names.map((name) => sumOf(archive, name)).join(""));
    const ours = (...args: readonly string[]) => feedkey(...args, "--profile", profile, "--state", state);
    const apt = (...args: readonly string[]) =>
      ["apt-get", "--config-file", config, "-q", ...args] as [string, ...string[]];
    const ourUpdate: Contender = { name: "feedkey update", command: ours("update") };
    const less = "follows no keys, and keeps no record against replay";
    const aptUpdate: Contender = { name: "apt-get update", command: apt("update"), less };
    const work = `update of ${number((list.toString("latin1").match(/^Package:/gm) ?? []).length)} packages`;
    const ourFirst = { ...ourUpdate, prepare: () => fs.rmSync(state, { recursive: true, force: true }) };
    const aptFirst = {
      ...aptUpdate,
      prepare: () => [emptied(join(root, "lists")), fs.mkdirSync(join(root, "lists/partial"))],
    };
    const first: Goal[] = [
      { work: `${work}, the first`, ours: ourFirst, beside: aptFirst, ratio: 0.35 },
      { work: "the same", ours: ourFirst, beside: updateScript(url, downloads, archive.keyring), ratio: 1.3 },
    ];
    const fetching = (some: readonly string[]) => ({
      ours: { name: "feedkey fetch", command: ours("fetch", "-o", out, ...some), prepare: () => emptied(out) },
      beside: {
        name: "apt-get download",
        command: ["sh", "-c", `cd ${downloads} && exec ${apt("download", ...some).join(" ")}`] as const,
        prepare: () => emptied(downloads),
        less: "does not check the signature again",
      },
    });
    const all = fetching(names);
    const fetch: Goal[] = [
      { ...all, work: `fetch of ${number(names.length)} packages of 200 KB`, ratio: 1.3 },
      { ...all, work: "the same", beside: fetchScript(url, downloads, sums), ratio: 1.6 },
      { ...fetching(names.slice(0, 1)), work: "fetch of one package of 200 KB, from the same index", ratio: 1.3 },
    ];
    const outcomes = measureGoals(first, rounds, folder);
    const [read, byApt] = [ourUpdate, aptUpdate].map(({ command }) => number(bytesFor(command, folder)));
    const unchanged = `the same, nothing changed: ${read} bytes read (goal 4,096), by apt-get ${byApt}`;
    const again: Goal = { work: unchanged, ours: ourUpdate, beside: aptUpdate, ratio: 0.4 };
    return [...outcomes, ...measureGoals([again, ...fetch], rounds, folder)];
  } finally {
    stop();
  }
}
