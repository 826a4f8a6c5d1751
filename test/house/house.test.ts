/** The rules of the house that no linter checks. Each list of offenders must be empty. */
import * as fs from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname } from "node:path";
import { expect } from "chai";
import { below, built, ground, owners, pure } from "./layers.ts";
import {
  circle,
  importsOf,
  packageOf,
  partOf,
  places,
  type SourceFile,
  sourceFiles,
  trackedFiles,
  withoutComments,
} from "./source.ts";

const src = sourceFiles("src");

function offenders(files: readonly SourceFile[], find: (file: SourceFile) => readonly string[]): string[] {
  return files.flatMap((file) => [...find(file)]);
}

describe("the house", () => {
  it("has a place in the order for every folder of src", () => {
    const folders = src.filter(({ path }) => path.split("/").length > 2).map(({ path }) => partOf(path));
    expect([...new Set(folders)].sort()).to.deep.equal(Object.keys(below).sort());
  });

  it("imports downwards only, types too", () => {
    const upwards = offenders(src, (file) => {
      const part = partOf(file.path);
      // The public API is made of everything, and threads do work of any part.
      if (["src/index.ts", "src/trust-rules.ts", "src/worker.ts"].includes(file.path)) return [];
      return importsOf(file)
        .filter((name) => name.startsWith("src/"))
        .filter((name) => ![part, ...ground, ...(below[part] ?? [])].includes(partOf(name)))
        .map((name) => `${file.path} imports ${name}`);
    });
    expect(upwards).to.deep.equal([]);
  });

  it("cuts no ends of texts off by regular expressions, which take the square of their length", () => {
    const square = /\/(?:\[[^\]^]+\]|\\.|[^/\\])[+*]\$\//;
    expect(square.test('text.replace(/[ \\t]+$/, "")')).to.equal(true);
    const cut = offenders(src, ({ path, text }) => (square.test(withoutComments(text)) ? [path] : []));
    expect(cut).to.deep.equal([]);
  });

  it("lets certificates into the key store over one road", () => {
    const others = offenders(src, ({ path, text }) => {
      const writes = /\b(?:store|writer|backup)\.(?:add|putCertificate)\(/.test(withoutComments(text));
      return writes && path !== "src/keys/store-certificate.ts" && path !== "src/store/key-store.ts" ? [path] : [];
    });
    expect(others).to.deep.equal([]);
  });

  it("reads and writes the published tree through its guard alone", () => {
    const guarded = [
      "published-tree",
      "rotate",
      "config-edit",
      "scan-cache",
      "published-record",
      "local-files",
      "bucket-record",
      "backup",
      "add-checksums",
    ];
    const others = offenders(src, (file) => {
      const opens = importsOf(file).some((name) => name === "node:fs/promises");
      const part = partOf(file.path);
      return ["signing", "publish", "keys"].includes(part) && opens && !guarded.includes(basename(file.path, ".ts"))
        ? [file.path]
        : [];
    });
    expect(others).to.deep.equal([]);
  });

  it("has no circle of imports, type imports included", () => {
    const imports = new Map(src.map((file) => [file.path, importsOf(file)]));
    expect(circle(imports)).to.deep.equal([]);
  });

  it("has no folder that nobody can take in at a glance", () => {
    const files = new Map<string, number>();
    for (const { path } of src) files.set(dirname(path), (files.get(dirname(path)) ?? 0) + 1);
    const crowded = [...files].filter(([, count]) => count > 21);
    expect(crowded).to.deep.equal([]);
  });

  it("stays within src", () => {
    const out = offenders(src, (file) => {
      return importsOf(file)
        .filter((name) => /^\.|\//.test(name) && !name.startsWith("src/") && !name.startsWith("node:"))
        .filter((name) => !(packageOf(name) in owners || packageOf(name) in built))
        .map((name) => `${file.path} imports ${name}`);
    });
    expect(out).to.deep.equal([]);
  });

  it("imports libraries only where they belong", () => {
    const strays = offenders(src, (file) => {
      return importsOf(file)
        .filter((name) => !name.startsWith("src/") && !name.startsWith("node:"))
        .filter((name) => ({ ...owners, ...built })[packageOf(name)]?.includes(partOf(file.path)) !== true)
        .map((name) => `${file.path} imports ${name}`);
    });
    expect(strays).to.deep.equal([]);
  });

  it("depends on what it imports, in exact versions, and on nothing else", () => {
    const manifest = JSON.parse(fs.readFileSync("package.json", "utf8")) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const imported = src
      .flatMap(importsOf)
      .map(packageOf)
      .filter((name) => name in owners);
    expect([...new Set(imported)].sort()).to.deep.equal(Object.keys(manifest.dependencies).sort());
    const missing = Object.keys(built).filter((name) => !(name in manifest.devDependencies));
    expect(missing).to.deep.equal([]);
    const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).to.deep.equal([]);
  });

  describe("in its pure folders", () => {
    const files = src.filter(({ path }) => pure.includes(partOf(path)));

    it("imports nothing of Node but paths", () => {
      const io = offenders(files, (file) => {
        return importsOf(file)
          .filter((name) => name !== "node:path" && (name.startsWith("node:") || builtinModules.includes(name)))
          .map((name) => `${file.path} imports ${name}`);
      });
      expect(io).to.deep.equal([]);
    });

    it("reads no clock, no environment and no dice", () => {
      const impure =
        /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bperformance\b|\bprocess\b|\bMath\.random\b|\bset(Timeout|Interval|Immediate)\b|\bfetch\(/g;
      const found = offenders(files, (file) => places({ ...file, text: withoutComments(file.text) }, impure));
      expect(found).to.deep.equal([]);
    });
  });

  it("makes folders above one by ensureFolder alone: Node's own way never returns where the system answers ENOENT", () => {
    const found = src.filter(({ text }) => /\bmkdir(Sync)?\([^;]*recursive: true/.test(text)).map(({ path }) => path);
    expect(found).to.deep.equal([]);
  });

  it("has files under 300 lines", () => {
    const long = [...src, ...sourceFiles("bench")].filter(({ text }) => text.split("\n").length > 300);
    expect(long.map(({ path }) => path)).to.deep.equal([]);
  });

  it("names each file after its idea", () => {
    const vague = /^(utils?|helpers?|misc|common|shared|tools?|stuff|lib)$/;
    const found = trackedFiles().filter((path) => vague.test(basename(path).split(".")[0] ?? ""));
    expect(found).to.deep.equal([]);
  });

  it("says of every exported function what it does", () => {
    const bare = offenders(src, (file) => {
      const exported =
        /^export (?:default )?(?:async )?function\*? \w+|^export const \w+ = (?:async )?(?:\(|<|function)/gm;
      return [...file.text.matchAll(exported)]
        .filter(({ index }) => !/\*\/\n(?:\/\/ biome-ignore.*\n)?$/.test(file.text.slice(0, index)))
        .map(([head]) => `${file.path}: ${head.replace(/^export /, "")}`);
    });
    expect(bare).to.deep.equal([]);
  });

  describe("in the files that git tracks", () => {
    let texts: SourceFile[];

    before(() => {
      texts = trackedFiles().map((path) => ({ path, text: fs.readFileSync(path, "latin1") }));
    });

    it("names no path of somebody's machine", () => {
      const found = offenders(texts, (file) => places(file, /(?<![\w.-])\/(?:work|root|Users|builds)\/\w/g));
      expect(found).to.deep.equal([]);
    });

    it("names no package registry", () => {
      const registries =
        /\b(?:registry\.\w|npmjs\.(?:org|com)|yarnpkg\.com|(?:deb|ftp|security|snapshot)\.debian\.org)/g;
      expect(offenders(texts, (file) => places(file, registries))).to.deep.equal([]);
    });

    it("locks what it depends on by digest, without a place to get it from", () => {
      const lock = JSON.parse(fs.readFileSync("package-lock.json", "utf8")) as {
        packages: Record<string, { integrity?: string; resolved?: string }>;
      };
      const installed = Object.entries(lock.packages).filter(([path]) => path !== "");
      const loose = installed.filter(
        ([, { integrity, resolved }]) => integrity === undefined || resolved !== undefined,
      );
      expect(loose.map(([path]) => path)).to.deep.equal([]);
    });
  });
});
