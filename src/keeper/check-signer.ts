/**
 * Checks, before feedkey signs, whether clients will accept the signature. The check uses the clients' profile, if the keeper
 * knows it, and the key store.
 */

import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Profile } from "../profile/types.ts";
import { Knowledge } from "../refresh/certificate-pool.ts";
import { readSeeds } from "../refresh/seeds.ts";
import { type Own, refuseBeyondDelegation } from "../signing/delegate-check.ts";
import type { KeyPlace } from "../signing/signer.ts";
import { resolveKey } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import { allows } from "../trust/delegation.ts";

/** What feedkey checks a signer with: the key store, the clients' profile and the time. */
interface Signing {
  readonly store: KeyStore;
  readonly at: Instant;
  /** The profile of the archive's clients; undefined if the keeper gave none. */
  readonly profile: Profile | undefined;
}

/**
 * Throws if clients would refuse the key. With a profile, judges the key as a new client would that has this profile and the
 * certificates in the key store. Without a profile, checks only that a delegate may sign these feeds.
 * @param feeds the names of the feeds to sign
 * @param own the result of `certificatesWith` for the key
 * @throws FeedkeyError `untrusted_signer`, `revoked`..., with the reason why clients refuse the key
 */
export async function refuseOffProfile(
  { store, at, profile }: Signing,
  key: KeyPlace,
  feeds: readonly string[],
  own: Own,
): Promise<void> {
  const name = key.where === "gpg" ? key.fingerprint : await resolveKey(store, key.fingerprint);
  if (profile === undefined) {
    refuseBeyondDelegation(own, name, feeds, undefined, at);
    return;
  }
  const seeds = await readSeeds(profile);
  const knowledge = new Knowledge(profile, [
    ...seeds.certificates.values(),
    ...[...own.values()].map(({ raw }) => raw),
  ]);
  const { trust } = await knowledge.judge(at, new Set(), new Set());
  const trusted = trust.trusted.get(name);
  const rejected = trust.rejected.get(name);
  const beyond = feeds.find((feed) => {
    return trusted?.role === "delegate" && !trusted.grants.some((grant) => allows(grant, feed));
  });
  if (trusted !== undefined && beyond === undefined) return;
  const why =
    beyond === undefined
      ? (rejected?.reason ?? "they do not know this key")
      : `its delegation is not for feed "${escapeText(beyond)}"`;
  throw new FeedkeyError(
    rejected?.code ?? "untrusted_signer",
    `clients of profile "${profile.name}" do not accept ${name}: ${why}`,
    {
      details: { fingerprint: name, profile: profile.name },
      hint: "sign with a key that these clients accept (feedkey chain shows them), or have this key certified by such a key",
    },
  );
}
