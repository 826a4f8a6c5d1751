/** Who may import whom in `src/`: downwards only. `biome.json` says the coarse part of it where one writes. */

/** Files at the root of `src/` that everybody may use: errors, times, text made safe to print, bytes that come in pieces, the largest of many numbers, maps of lists, work shared by threads, guesses at mistyped words, ends of texts. */
export const ground = [
  "error",
  "time",
  "escape",
  "content",
  "extremes",
  "grouped",
  "threads",
  "did-you-mean",
  "trailing",
];

/** The folders from the bottom up: each may import those before it, beside itself and the ground. */
const order = [
  "formats",
  "profile",
  "trust",
  "openpgp",
  "packages",
  "files",
  "store",
  "net",
  "object-store",
  "keyserver",
  "signing",
  "publish",
  "keys",
  "refresh",
  "stock",
  "client",
  "picture",
  "rehearse",
  "page",
  "keeper",
  "cli",
];

/** Imports that the order would allow, but that a folder has no business with: the archive's side and the client's. */
const strangers: Readonly<Record<string, readonly string[]>> = {
  openpgp: ["formats"],
  packages: ["openpgp", "trust", "profile"],
  files: ["packages", "openpgp", "trust", "profile", "formats"],
  store: ["packages", "openpgp", "trust", "formats"],
  net: ["store", "packages", "openpgp", "trust"],
  "object-store": ["store", "packages", "openpgp", "trust", "formats"],
  keyserver: ["packages", "formats", "object-store"],
  signing: ["keyserver", "net", "object-store"],
  publish: ["keyserver"],
  keys: ["packages", "formats", "object-store"],
  refresh: ["keys", "publish", "signing", "packages", "object-store"],
  stock: ["keys", "publish", "signing", "keyserver", "packages", "object-store"],
  client: ["keys", "publish", "signing", "keyserver", "object-store"],
  picture: ["publish", "signing", "keyserver", "net", "store", "packages", "stock", "object-store"],
  // The command line goes through the library.
  cli: [
    "formats",
    "profile",
    "trust",
    "openpgp",
    "packages",
    "store",
    "net",
    "object-store",
    "keyserver",
    "signing",
    "publish",
    "keys",
    "refresh",
  ],
};

/** Types come from the public API: what it lacks, a program could not have either. */
const doors: Readonly<Record<string, readonly string[]>> = { cli: ["index"] };

/** Each folder with the folders that it may import. */
export const below: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  order.map((folder, i) => [
    folder,
    [...order.slice(0, i).filter((lower) => !strangers[folder]?.includes(lower)), ...(doors[folder] ?? [])],
  ]),
);

/** Libraries from outside, and the only folders that may import each. One that is not here may be imported nowhere. */
export const owners: Readonly<Record<string, readonly string[]>> = {
  "@bokuweb/zstd-wasm": ["packages"],
  "@hpcc-js/wasm-graphviz": ["picture"],
  aws4fetch: ["object-store"],
  "cli-progress": ["cli"],
  "cli-table3": ["cli"],
  comlink: ["packages"],
  commander: ["cli"],
  ini: ["profile"],
  "libarchive.js": ["packages"],
  openpgp: ["openpgp"],
  saxes: ["formats"],
  "seek-bzip": ["packages"],
  send: ["keyserver"],
  undici: ["net", "keyserver"],
  "xz-decompress": ["packages"],
};

/** Libraries that the build puts into the script of the trust page, with the only folder that may import each. Nothing needs them later. */
export const built: Readonly<Record<string, readonly string[]>> = {
  "@noble/curves": ["page"],
  "@noble/hashes": ["page"],
  fzstd: ["page"],
};

/** Folders that do no I/O and read no clock. */
export const pure = ["formats", "profile", "trust"];
