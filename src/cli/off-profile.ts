/** Signing with `--profile`: the key must be one that clients of that profile accept. */
import { certificatesWith, type KeyPlace } from "../archive/signer.ts";
import { Knowledge } from "../client/knowledge.ts";
import { readSeeds } from "../client/seeds.ts";
import { FeedkeyError } from "../error.ts";
import { KeyStore } from "../store/key-store.ts";
import type { Context } from "./context.ts";

/**
 * Judges the key as a fresh client of the profile would that has the key store's certificates. Does nothing
 * without `--profile`.
 * @throws FeedkeyError `untrusted_signer`, `revoked`... with the reason against the key
 */
export async function refuseOffProfile(context: Context, key: KeyPlace): Promise<void> {
  if (context.options.profile === undefined) return;
  const profile = await context.profile();
  const store = await KeyStore.open(context.home);
  const name = key.where === "gpg" ? key.fingerprint : await store.resolve(key.fingerprint);
  const seeds = await readSeeds(profile);
  const own = [...(await certificatesWith(store, key)).values()].map(({ raw }) => raw);
  const knowledge = new Knowledge(profile, [...seeds.values(), ...own]);
  const { trust } = await knowledge.judge(context.at, new Set(), new Set());
  if (trust.trusted.has(name)) return;
  const rejected = trust.rejected.get(name);
  throw new FeedkeyError(
    rejected?.code ?? "untrusted_signer",
    `clients of profile "${profile.name}" do not accept ${name}: ${rejected?.reason ?? "it is unknown to them"}`,
    {
      details: { fingerprint: name, profile: profile.name },
      hint: "sign with a key that a seed of the profile leads to",
    },
  );
}
