/** Repositories of pacman: `NAME.db`, an archive of package descriptions, with one signature in a separate file. */
import { bytesOf } from "../../content.ts";
import type { Format } from "../format.ts";
import { readDatabase } from "./database.ts";
import { relations } from "./relations.ts";
import { compareVersions } from "./version.ts";

/** Matches the names of databases that repo-add writes: `.db`, or `.files`, which also lists the files in all packages. */
const root = /\.(db|files)(\.tar(\.(gz|xz|zst|bz2))?)?$/;

const publishedAs = (feed: string) => `${feed}.db`;

export const pacman: Format = {
  index: "NAME.db",
  forms: [],
  published: "NAME.db",
  publishedAs,
  roots: ({ index, name = "" }) => [index ?? publishedAs(name)],
  signaturesOf: (name) => [`${name}.sig`],
  oneSignature:
    "every pacman needs it in its keyring: from the timer of feedkey setup pacman, or from a new NAME.gpg and NAME-trusted with pacman-key --populate",
  signs: "file",
  signing: {
    isRoot: (name) => root.test(name),
    several: "one",
    // repo-add makes NAME.db a symbolic link, and looks for the signature of the link's target. Clients request NAME.db.sig.
    // So feedkey writes both signature files.
    files: (name) => {
      const asked = name.replace(/\.tar[.a-z0-9]*$/, "");
      return [...new Set([name, asked])].map((one) => ({ name: `${one}.sig`, holds: "binary" }));
    },
  },
  needs: "the new key in NAME.gpg and NAME-trusted, and pacman-key --populate run on each",
  packageName: /\.pkg\.tar(\.(gz|xz|zst|bz2|lz4|lrz|lzo|Z|lz))?$/,
  compareVersions,
  relations,
  read: (text) => readDatabase(bytesOf(text)),
};
