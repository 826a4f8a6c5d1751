/** Use case: extend a key in the key store. The key makes its self-signatures again, and only the expiry changes. */
import { FeedkeyError } from "../error.ts";
import { largest } from "../extremes.ts";
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { fingerprintOf } from "../openpgp/packet/key-packet.ts";
import type { Packet } from "../openpgp/packet/packets.ts";
import { signatureId } from "../openpgp/packet/raw-signature.ts";
import { withKeySignature, withSubkeySignature, withUserIdSignature } from "../openpgp/secret/amend.ts";
import { lifetimeSeconds } from "../openpgp/secret/make-signature.ts";
import type { SelfStatement } from "../openpgp/secret/secret-key.ts";
import { judgedTogether, openSigningKey, type PassphraseSource } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import { type Duration, type Instant, iso, wholeSecond } from "../time.ts";
import type { CertificateFacts, Fingerprint, KeyFacts, SelfSignature } from "../trust/facts.ts";
import { effectiveRevocation, newest, primaryState, revocationWords } from "../trust/key-state.ts";
import { amendStored } from "./store-certificate.ts";

/** A self-signature that states when a key expires. */
interface Ending extends SelfStatement {
  readonly said: SelfSignature;
  /** The primary key or subkey that expires. */
  readonly about: KeyFacts;
  add(certificate: RawCertificate, signature: Packet): RawCertificate;
}

/** Returns the newest self-signature and its packet; undefined if the newest self-signature states no expiry. */
function endOf(signatures: readonly SelfSignature[], packets: readonly Packet[], about: KeyFacts, at: Instant) {
  const [said] = newest(signatures, about, at);
  if (said?.keyExpiresAt === undefined) return undefined;
  const packet = packets.find(({ body }) => signatureId(body) === said.id);
  return packet && { said, about, body: packet.body };
}

/**
 * Returns all self-signatures that state an expiry: over the key, over its user IDs and over its subkeys. Subkeys that expired
 * before the key are left out, because another subkey has replaced them and nobody may protect their secrets any more.
 * @param before when the primary key expires
 */
function endingsOf(raw: RawCertificate, facts: CertificateFacts, at: Instant, before: Instant): Ending[] {
  const endings: Ending[] = [];
  const direct = endOf(facts.directSignatures, raw.signatures, facts.primary, at);
  if (direct !== undefined) endings.push({ ...direct, over: "key", add: withKeySignature });
  for (const { bytes, text, selfSignatures, revocations } of facts.userIds) {
    const component = raw.userIds.find(({ packet }) => Buffer.from(packet.body).toString("latin1") === bytes);
    if (component === undefined || effectiveRevocation(revocations, at) !== undefined) continue;
    const end = endOf(selfSignatures, component.signatures, facts.primary, at);
    const add = (certificate: RawCertificate, made: Packet) => withUserIdSignature(certificate, text, made);
    if (end !== undefined) endings.push({ ...end, over: { userId: component.packet.body }, add });
  }
  for (const subkey of facts.subkeys) {
    if (effectiveRevocation(subkey.revocations, at) !== undefined) continue;
    for (const { packet, signatures } of raw.subkeys) {
      // A copy of the certificate from elsewhere may repeat the binding after a subkey of another key.
      if (fingerprintOf(packet.body) !== subkey.fingerprint) continue;
      const end = endOf(subkey.bindings, signatures, subkey, at);
      const add = (certificate: RawCertificate, made: Packet) => withSubkeySignature(certificate, packet, made);
      const isOver = (end?.said.keyExpiresAt ?? at) < Math.min(at, before);
      if (end !== undefined && !isOver) endings.push({ ...end, over: { subkey: packet.body }, add });
    }
  }
  return endings;
}

/**
 * Returns when the key expires, before it is extended.
 * @throws FeedkeyError `revoked`: when the key is revoked; `usage`: when the key never expires; another code: when clients
 * refuse the key for another reason
 */
function presentEnd(facts: CertificateFacts, at: Instant): Instant {
  const { fingerprint } = facts.primary;
  const revocation = effectiveRevocation(facts.revocations, at);
  if (revocation !== undefined) {
    throw new FeedkeyError(
      "revoked",
      `${fingerprint} is ${revocationWords(revocation)}, and a revocation can't be undone`,
      {
        details: { fingerprint },
        hint: "use its successor, or make a new key",
      },
    );
  }
  const state = primaryState(facts, at);
  if ("code" in state) throw new FeedkeyError(state.code, `${fingerprint}: ${state.reason}`);
  if (state.expiresAt !== undefined) return state.expiresAt;
  throw new FeedkeyError("usage", `${fingerprint} never expires, so the key can't be extended`, {
    details: { fingerprint },
  });
}

export interface Extended {
  readonly fingerprint: Fingerprint;
  /** When the key would have expired without the extension. */
  readonly before: Instant;
  readonly expiresAt: Instant;
}

interface ExtendTerms {
  readonly fingerprint: string;
  /** How long the key is valid, counted from `at`. */
  readonly lifetime: Duration;
  readonly at: Instant;
  readonly passphrase: PassphraseSource;
}

/**
 * Extends a key and its subkeys, even if the key has expired. Subkeys that expired before the key are not extended.
 * @throws FeedkeyError `usage`: when the key would not expire later than now, or never expires; `revoked`: when the key is
 * revoked; `bad_config`: when the store does not have the primary key's secret; and the errors of `openSigningKey`
 */
export async function extendKey(store: KeyStore, terms: ExtendTerms): Promise<Extended> {
  const { lifetime, at, passphrase } = terms;
  const { raw, facts, secret } = await openSigningKey(store, terms.fingerprint, passphrase);
  const { fingerprint } = raw;
  const before = presentEnd(facts, at);
  const expiresAt = wholeSecond(at + lifetime);
  if (expiresAt <= before) {
    throw new FeedkeyError("usage", `${fingerprint} is already valid until ${iso(before)}`, {
      details: { fingerprint, expiresAt: iso(before) },
      hint: "give --expires a longer time, counted from now; to end the key sooner, revoke the key as retired",
    });
  }
  secret.requirePrimary();
  const endings = endingsOf(raw, facts, at, before);
  // The new signatures must be newer than the old signatures: if both had the same date, the earlier expiry would count.
  const date = largest([wholeSecond(at), ...endings.map(({ said }) => (said.createdAt ?? 0) + 1000)]);
  let amended = raw;
  for (const ending of endings) {
    const seconds = lifetimeSeconds(expiresAt, ending.about.createdAt);
    amended = ending.add(amended, await secret.repeat(ending, { at: date, keyLifetime: seconds }));
  }
  const state = (await judgedTogether([amended])).get(fingerprint)?.facts;
  const after = state && primaryState(state, date);
  if (after === undefined || "code" in after || after.expiresAt !== expiresAt) {
    throw new FeedkeyError("internal", `the new self-signatures of ${fingerprint} do not extend the key`);
  }
  await amendStored(store, amended);
  return { fingerprint, before, expiresAt };
}
