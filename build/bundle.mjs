/**
 * Makes one file of the whole program, with V8's code cache beside it: starting costs half of what it costs to load
 * some three hundred modules (measured: `npm run bench`). bin/feedkey.js uses it when it is there and not older than
 * the plain files, which do the same. Large packages that most runs do not need are files of their own.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { loadBundle, loaded } from "../bin/load-bundle.js";

const root = fileURLToPath(new URL("..", import.meta.url));
// As deep below the root as the plain files, so that paths relative to a module stay right.
const folder = join(root, "dist/src/bundle");
rmSync(folder, { recursive: true, force: true });

// These stay where npm put them: Node warns of what the first does unless it lies below node_modules, the other reads a
// file that lies beside it.
const external = ["seek-bzip", "@bokuweb/zstd-wasm"];
const packages = ["openpgp", "undici", "send"];

/** Another part of the bundle in the place of a package: `bin/load-bundle.js` finds it. */
const parts = {
  name: "parts",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${packages.join("|")})$`) }, ({ path, kind }) => {
      return kind === "entry-point" ? undefined : { path: `./${path}`, external: true };
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
await build({
  ...cjs,
  entryPoints: [join(root, "dist/src/cli/main.js")],
  outfile: join(folder, "feedkey.cjs"),
  plugins: [parts],
});
for (const name of packages) {
  await build({ ...cjs, entryPoints: [name], outfile: join(folder, `${name}.cjs`) });
}
for (const worker of ["archive/scan-worker", "store/digest-worker"]) {
  await build({
    ...common,
    define: {},
    entryPoints: [join(root, `dist/src/${worker}.js`)],
    outfile: join(folder, `${worker.replace(/^.*\//, "")}.js`),
    format: "esm",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
}

/** Runs the everyday commands once, so that the cache holds what they compile. */
async function warmUp(main) {
  const work = mkdtempSync(join(tmpdir(), "feedkey-build-"));
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const streams = { stdout: silent, stderr: silent, env: {} };
  const run = async (...args) => {
    const status = await main([...args, "--home", join(work, "home"), "--state", join(work, "state")], streams);
    if (status !== 0) throw new Error(`feedkey ${args[0]} ended with ${status} while the bundle was tried`);
  };
  try {
    await run("keygen", "--user-id", "Build <build@example.org>");
    const [certificate] = readdirSync(join(work, "home/certs"));
    const fingerprint = certificate.replace(".asc", "");
    writeFileSync(join(work, "Packages"), "");
    await run("sign", join(work, "Packages"), "--key", fingerprint, "--feed", "base");
    const profile = [
      "[archive]",
      "name = Build",
      `url = file://${work}/`,
      "user-id = Build <build@example.org>",
      "[trust]",
    ];
    profile.push(`keyring = ${join(work, "home/certs")}`, `seeds = ${fingerprint}`, "keyservers = none");
    writeFileSync(join(work, "p.ini"), `${[...profile, "[feed base]", "format = opkg", "path = ."].join("\n")}\n`);
    await run("verify", join(work, "Packages"), "--profile", join(work, "p.ini"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

await warmUp(loadBundle(folder, "feedkey").exports.main);
for (const name of packages) loadBundle(folder, name);
for (const [name, { script }] of loaded) writeFileSync(join(folder, `${name}.cache`), script.createCachedData());
// Known to be whole: the bundle is used only with this beside it.
writeFileSync(
  join(folder, "complete"),
  readFileSync(join(root, "package.json"), "utf8").match(/"version": "([^"]*)"/)[1],
);
