// Runs inside the standalone executable: unpacks the program's files into a private folder of the user, once for each version,
// and starts the program.
const { createHash, randomBytes } = require("node:crypto");
const fs = require("node:fs");
const { createRequire } = require("node:module");
const { homedir, tmpdir } = require("node:os");
const { dirname, isAbsolute, join } = require("node:path");
const { getRawAsset } = require("node:sea");
const { deserialize } = require("node:v8");

const blob = Buffer.from(getRawAsset("files"));
const version = createHash("sha256").update(blob).digest("hex").slice(0, 32);

function cacheFolder() {
  const { XDG_CACHE_HOME: chosen = "" } = process.env;
  return join(isAbsolute(chosen) ? chosen : join(homedir(), ".cache"), "feedkey");
}

/** Nobody else can have written it. */
function isOwn(path) {
  const status = fs.lstatSync(path);
  return status.isDirectory() && status.uid === process.geteuid() && (status.mode & 0o022) === 0;
}

function write(folder) {
  for (const [path, data] of deserialize(blob)) {
    const file = join(folder, path);
    fs.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, data, { flag: "wx", mode: 0o600 });
  }
}

/** The folder of this version, written completely or not at all; undefined if the home can't be written. */
function keptFolder() {
  const above = cacheFolder();
  const kept = join(above, `standalone-${version}`);
  try {
    fs.mkdirSync(above, { recursive: true, mode: 0o700 });
    // The owner of the folder around it, another user under `sudo -E`, could put a different one in its place.
    if (!isOwn(above) || !isOwn(dirname(above))) return undefined;
    if (fs.existsSync(kept)) return isOwn(kept) ? kept : undefined;
    const fresh = `${kept}.${randomBytes(8).toString("hex")}`;
    write(fresh);
    try {
      fs.renameSync(fresh, kept);
    } catch {
      // Another run was first.
      fs.rmSync(fresh, { recursive: true, force: true });
    }
    return isOwn(kept) ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** A folder only for this run. */
function passingFolder() {
  const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-"));
  process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  write(folder);
  return folder;
}

const program = join(keptFolder() ?? passingFolder(), "bin/feedkey.js");
createRequire(program)(program);
