/** Running the bundled program with V8's code cache, which a function of Node does by itself only from version 22 on. */
import { readFileSync, statSync } from "node:fs";
import { Module } from "node:module";
import { join } from "node:path";
import { constants, Script } from "node:vm";

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/**
 * Whether the bundle is there, whole, and no older than the last compilation of the plain files.
 * @param compiled the compiler's record; an installed package has none
 */
export function bundleServes(folder, compiled) {
  const bundled = modified(join(folder, "complete"));
  return bundled !== undefined && bundled >= (modified(compiled) ?? 0);
}

/** @returns what the bundle exports, and its script, whose cache V8 ignores by itself if it is of another version */
export function loadBundle(folder, require) {
  const filename = join(folder, "feedkey.cjs");
  let cachedData;
  try {
    cachedData = readFileSync(join(folder, "feedkey.cache"));
  } catch {
    // The first run of all, in the build, makes it.
  }
  const script = new Script(Module.wrap(readFileSync(filename, "utf8")), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, filename, folder);
  return { exports: module.exports, script };
}
