#!/usr/bin/env node
// CommonJS (package.json beside it), as the bundle is: Node starts its loader for ES modules only when something needs it.
// Old releases must be able to read this file, to say what is needed.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`feedkey: error: feedkey needs Node 20.19 or newer, this is Node ${process.versions.node}\n`);
  process.exit(70);
}

// What Node says of its own parts, such as Ed25519 in its Web Crypto, is nothing that somebody who runs feedkey can change.
const { emitWarning } = process;
process.emitWarning = (warning, ...terms) => {
  if (terms[0] !== "ExperimentalWarning") emitWarning.call(process, warning, ...terms);
};

const { join } = require("node:path");
const { runCompiled } = require("./compiled.js");

const args = process.argv.slice(2);
const program = runCompiled(join(__dirname, "../dist/src/bundle/main.js"), args[0]);

program.exports.main(args).then((status) => {
  process.exitCode = status;
  if (status === 0) program.save();
  // All is done: tidying up a process that ends takes 8 ms. What is still to be written keeps it alive.
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
});
