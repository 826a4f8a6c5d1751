// Running the bundled program with V8's code cache, which a function of Node does by itself only from version 22 on.
const { readFileSync, statSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { constants, Script } = require("node:vm");

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/**
 * Whether the bundle is there, whole, and no older than the last compilation of the plain files.
 * @param compiled the compiler's record; an installed package has none
 */
function bundleServes(folder, compiled) {
  const bundled = modified(join(folder, "complete"));
  return bundled !== undefined && bundled >= (modified(compiled) ?? 0);
}

const loaded = new Map();

/**
 * Runs a part of the bundle, once.
 * @param name of its file, without the ending; a part asks for another as for a file beside it
 * @returns what it exports, and its script, whose cache V8 ignores by itself if it is of another version
 */
function loadBundle(folder, name) {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const filename = join(folder, `${name}.cjs`);
  let cachedData;
  try {
    cachedData = readFileSync(join(folder, `${name}.cache`));
  } catch {
    // The first run of all, in the build, makes it.
  }
  // The build writes ASCII only, inside the function that a module is: as latin1 it is read without being looked at or copied.
  const script = new Script(readFileSync(filename, "latin1"), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  const part = { exports: module.exports, script };
  loaded.set(name, part);
  const outside = createRequire(filename);
  const require = (id) => (id.startsWith("./") ? loadBundle(folder, id.slice(2)).exports : outside(id));
  script.runInThisContext()(module.exports, require, module, filename, folder);
  part.exports = module.exports;
  return part;
}

module.exports = { bundleServes, loadBundle, loaded };
