/**
 * Makes one file of the whole program, with V8's code cache beside it: starting costs half of what it costs to load
 * some two hundred modules (measured: `npm run bench`). bin/feedkey.js uses it when it is there and not older than
 * the plain files, which do the same.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { loadBundle } from "../bin/load-bundle.js";

const root = fileURLToPath(new URL("..", import.meta.url));
// As deep below the root as the plain files, so that paths relative to a module stay right.
const folder = join(root, "dist/src/bundle");

// Stays where npm put it: Node warns of what it does unless it lies below node_modules.
const external = ["seek-bzip"];
const common = {
  external,
  bundle: true,
  platform: "node",
  target: "node20",
  logLevel: "warning",
  legalComments: "none",
};
await build({
  ...common,
  entryPoints: [join(root, "dist/src/cli/main.js")],
  outfile: join(folder, "feedkey.cjs"),
  format: "cjs",
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
});
await build({
  ...common,
  entryPoints: [join(root, "dist/src/archive/scan-worker.js")],
  outfile: join(folder, "scan-worker.js"),
  format: "esm",
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
});

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

rmSync(join(folder, "feedkey.cache"), { force: true });
const { exports, script } = loadBundle(folder, createRequire(import.meta.url));
await warmUp(exports.main);
writeFileSync(join(folder, "feedkey.cache"), script.createCachedData());
// Known to be whole: the bundle is used only with this beside it.
writeFileSync(
  join(folder, "complete"),
  readFileSync(join(root, "package.json"), "utf8").match(/"version": "([^"]*)"/)[1],
);
