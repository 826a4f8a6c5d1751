/** Who may import whom in `src/`: downwards only. `biome.json` says the coarse part of it where one writes. */

/** Files at the root of `src/` that everybody may use: errors, times, text made safe to print, the largest of many numbers, work shared by threads. */
export const ground = ["error", "time", "escape", "extremes", "threads"];

/** Each folder with the folders that it may import, beside itself and the ground. */
export const below: Readonly<Record<string, readonly string[]>> = {
  "index-format": [],
  profile: ["index-format"],
  trust: ["profile", "index-format"],
  openpgp: ["trust", "profile", "index-format"],
  package: ["profile", "index-format"],
  store: ["profile", "index-format"],
  net: ["profile", "index-format"],
  keyserver: ["openpgp", "store", "net", "trust", "profile", "index-format"],
  archive: ["keyserver", "openpgp", "package", "store", "net", "trust", "profile", "index-format"],
  client: ["keyserver", "openpgp", "package", "store", "net", "trust", "profile", "index-format"],
  rehearse: [
    "archive",
    "client",
    "keyserver",
    "openpgp",
    "package",
    "store",
    "net",
    "trust",
    "profile",
    "index-format",
  ],
  keeper: ["archive", "client", "keyserver", "openpgp", "package", "store", "net", "trust", "profile", "index-format"],
  cli: [
    "keeper",
    "rehearse",
    "archive",
    "client",
    "keyserver",
    "openpgp",
    "package",
    "store",
    "net",
    "trust",
    "profile",
    "index-format",
  ],
};

/** Libraries from outside, and the only folders that may import each. One that is not here may be imported nowhere. */
export const owners: Readonly<Record<string, readonly string[]>> = {
  "@bokuweb/zstd-wasm": ["archive"],
  "cli-progress": ["cli"],
  "cli-table3": ["cli"],
  comlink: ["archive"],
  commander: ["cli"],
  ini: ["profile"],
  "libarchive.js": ["archive"],
  openpgp: ["openpgp"],
  "seek-bzip": ["package"],
  send: ["keyserver"],
  "tar-stream": ["cli"],
  undici: ["net", "keyserver"],
  "xdg-basedir": ["store"],
  "xz-decompress": ["package"],
  zstddec: ["package"],
};

/** Folders that do no I/O and read no clock. */
export const pure = ["index-format", "profile", "trust"];
