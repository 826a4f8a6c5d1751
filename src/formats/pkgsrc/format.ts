/** The format of NetBSD's pkgsrc: pkg_summary(5). */
import { bytesOf } from "../../content.ts";
import type { Format } from "../format.ts";
import { signatureFiles } from "../signature-files.ts";
import { compareDewey } from "./dewey.ts";
import { relations } from "./relations.ts";
import { readSummaryPackages } from "./summary-text.ts";

export const pkgsrc: Format = {
  index: "pkg_summary",
  forms: ["gz", "bz2", "xz", "zst"],
  published: "pkg_summary.gz",
  // Every feed has pkg_summary.gz. Clients request another form only if the profile names it.
  roots: ({ index }) => [index ?? "pkg_summary.gz"],
  signaturesOf: signatureFiles,
  // The signature covers the file as downloaded, so clients never decompress unverified data.
  signs: "file",
  needs: "the new certificate in the keyring of pkg_install, gpgv or gpg",
  packageName: /\.(tgz|tbz|txz|tzst)$/,
  rsaReader: "pkg_add",
  compareVersions: compareDewey,
  relations,
  read: (text) => readSummaryPackages(bytesOf(text)),
};
