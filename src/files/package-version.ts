import { existsSync, readFileSync } from "node:fs";

let known: string | undefined;

/** Returns the version in package.json, followed by the commit if the build recorded the commit. */
export function packageVersion(): string {
  known ??= read();
  return known;
}

function read(): string {
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { readonly version: string };
  const commit = new URL("../../commit", import.meta.url);
  return existsSync(commit) ? `${version} (${readFileSync(commit, "utf8").trim()})` : version;
}
