/**
 * The floor under any program that runs on Node: what its start costs, and reading and hashing, and nothing else. Nothing is
 * parsed, checked, kept or written.
 *   index FILE...    reads files, SHA-256 of each
 *   files FOLDER     all files below a folder, SHA-256 of each, on two threads
 *   scan FOLDER      the same with MD5 too
 *   stat FOLDER      looks at all files below a folder, and reads its index
 *   get CA URL...    fetches all of these at once over TLS
 */
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { join } = require("node:path");

const piece = Buffer.allocUnsafeSlow(128 * 1024);

function digest(path, names) {
  const descriptor = fs.openSync(path);
  const hashes = names.map((name) => createHash(name));
  for (;;) {
    const count = fs.readSync(descriptor, piece, 0, piece.length, null);
    if (count === 0) break;
    for (const hash of hashes) hash.update(piece.subarray(0, count));
  }
  fs.closeSync(descriptor);
  for (const hash of hashes) hash.digest();
}

function filesBelow(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function share({ paths, names, next }) {
  const counter = new Int32Array(next);
  for (let at = Atomics.add(counter, 0, 1); at < paths.length; at = Atomics.add(counter, 0, 1))
    digest(paths[at], names);
}

function onTwoThreads(folder, names) {
  const { Worker } = require("node:worker_threads");
  const work = { paths: filesBelow(folder), names, next: new SharedArrayBuffer(4) };
  new Worker(__filename, { workerData: work });
  share(work);
}

function get(ca, urls) {
  const { Agent, get } = require("node:https");
  const agent = new Agent({ ca: fs.readFileSync(ca), keepAlive: true, maxSockets: 2 });
  let left = urls.length;
  for (const url of urls) {
    get(url, { agent }, (answer) => {
      answer.resume().on("end", () => {
        left -= 1;
        if (left === 0) agent.destroy();
      });
    });
  }
}

const modes = {
  index: (...files) => {
    for (const file of files) digest(file, ["sha256"]);
  },
  files: (folder) => onTwoThreads(folder, ["sha256"]),
  scan: (folder) => onTwoThreads(folder, ["sha256", "md5"]),
  stat: (folder) => {
    for (const path of filesBelow(folder)) fs.lstatSync(path, { bigint: true });
    digest(join(folder, "Packages"), ["sha256"]);
  },
  get: (ca, ...urls) => get(ca, urls),
};

const [mode, ...args] = process.argv.slice(2);
if (mode === undefined) {
  const { workerData } = require("node:worker_threads");
  if (workerData !== null) share(workerData);
} else {
  modes[mode](...args);
}
