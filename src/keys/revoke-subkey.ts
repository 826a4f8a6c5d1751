/**
 * Use case: revoke a signing subkey, and make a new signing subkey. This is needed, for example, after a break-in on a machine
 * that signs without the primary key.
 */

import { FeedkeyError } from "../error.ts";
import { armorCertificates } from "../openpgp/certificate/certificate.ts";
import { unite } from "../openpgp/certificate/merge.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { fingerprintOf } from "../openpgp/packet/key-packet.ts";
import { withSubkeySignature } from "../openpgp/secret/amend.ts";
import { type Algorithm, lock, revocationReasons } from "../openpgp/secret/generate.ts";
import { refuseUnreadable, secretParts } from "../openpgp/secret/secret-parts.ts";
import { withNewSubkey } from "../openpgp/secret/signing-subkey.ts";
import { judgedTogether, openSigningKey, ownCertificates, type PassphraseSource } from "../signing/signing-key.ts";
import { readSecret } from "../signing/stored-secret.ts";
import { hexDigits } from "../store/fingerprint.ts";
import type { KeyStore } from "../store/key-store.ts";
import { type Duration, type Instant, wholeSecond } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { effectiveRevocation } from "../trust/key-state.ts";
import type { RevokeReason } from "./revoke.ts";
import { addSecretKey, amendStored } from "./store-certificate.ts";

/**
 * Revokes a subkey with its primary key. Clients refuse signatures by the subkey from now on, but still accept the primary key.
 * @param owner the fingerprint of the subkey's primary key
 * @returns false if the subkey already has a hard revocation, or a revocation for the same reason
 * @throws FeedkeyError `bad_config`: when the primary key's secret is not in the store; and the errors of `openSigningKey`
 */
export async function revokeSubkey(
  store: KeyStore,
  owner: Fingerprint,
  text: string,
  terms: { readonly reason: RevokeReason; readonly at: Instant; readonly passphrase: PassphraseSource },
): Promise<boolean> {
  const { reason, at, passphrase } = terms;
  const name = hexDigits(text);
  const known = (await ownCertificates(store)).get(owner)?.facts.subkeys.find((one) => one.fingerprint === name);
  const code = reason === "unspecified" ? 0 : revocationReasons[reason];
  const present = known && effectiveRevocation(known.revocations, at);
  if (present?.kind === "hard" || (present !== undefined && present.reason === code)) return false;
  const { raw, secret } = await openSigningKey(store, owner, passphrase);
  const subkey = raw.subkeys.find(({ packet }) => fingerprintOf(packet.body) === name);
  if (subkey === undefined) throw new FeedkeyError("internal", `${name} is not a subkey of ${owner}`);
  const date = wholeSecond(at);
  const made = await secret.revokeSubkey(subkey.packet.body, { at: date, reason: { code, text: "" } });
  await amendStored(store, withSubkeySignature(raw, subkey.packet, made));
  return true;
}

/** A new subkey, and the secret key for the machine that signs. */
export interface SubkeyAdded {
  readonly fingerprint: Fingerprint;
  readonly subkey: Fingerprint;
  /** The key without its primary secret, for `key import` on the machine that signs. */
  readonly staying: string;
}

/**
 * Makes a signing subkey for a primary key whose secret is in the store.
 * @throws FeedkeyError `bad_config`: when the primary secret is not in the store; `usage`: when the key has version 6; and the
 * errors of `openSigningKey`
 */
export async function addSigningSubkey(
  store: KeyStore,
  fingerprint: string,
  terms: {
    readonly algorithm: Algorithm;
    readonly lifetime: Duration | undefined;
    readonly at: Instant;
    readonly passphrase: PassphraseSource;
  },
): Promise<SubkeyAdded> {
  const { raw, facts, secret } = await openSigningKey(store, fingerprint, terms.passphrase);
  secret.requirePrimary();
  const armored = await readSecret(store, raw.fingerprint);
  await refuseUnreadable(armored);
  const { isLocked } = await secretParts(armored);
  const passphrase = isLocked ? await terms.passphrase(raw.fingerprint) : undefined;
  const at = Math.max(wholeSecond(terms.at), facts.primary.createdAt);
  const made = await withNewSubkey(armored, { ...terms, at, passphrase });
  const [more] = readKeys(made.certificate).certificates;
  if (more === undefined) throw new FeedkeyError("internal", "the new subkey can't be read");
  const amended = unite(raw, more);
  const judged = (await judgedTogether([amended])).get(raw.fingerprint);
  if (judged?.facts.subkeys.some((one) => one.fingerprint === made.subkey) !== true) {
    throw new FeedkeyError("internal", "the new subkey is not bound to its key");
  }
  const whole = passphrase === undefined ? made.whole : await lock(made.whole, passphrase);
  const certificate = armorCertificates([amended]);
  const key = { fingerprint: raw.fingerprint, privateKey: whole, certificate, revocations: {} };
  await addSecretKey(store, { ...key, replaces: true });
  const staying = passphrase === undefined ? made.staying : await lock(made.staying, passphrase);
  return { fingerprint: raw.fingerprint, subkey: made.subkey, staying };
}
