/** `feedkey sign-package`: sign pkgsrc packages for pkg_add. */
import { resolve } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { ensureFolder } from "../../files/folder.ts";
import { refuseOffProfile } from "../../keeper/check-signer.ts";
import { signPackageFile } from "../../signing/sign-package.ts";
import { openSigningKey } from "../../signing/signing-key.ts";
import { KeyStore } from "../../store/key-store.ts";
import type { Context } from "../context.ts";
import { type PassphraseOptions, passphraseSource } from "../passphrase.ts";
import type { Outcome } from "../run.ts";

export interface SignPackageOptions extends PassphraseOptions {
  readonly key: string;
  readonly output?: string;
}

/** Signs each package; what is wrong with single ones is in the outcome. @throws FeedkeyError for the key */
export async function signPackage(
  context: Context,
  files: readonly string[],
  options: SignPackageOptions,
): Promise<Outcome> {
  if (options.key.startsWith("gpg:")) {
    throw new FeedkeyError("usage", "packages can't be signed through gpg: pkg_add refuses what GnuPG 2.2 makes", {
      hint: "keep the key for packages in feedkey's key store",
    });
  }
  const store = await KeyStore.open(context.home);
  const key = await openSigningKey(store, options.key, passphraseSource(options));
  const profile = context.options.profile === undefined ? undefined : await context.profile();
  await refuseOffProfile({ store, at: context.at, profile }, { where: "store", fingerprint: options.key }, []);
  const folder = options.output === undefined ? undefined : resolve(options.output);
  if (folder !== undefined) await ensureFolder(folder, 0o755);
  const signed = [];
  const errors: FeedkeyError[] = [];
  for (const file of files) {
    try {
      signed.push(await signPackageFile(file, key, context.at, folder));
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      errors.push(error);
      // What is wrong with the key is wrong with it for every package.
      if (error.code !== "bad_package" && error.code !== "not_found" && error.code !== "bad_path") break;
    }
  }
  return {
    text: signed.map(({ package: name, path }) => `${escapeText(name)}: signed: ${escapeText(path)}`).join("\n"),
    json: { key: key.raw.fingerprint, packages: signed },
    errors,
  };
}
