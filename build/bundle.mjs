/**
 * One file of the whole program: loading it takes a third of the time of loading some three hundred modules
 * (docs/performance.md). It is as deep below the root as the plain files, so that paths relative to a module stay right.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { bundleOptions } from "./bundle-options.mjs";
import { buildPage } from "./page.mjs";

const folder = "dist/src/bundle";
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
// Node starts its loader for ES modules only when something needs it, and so do threads.
writeFileSync(`${folder}/package.json`, '{ "type": "commonjs" }\n');
await build({
  ...bundleOptions,
  entryPoints: ["dist/src/cli/main.js", "dist/src/worker.js"],
  outdir: folder,
  entryNames: "[name]",
});

await buildPage(folder);

// What `--version` prints after the number, if this is a checkout.
try {
  const commit = execFileSync("git", ["describe", "--always", "--dirty", "--exclude=*"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  writeFileSync("dist/commit", commit);
} catch {
  rmSync("dist/commit", { force: true });
}

await import("./man-pages.mjs");
