// V8's compiled code from an earlier run of the same command, kept in a private folder of the user. V8 would accept the cache
// of any source with the same length, so here the file name has a digest of the source, and the file a digest of itself.
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { createRequire } = require("node:module");
const { homedir } = require("node:os");
const { dirname, isAbsolute, join } = require("node:path");
const { Script } = require("node:vm");

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

function cacheFolder() {
  const { XDG_CACHE_HOME: chosen = "" } = process.env;
  return join(isAbsolute(chosen) ? chosen : join(homedir(), ".cache"), "feedkey");
}

const ownName = /^[0-9a-f]{64}-[a-z-]{0,30}(\.\d+)?$/;

/** Nobody else can have written it: root with another user's home does not use that user's files. */
function isOwn({ uid, mode }) {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}

/** The compiled program; undefined if there is none, or if it may not be this user's. */
function readCompiled(folder, name) {
  let descriptor;
  try {
    const folderStatus = fs.lstatSync(folder);
    if (!folderStatus.isDirectory() || !isOwn(folderStatus)) return undefined;
    descriptor = fs.openSync(
      join(folder, name),
      fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
    );
    const status = fs.fstatSync(descriptor);
    if (!status.isFile() || !isOwn(status)) return undefined;
    const bytes = fs.readFileSync(descriptor);
    const data = bytes.subarray(32);
    return sha256(data).equals(bytes.subarray(0, 32)) ? data : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** Saves the compiled program, and removes those of other versions. A failure is ignored, because it can be made again. */
function saveCompiled(folder, name, data) {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const status = fs.lstatSync(folder);
    // The folder above may be a link to somebody else's.
    if (!status.isDirectory() || !isOwn(status) || !isOwn(fs.lstatSync(dirname(folder)))) return;
    const [version] = name.split("-");
    const old = fs.readdirSync(folder).filter((other) => ownName.test(other) && !other.startsWith(version));
    for (const other of old) fs.rmSync(join(folder, other));
    const written = join(folder, `${name}.${process.pid}`);
    fs.writeFileSync(written, Buffer.concat([sha256(data), data]), { flag: "wx", mode: 0o600 });
    fs.renameSync(written, join(folder, name));
  } catch {
    // A full disk, a home that can't be written.
  }
}

/**
 * Runs a CommonJS file of ASCII text.
 * @param command each has its own file, because each compiles other functions
 * @returns what it exports, whether the compiled program was at hand, and what saves it if not
 */
exports.runCompiled = (file, command) => {
  const source = fs.readFileSync(file);
  const folder = cacheFolder();
  const version = sha256(process.version, process.arch, "\0", source).toString("hex");
  const name = `${version}-${/^[a-z-]{1,30}$/.test(command ?? "") ? command : ""}`;
  const cachedData = readCompiled(folder, name);
  const wrapper = `(function (exports, require, module, __filename, __dirname) {${source.latin1Slice()}\n})`;
  const script = new Script(wrapper, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  const isKnown = cachedData !== undefined && script.cachedDataRejected === false;
  return {
    exports: module.exports,
    isKnown,
    save: () => isKnown || saveCompiled(folder, name, script.createCachedData()),
  };
};
