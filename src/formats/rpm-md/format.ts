/** Repositories of dnf and zypper: `repodata/repomd.xml` with its signature, and the package list `primary` that repomd.xml names. */
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
    // dnf accepts any of the signatures. zypper checks the last signature if the .key file has no other signer's certificate.
    several: "last",
    // zypper requests this file, and then asks the user about the certificate.
    certificate: (name) => `${name}.key`,
    files: (name) => [{ name: `${name}.asc`, holds: "armored" }],
  },
  content: readRepomd,
  needs: "the new key in dnf's own keyrings and in rpm's database; feedkey setup adds the key to both",
  packageName: /\.rpm$/,
  compareVersions,
  relations,
  divided: "architectures",
  read: (text, wanted) => readPrimary(bytesOf(text), wanted?.architectures),
};
