#!/usr/bin/env node
// CommonJS (package.json beside it): Node starts its module loader for ES modules only when something needs it, which
// is 10 ms that most runs can do without.
const { join } = require("node:path");
const { bundleServes, loadBundle } = require("./load-bundle.js");

const dist = join(__dirname, "../dist");
const folder = join(dist, "src/bundle");

async function start({ main }) {
  process.exitCode = await main(process.argv.slice(2));
  // All is done: tidying up a process that ends takes 8 ms. What is still to be written keeps it alive.
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
}

if (bundleServes(folder, join(dist, ".tsbuildinfo"))) start(loadBundle(folder, "feedkey").exports);
else import("../dist/src/cli/main.js").then(start);
