/** Signs pkgsrc packages for pkg_add. */
import { resolve } from "node:path";
import { FeedkeyError } from "../error.ts";
import { ensureFolder } from "../files/folder.ts";
import { type SignedPackageFile, signPackageFile } from "../signing/sign-package.ts";
import { openSigningKey, ownCertificates } from "../signing/signing-key.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refuseOffProfile } from "./check-signer.ts";
import type { SignPackagesOptions } from "./keeper-options.ts";
import type { Opened } from "./opened.ts";

/** The error codes that concern only one package, so that the next package can still be signed. */
const ofOnePackage: readonly string[] = ["bad_package", "not_found", "bad_path"];

/**
 * Signs each package, and returns the errors about single packages.
 * @throws FeedkeyError if the key can't sign; `output` if feedkey can't make the folder
 */
export async function signPackages(
  opened: Opened,
  files: readonly string[],
  { key: text, folder: to }: SignPackagesOptions,
): Promise<{
  readonly key: Fingerprint;
  readonly packages: readonly SignedPackageFile[];
  readonly errors: readonly FeedkeyError[];
}> {
  if (text.startsWith("gpg:")) {
    throw new FeedkeyError(
      "usage",
      "feedkey can't sign packages with a key in GnuPG: pkg_add refuses the signatures of GnuPG 2.2",
      {
        hint: "import the key into feedkey's key store, and give its fingerprint without gpg:",
      },
    );
  }
  const { store, at } = opened;
  const own = await ownCertificates(store);
  const key = await openSigningKey(store, text, opened.passphrase, own);
  const profile = await opened.profile();
  await refuseOffProfile({ store, at, profile }, { where: "store", fingerprint: text }, [], own);
  const folder = to === undefined ? undefined : resolve(to);
  if (folder !== undefined) await ensureFolder(folder, 0o755);
  const packages: SignedPackageFile[] = [];
  const errors: FeedkeyError[] = [];
  for (const file of files) {
    try {
      packages.push(await signPackageFile(file, key, at, folder));
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      errors.push(error);
      // Any other error, such as an error about the key, would occur again for every package.
      if (!ofOnePackage.includes(error.code)) break;
    }
  }
  return { key: key.raw.fingerprint, packages, errors };
}
