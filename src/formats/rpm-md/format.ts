/** Repositories of dnf and zypper: `repodata/repomd.xml`, its signature, and the list of packages that it names, `primary`. */
import { bytesOf } from "../../content.ts";
import type { Format } from "../format.ts";
import { readPrimary } from "./primary.ts";
import { relations } from "./relations.ts";
import { readRepomd } from "./repomd.ts";
import { compareVersions } from "./version.ts";

export const rpmMd: Format = {
  index: "repomd.xml",
  forms: [],
  published: "repodata/repomd.xml",
  roots: () => ["repodata/repomd.xml"],
  feedAt: (folder) => ({ path: folder.replace(/(^|\/)repodata$/, "") }),
  signaturesOf: (root) => [`${root}.asc`],
  maxRoot: 1 << 22,
  signs: "text",
  signing: {
    isRoot: (name) => name === "repomd.xml",
    // dnf takes either; zypper looks at the last one, if the .key file has no other signer's certificate.
    several: "last",
    // zypper asks for it, and then its user.
    certificate: (name) => `${name}.key`,
    files: (name) => [{ name: `${name}.asc`, holds: "armored" }],
  },
  content: readRepomd,
  needs: "the new key in dnf's own keyrings and in rpm's database, where feedkey setup puts it",
  packageName: /\.rpm$/,
  compareVersions,
  relations,
  divided: "architectures",
  read: (text, wanted) => readPrimary(bytesOf(text), wanted?.architectures),
};
