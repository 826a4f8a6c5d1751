/**
 * The script of the trust page: one file for browsers, made of the very modules that the program judges by. What browsers lack is
 * replaced: Node's cryptography, decompression and the OpenPGP library by `src/page/engine/`, `Buffer` by the package of that name.
 */
import { execFileSync } from "node:child_process";
import { basename, resolve } from "node:path";
import { build } from "esbuild";

const engine = resolve("src/page/engine");

const replacements = {
  name: "replacements",
  setup({ onResolve }) {
    onResolve({ filter: /^node:crypto$/ }, () => ({ path: `${engine}/crypto.ts` }));
    onResolve({ filter: /\/(?:zstd-library|library-key)\.(?:ts|js)$/ }, ({ path }) => {
      return { path: `${engine}/${basename(path).replace(/js$/, "ts")}` };
    });
    onResolve({ filter: /^\.\/decoders\.(?:ts|js)$/ }, ({ importer }) => {
      return /\/packages\/compression\//.test(importer) ? { path: `${engine}/decoders.ts` } : undefined;
    });
  },
};

/** How a script for browsers is made. */
export const browserOptions = {
  bundle: true,
  platform: "browser",
  format: "iife",
  target: ["chrome109", "firefox115", "safari16.4"],
  inject: ["build/page-buffer.mjs"],
  plugins: [replacements],
  minify: true,
  legalComments: "none",
  logLevel: "warning",
};

/** Writes script and style sheet into a folder. */
export async function buildPage(folder) {
  // The scripts of browsers have types of their own, which Node's must not be mixed with.
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "src/page/browser"], { stdio: "inherit" });
  await build({
    ...browserOptions,
    entryPoints: { page: "src/page/browser/main.ts", "page-style": "src/page/browser/page.css" },
    outdir: folder,
  });
}
