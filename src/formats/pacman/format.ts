/** Repositories of pacman: `NAME.db`, an archive of descriptions, with one signature beside it. */
import type { Format } from "../format.ts";
import { readDatabase } from "./database.ts";
import { compareVersions } from "./version.ts";

export const pacman: Format = {
  index: "NAME.db",
  forms: [],
  published: "NAME.db",
  roots: ({ index, name = "" }) => [index ?? `${name}.db`],
  signaturesOf: (root) => [`${root}.sig`],
  signs: "file",
  packageName: /\.pkg\.tar(\.(gz|xz|zst|bz2|lz4|lrz|lzo|Z|lz))?$/,
  compareVersions,
  read: readDatabase,
};
