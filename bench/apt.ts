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
    `events { } http { access_log off; ${temporary.join(" ")}`,
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
    const path = `pool/${name}_1.0_amd64.deb`;
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
    const [state, out, downloads] = ["state", "out", "downloads"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const ours = (...args: readonly string[]) => feedkey(...args, "--profile", profile, "--state", state);
    const apt = (...args: readonly string[]) =>
      ["apt-get", "--config-file", config, "-q", ...args] as [string, ...string[]];
    const empty = (path: string) => {
      fs.rmSync(path, { recursive: true, force: true });
      fs.mkdirSync(path);
    };
    const ourUpdate: Contender = { name: "feedkey update", command: ours("update") };
    const aptUpdate: Contender = { name: "apt-get update", command: apt("update") };
    const work = `update of ${number((list.toString("latin1").match(/^Package:/gm) ?? []).length)} packages`;
    const first: Goal = {
      work: `${work}, the first`,
      ours: { ...ourUpdate, prepare: () => fs.rmSync(state, { recursive: true, force: true }) },
      beside: { ...aptUpdate, prepare: () => [empty(join(root, "lists")), fs.mkdirSync(join(root, "lists/partial"))] },
      ratio: 1.5,
    };
    const again: Goal = { work: "the same, nothing changed", ours: ourUpdate, beside: aptUpdate, ratio: 1 };
    const fetch: Goal = {
      work: `fetch of ${number(names.length)} packages of 200 KB`,
      ours: { name: "feedkey fetch", command: ours("fetch", "-o", out, ...names), prepare: () => empty(out) },
      beside: {
        name: "apt-get download",
        command: ["sh", "-c", `cd ${downloads} && exec ${apt("download", ...names).join(" ")}`],
        prepare: () => empty(downloads),
      },
      ratio: 1,
    };
    return [...measureGoals([first], rounds, folder), ...measureGoals([again, fetch], rounds, folder)];
  } finally {
    stop();
  }
}
