/** The files of this folder that an installation needs: the program with its libraries. For the .deb and the standalone program. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** The manifest. */
export const manifest = JSON.parse(readFileSync("package.json", "utf8"));

/** When this version was released, by the change log: RFC 3339's date. */
export function releaseDate() {
  const heading = new RegExp(`^## \\[${manifest.version.replaceAll(".", "\\.")}\\] - (\\S+)`, "m");
  const [, date] = heading.exec(readFileSync("CHANGELOG.md", "utf8")) ?? [];
  if (date === undefined) throw new Error(`CHANGELOG.md has no section for version ${manifest.version}`);
  return date;
}

/** The project's own files in every installation; the demo makes packages from the documents. */
export const ownFiles = [
  "bin",
  "dist/commit",
  "keyrings",
  "profiles",
  "package.json",
  "LICENSE",
  "README.md",
  "CHANGELOG.md",
  "SECURITY.md",
];

/** Types, source maps and texts of libraries, which are not needed at run time. */
const left = /\.(?:d\.[cm]?ts|map)$|^node_modules\/.*(?:\.(?:md|markdown)|\/\.[^/]+|\/(?:types|test|tests))$/;

/** Node loads only one of several builds of the OpenPGP library. */
export const isLoaded = (path) =>
  !/openpgp\/(?:lightweight|dist\/(?:lightweight|openpgp|node\/openpgp\.(?!min\.cjs$)))/.test(path);

/** Copies files and folders below another folder. @param isWanted of the paths */
export function install(target, paths, isWanted = () => true) {
  for (const path of paths.filter((one) => existsSync(one))) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    cpSync(path, join(target, path), {
      recursive: true,
      dereference: true,
      filter: (source) => !left.test(source) && isWanted(source),
    });
  }
}

/** Folders of the libraries that run, by `npm ls`; nothing is asked over the network. */
export function libraries() {
  const listed = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], { encoding: "utf8" });
  return listed
    .split("\n")
    .filter((path) => path.includes("node_modules"))
    .map((path) => relative(process.cwd(), path))
    .sort();
}
