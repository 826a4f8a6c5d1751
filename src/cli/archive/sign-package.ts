/** Runs `feedkey sign-package`: signs pkgsrc packages for pkg_add. */
import { escapeText } from "../../escape.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { keeperOf } from "./archive-terms.ts";

interface SignPackageOptions extends PassphraseOptions {
  readonly key: string;
  readonly output?: string;
}

/** Signs each package. The outcome contains the errors about single packages. @throws FeedkeyError if the key can't sign */
export async function signPackage(
  context: Context,
  files: readonly string[],
  options: SignPackageOptions,
): Promise<Outcome> {
  const keeper = await keeperOf(context, options);
  const terms = { key: options.key, folder: options.output, partial: true };
  const { key, packages, errors } = await keeper.signPackages(files, terms);
  return {
    text: packages.map(({ package: name, path }) => `${escapeText(name)}: signed: ${escapeText(path)}`).join("\n"),
    json: { key, packages },
    errors,
  };
}
