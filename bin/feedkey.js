#!/usr/bin/env node
// CommonJS (package.json beside it), as the bundle is: Node starts its loader for ES modules only when something needs it. Old
// releases of Node must be able to read this file, to print which version is needed.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`feedkey: error: feedkey needs Node 20.19 or newer, this is Node ${process.versions.node}\n`);
  process.exit(70);
}

// Node's warnings about its own parts, such as Ed25519 in Web Crypto, do not help users of feedkey.
const { emitWarning } = process;
process.emitWarning = (warning, ...terms) => {
  if (terms[0] !== "ExperimentalWarning") emitWarning.call(process, warning, ...terms);
};

const { join } = require("node:path");
const { runCompiled } = require("./compiled.js");

const args = process.argv.slice(2);
const program = runCompiled(join(__dirname, "../dist/src/bundle/main.js"), args[0]);

// Node ends when nothing is left to wait for, whether or not the command has ended, and would say that all is well.
let hasEnded = false;
process.once("exit", (code) => {
  if (hasEnded || code !== 0) return;
  process.exitCode = 70;
  process.stderr.write("feedkey: error: the command stopped before it had finished\n");
  process.stderr.write(
    "feedkey: hint: this is a bug: rely on nothing from this run, and report it as SECURITY.md says\n",
  );
});

program.exports.main(args).then((status) => {
  hasEnded = true;
  process.exitCode = status;
  if (status === 0) program.save();
  // Everything is done, and cleaning up at exit would take 8 ms. Pending writes keep the process alive.
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
});
