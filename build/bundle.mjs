/**
 * Makes one file of the whole program, with V8's code cache beside it: starting costs half of what it costs to load
 * some three hundred modules (measured: `npm run bench`). bin/feedkey.js uses it when it is there and not older than
 * the plain files, which do the same. Large packages that most runs do not need are files of their own.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { loadBundle, loaded } from "../bin/load-bundle.js";
import { buildParts } from "./parts.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
// As deep below the root as the plain files, so that paths relative to a module stay right.
const folder = join(root, "dist/src/bundle");
rmSync(folder, { recursive: true, force: true });

// These stay where npm put them: Node warns of what the first does unless it lies below node_modules, the other reads a
// file that lies beside it.
const external = ["seek-bzip", "@bokuweb/zstd-wasm"];
const packages = [
  "openpgp",
  "undici",
  "send",
  "zstddec",
  "xz-decompress",
  "tar-stream",
  "cli-table3",
  "cli-progress",
];

/** Another part of the bundle in the place of a package: `bin/load-bundle.js` finds it. */
const parts = {
  name: "parts",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${packages.join("|")})$`) }, ({ path, kind }) => {
      return kind === "entry-point" ? undefined : { path: `./${path}`, external: true };
    });
  },
};

/** Node's own modules that most runs never call: each function is looked up when it is. 8 ms of a start. */
const lateModules = ["node:child_process", "node:worker_threads", "node:zlib"];
const late = {
  name: "late",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${lateModules.join("|")})$`) }, ({ path, namespace }) => {
      return namespace === "late" ? { path, external: true } : { path, namespace: "late" };
    });
    onLoad({ filter: /.*/, namespace: "late" }, ({ path }) => {
      const getters = Object.keys(createRequire(import.meta.url)(path)).map((name) => {
        return `get ${JSON.stringify(name)}() { return module_()[${JSON.stringify(name)}]; }`;
      });
      const known = `let known; const module_ = () => { known ??= require("${path}"); return known; };`;
      return { contents: `${known}\nmodule.exports = { ${getters.join(",\n")} };` };
    });
  },
};

const common = {
  external,
  bundle: true,
  platform: "node",
  target: "node20",
  logLevel: "warning",
  legalComments: "none",
  // Names stay: stacks are for people.
  minifyWhitespace: true,
  minifySyntax: true,
  charset: "ascii",
  define: { "import.meta.url": "moduleUrl" },
};
const cjs = {
  ...common,
  format: "cjs",
  // As calls of require, which knows the other parts.
  supported: { "dynamic-import": false },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
};
await buildParts(root, folder, { ...cjs, plugins: [parts, late] });
// What stands in for a package's main file. The OpenPGP library's build for browsers loads rare algorithms when they are met; it
// runs on Node just as well, but is not named for it.
const openpgp = [join(root, "node_modules/openpgp/dist/lightweight/openpgp.mjs")];
// Of undici what src/net calls: fetch, cookies and sockets of its main file cost 60 ms, and make Node load its own undici.
const undici = `
  Object.assign(require("undici/lib/dispatcher/dispatcher").prototype, require("undici/lib/api"));
  exports.Agent = require("undici/lib/dispatcher/agent");
  exports.EnvHttpProxyAgent = require("undici/lib/dispatcher/env-http-proxy-agent");
`;
/** HTTP/2, which is never spoken (src/net/dispatcher.ts), is as if this Node had none: undici expects that. */
const noHttp2 = {
  name: "no-http2",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http2$/ }, ({ path }) => ({ path, namespace: "none" }));
    onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "exports.constants = {};" }));
  },
};
const entries = {
  openpgp: { entryPoints: openpgp },
  undici: { stdin: { contents: undici, resolveDir: root }, plugins: [noHttp2] },
};
for (const name of packages) {
  await build({ ...cjs, ...(entries[name] ?? { entryPoints: [name] }), outfile: join(folder, `${name}.cjs`) });
}
// As `bin/load-bundle.js` runs them: there it would be a copy of half a megabyte at each start.
for (const name of ["feedkey", "keepers", ...packages]) {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, Module.wrap(readFileSync(file, "latin1")), "latin1");
}
// Threads start quicker without the loader of ES modules; their files are called as the plain ones are.
writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }\n');
for (const worker of ["archive/scan-worker", "store/digest-worker"]) {
  const file = `${worker.replace(/^.*\//, "")}.js`;
  await build({
    ...cjs,
    entryPoints: [join(root, `dist/src/${worker}.js`)],
    outfile: join(folder, file),
    plugins: [late],
  });
}

/** Runs commands in a folder of its own. */
async function runAll(main, work, ...commands) {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const streams = { stdout: silent, stderr: silent, env: {} };
  for (const command of commands) {
    const status = await main([...command, "--home", join(work, "home"), "--state", join(work, "state")], streams);
    if (status !== 0) throw new Error(`feedkey ${command[0]} ended with ${status} while the bundle was tried`);
  }
}

/**
 * Tries the commands whose start counts, and saves what they compiled: a function that is in the cache costs a little at each
 * start, one that is not costs more when it is called first.
 */
async function warmUp() {
  const work = mkdtempSync(join(tmpdir(), "feedkey-build-"));
  const index = join(work, "Packages");
  const save = (name) => writeFileSync(join(folder, `${name}.cache`), loaded.get(name).script.createCachedData());
  try {
    // By the plain files: what only these need must not get into the cache of what everything needs.
    const { main: plain } = await import("../dist/src/cli/main.js");
    await runAll(plain, work, ["keygen", "--user-id", "Build <build@example.org>"]);
    const fingerprint = readdirSync(join(work, "home/certs"))[0].replace(".asc", "");
    const profile = (name, url) => {
      const lines = ["[archive]", "name = Build", `url = ${url}`, "user-id = Build <build@example.org>", "[trust]"];
      lines.push(`keyring = ${join(work, "home/certs")}`, `seeds = ${fingerprint}`, "keyservers = none");
      writeFileSync(join(work, name), `${[...lines, "[feed base]", "format = opkg", "path = ."].join("\n")}\n`);
      return ["--profile", join(work, name)];
    };
    const sign = [index, "--key", fingerprint, "--feed", "base"];
    writeFileSync(index, `Package: a\nVersion: 1\nFilename: a.ipk\nSize: 1\nSHA256sum: ${"0".repeat(64)}\n\n`);
    await runAll(plain, work, ["sign", ...sign]);

    const { main } = loadBundle(folder, "feedkey").exports;
    await runAll(main, work, ["verify", index, ...profile("file.ini", `file://${work}/`)]);
    save("feedkey");
    await runAll(main, work, ["sign", ...sign], ["publish", work, ...sign.slice(1), "--allow-empty"]);
    save("keepers");
    // The library for HTTP is in its part once something was asked for.
    const { startServer } = await import("../dist/src/keyserver/server.js");
    const server = await startServer({ root: work, port: 0 });
    await runAll(main, work, ["refresh", ...profile("http.ini", `http://localhost:${server.port}/`)]);
    await server.close();
    for (const name of packages) {
      loadBundle(folder, name);
      save(name);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

await warmUp();
// Known to be whole: the bundle is used only with this beside it.
writeFileSync(
  join(folder, "complete"),
  readFileSync(join(root, "package.json"), "utf8").match(/"version": "([^"]*)"/)[1],
);
