/**
 * `npm run build:standalone`: dist/feedkey, Node's own executable with the program inside, which needs no Node on the path. It is for
 * the system and the Node that it was built with. The program must have been built.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { serialize } from "node:v8";
import { inject } from "postject";
import { outside } from "./bundle-options.mjs";
import { install, isLoaded, ownFiles } from "./installed-files.mjs";

const folder = "dist/standalone";
const target = "dist/feedkey";
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

function* filesBelow(path) {
  for (const name of readdirSync(path)) {
    const inner = join(path, name);
    if (statSync(inner).isDirectory()) yield* filesBelow(inner);
    else yield inner;
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const files = join(folder, "files");
const libraries = [...outside, "libarchive.js"].map((name) => `node_modules/${name}`);
install(files, [...ownFiles, "dist/src/bundle", ...libraries], isLoaded);
const contents = new Map([...filesBelow(files)].sort().map((path) => [relative(files, path), readFileSync(path)]));
writeFileSync(join(folder, "files.bin"), serialize(contents));
const settings = {
  main: "build/standalone-main.cjs",
  output: join(folder, "blob"),
  disableExperimentalSEAWarning: true,
  assets: { files: join(folder, "files.bin") },
};
writeFileSync(join(folder, "sea.json"), JSON.stringify(settings));
execFileSync(process.execPath, ["--experimental-sea-config", join(folder, "sea.json")], {
  stdio: ["ignore", "ignore", "inherit"],
});
if (!readFileSync(process.execPath).includes(fuse)) {
  throw new Error(`${process.execPath} can't hold a program: use a Node from nodejs.org, whose library is inside`);
}
copyFileSync(process.execPath, target);
chmodSync(target, 0o755);
try {
  execFileSync("strip", [target], { stdio: "ignore" });
} catch {
  // Otherwise the executable is only larger.
}
await inject(target, "NODE_SEA_BLOB", readFileSync(settings.output), { sentinelFuse: fuse });
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${target}\n`);
