/** Runs `feedkey sign`: signs an index that another program (reprepro, createrepo_c, ...) wrote. */

import type { SignOptions } from "../../index.ts";
import { signatureForm } from "../../keeper/lone-feed.ts";
import { type Duration, iso } from "../../time.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { keeperOf, type WarnOptions, warningTime } from "./archive-terms.ts";
import { duration } from "./keygen.ts";

/** The options that the command line passes to the library unchanged. */
type Passed = "key" | "feed" | "notationDomain" | "addChecksums" | "clearsign" | "force";

interface SignCommandOptions extends PassphraseOptions, WarnOptions, Pick<SignOptions, Passed> {
  readonly config?: string;
  readonly alsoKey?: readonly string[];
  readonly validFor?: string;
  readonly form?: string;
}

function validity(text: string | undefined): Duration | "archive's" | undefined {
  if (text === undefined) return "archive's";
  return text === "never" ? undefined : duration(text, "--valid-for");
}

/** Signs each index. @throws FeedkeyError `usage`, `not_found`, `output`; the code of the reason if the key may not sign */
export async function sign(
  context: Context,
  indexes: readonly string[],
  options: SignCommandOptions,
): Promise<Outcome> {
  const validFor = validity(options.validFor);
  const { key: by, alsoKey: alsoKeys, feed, addChecksums, clearsign, notationDomain, force } = options;
  const form = options.form === undefined ? undefined : signatureForm(options.form);
  const terms = { key: by, alsoKeys, feed, validFor, addChecksums, clearsign, notationDomain, form, force };
  const keeper = await keeperOf(context, options);
  const { key, signed } = await keeper.sign(indexes, { ...terms, warnWithin: warningTime(options) });
  const lines = signed.flatMap(({ index, files, removed, expiresAt }) => {
    const until = expiresAt === undefined ? "without end" : `until ${iso(expiresAt)}`;
    const gone = removed.map((file) => `${file}: removed, because it belongs to an older index than ${index}`);
    return [`${index}: signed ${until}: ${files.join(", ")}`, ...gone];
  });
  return {
    text: lines.join("\n"),
    json: {
      key,
      signed: signed.map(({ createdAt, expiresAt, ...rest }) => {
        return { ...rest, createdAt: iso(createdAt), expiresAt: expiresAt === undefined ? null : iso(expiresAt) };
      }),
    },
  };
}
