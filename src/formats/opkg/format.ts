/** opkg's, and Debian's: `Packages`. */
import { type Format, withoutForm } from "../format.ts";
import { signatureFiles } from "../signature-files.ts";
import { readPackages } from "./packages-text.ts";
import { relations } from "./relations.ts";
import { compareVersions } from "./version.ts";

// No bz2: it is decompressed before its signature can be verified, and a small one that means harm would take a minute.
const forms = ["gz", "xz", "zst"] as const;

export const opkg: Format = {
  index: "Packages",
  forms,
  published: "Packages",
  roots: ({ index }) => (index === undefined ? ["Packages.gz", "Packages"] : [index]),
  signaturesOf: (root) => signatureFiles(withoutForm(forms, root)),
  signs: "text",
  needs: "the new certificate in the keyring of opkg or gpgv",
  packageName: /\.(ipk|opk|deb)$/,
  compareVersions,
  relations,
  read: readPackages,
};
