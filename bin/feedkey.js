#!/usr/bin/env node
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { bundleServes, loadBundle } from "./load-bundle.js";

const folder = fileURLToPath(new URL("../dist/src/bundle", import.meta.url));
const compiled = fileURLToPath(new URL("../dist/.tsbuildinfo", import.meta.url));
const { main } = bundleServes(folder, compiled)
  ? loadBundle(folder, createRequire(import.meta.url)).exports
  : await import("../dist/src/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
