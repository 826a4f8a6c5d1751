/**
 * `npm run build:client`: dist/client-part, the program for machines that only follow archives: one file without the code for
 * keepers, and the libraries that it may load. The program must have been built.
 */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";
import { bundleOptions } from "./bundle-options.mjs";
import { install, isLoaded } from "./installed-files.mjs";

const folder = "dist/client-part";
const bundle = `${folder}/dist/src/bundle`;
rmSync(folder, { recursive: true, force: true });
mkdirSync(bundle, { recursive: true });

/** Imports of keeper code in the client's commands, for options that the client part refuses. */
const archiveSide = {
  name: "archive-side",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/(?:archive-status|open-archive)\.js$/ }, () => ({ path: "absent", namespace: "absent" }));
    onLoad({ filter: /./, namespace: "absent" }, () => ({
      contents: `import { FeedkeyError } from "./error.js";
export function archiveStatus() {
  throw new FeedkeyError("usage", "this installation has feedkey's client part alone, which can't look after an archive", {
    hint: "install the whole of feedkey",
  });
}
export { archiveStatus as openArchive };`,
      resolveDir: "dist/src",
    }));
  },
};

await build({
  ...bundleOptions,
  entryPoints: { main: "dist/src/cli/client-main.js", worker: "dist/src/worker.js" },
  outdir: bundle,
  plugins: [archiveSide],
});
cpSync("dist/src/bundle/package.json", `${bundle}/package.json`);
// Rare algorithms, and packages compressed in ways that Node does not read.
const libraries = ["openpgp", "seek-bzip", "@bokuweb/zstd-wasm"].map((name) => `node_modules/${name}`);
install(folder, ["bin", "dist/commit", "keyrings", "profiles", "package.json", "LICENSE", ...libraries], isLoaded);
process.stdout.write(`${folder}\n`);
