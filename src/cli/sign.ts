/** `feedkey sign`: what an archive manager calls after it wrote an index. */
import { signIndexFile } from "../archive/sign-index.ts";
import { openSigner } from "../archive/signer.ts";
import { KeyStore } from "../store/key-store.ts";
import { iso } from "../time.ts";
import { keyOf } from "./archive-terms.ts";
import type { Context } from "./context.ts";
import { duration } from "./keygen.ts";
import { refuseOffProfile } from "./off-profile.ts";
import { type PassphraseOptions, passphraseSource } from "./passphrase.ts";
import type { Outcome } from "./run.ts";

export interface SignCommandOptions extends PassphraseOptions {
  readonly key: string;
  readonly feed?: string;
  readonly addChecksums?: boolean;
  readonly validFor: string;
}

/** Signs each index. @throws FeedkeyError `usage`, `not_found`, `output`, and what forbids the key to sign */
export async function sign(
  context: Context,
  indexes: readonly string[],
  options: SignCommandOptions,
): Promise<Outcome> {
  const validFor = options.validFor === "never" ? undefined : duration(options.validFor, "--valid-for");
  const store = await KeyStore.open(context.home);
  const place = keyOf(options.key);
  const key = await openSigner(store, place, passphraseSource(options));
  await refuseOffProfile(context, place, options.feed === undefined ? [] : [options.feed]);
  const signed = [];
  for (const index of indexes) {
    signed.push(
      await signIndexFile(index, key, {
        at: context.at,
        validFor,
        feed: options.feed,
        addChecksums: options.addChecksums === true,
        together: indexes,
      }),
    );
  }
  const lines = signed.flatMap(({ index, files, removed, expiresAt }) => {
    const until = expiresAt === undefined ? "without end" : `until ${iso(expiresAt)}`;
    const gone = removed.map((file) => `${file}: removed: it signed another index than ${index}`);
    return [`${index}: signed ${until}: ${files.join(", ")}`, ...gone];
  });
  return {
    text: lines.join("\n"),
    json: {
      key: key.raw.fingerprint,
      signed: signed.map(({ createdAt, expiresAt, ...rest }) => {
        return { ...rest, createdAt: iso(createdAt), expiresAt: expiresAt === undefined ? null : iso(expiresAt) };
      }),
    },
  };
}
