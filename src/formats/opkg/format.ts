/** `Packages`, the index of opkg and Debian. */
import { type Format, withoutForm } from "../format.ts";
import { signatureFiles } from "../signature-files.ts";
import { readPackages } from "./packages-text.ts";
import { relations } from "./relations.ts";
import { compareVersions } from "./version.ts";

// feedkey does not accept bz2. Clients must decompress the index before they verify its signature, and a small malicious bz2 file
// could take a minute.
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
