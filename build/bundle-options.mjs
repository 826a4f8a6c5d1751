/** Options with which esbuild makes one file of the program, or of its client part. */

/** Packages that are not bundled; Node loads them from node_modules when needed. */
export const outside = ["seek-bzip", "@bokuweb/zstd-wasm", "openpgp", "@hpcc-js/wasm-graphviz"];

export const bundleOptions = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  // Node warns of what the first does unless it lies below node_modules, the other reads a file that lies beside it.
  // The OpenPGP library is one file already, for rare algorithms and secret keys alone; so is Graphviz, for pictures.
  external: outside,
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
  // Keep names, so that stacks are readable.
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
};
