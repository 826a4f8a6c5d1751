/** Certificates -> plain facts: every signature that bears on a rule, checked, and nothing judged. */
import type {
  CertificateFacts,
  Revocation,
  SelfSignature,
  SignatureFacts,
  SubkeyFacts,
  UserIdFacts,
} from "../trust/facts.ts";
import type { Component } from "./certificate.ts";
import type { KeyIndex, LoadedCertificate } from "./key-index.ts";
import type { LoadedKey } from "./key-packet.ts";
import { limits } from "./limits.ts";
import type { Packet } from "./packets.ts";
import { isMadeBy, makersOf, namesIssuer, parseSignature, type RawSignature, signatureFacts } from "./raw-signature.ts";
import type { SignedParts } from "./signed-digest.ts";

type OnVerified = (body: Uint8Array) => void;

const isCertification = (type: number) => type >= 0x10 && type <= 0x13;

/**
 * The signatures that can be parsed, one at a time: a flooded key has a hundred thousand.
 * Copies of one that was found good, with other bytes in the unhashed area, say nothing new and are passed over:
 * anybody can make as many as he likes, and every rule goes over all that is found.
 */
class Sieve {
  readonly #found = new Set<string>();

  *signatures(packets: readonly Packet[]): Generator<RawSignature> {
    for (const { body } of packets) {
      const raw = parseSignature(body);
      if (typeof raw !== "string" && !this.#found.has(nameOf(raw))) yield raw;
    }
  }

  /** To be told of each good one. */
  found(raw: RawSignature): void {
    this.#found.add(nameOf(raw));
  }
}

/**
 * What a signature covers, by whom: without a hashed issuer two keys may have signed the same. Of revocations one is
 * as good as the other, and they are read whoever is named.
 */
function nameOf({ type, issuer, hashedPart, salt }: RawSignature): string {
  const maker = type === 0x20 ? "" : (issuer.fingerprint ?? issuer.keyId);
  return `${maker} ${Buffer.concat([hashedPart, salt]).toString("latin1")}`;
}

async function readSelfSignature(
  raw: RawSignature,
  primary: LoadedKey,
  about: LoadedKey,
  over: SignedParts,
  keys: KeyIndex,
): Promise<SelfSignature> {
  const { hashed } = raw;
  return {
    ...signatureFacts(raw, primary),
    keyExpiresAt: hashed.keyLifetime === undefined ? undefined : about.facts.createdAt + hashed.keyLifetime * 1000,
    flags: hashed.flags,
    backSignature: raw.type === 0x18 ? await readBackSignature(raw, about, over, keys) : undefined,
    designatedRevokers: hashed.designatedRevokers,
  };
}

/** The embedded 0x19 by which a signing subkey acknowledges its primary (RFC 9580 section 5.2.1.9). */
async function readBackSignature(
  binding: RawSignature,
  subkey: LoadedKey,
  over: SignedParts,
  keys: KeyIndex,
): Promise<SignatureFacts | undefined> {
  const bodies = [...(binding.hashed.embeddedSignature ? [binding.hashed.embeddedSignature] : []), ...binding.embedded];
  for (const body of bodies) {
    const raw = parseSignature(body);
    if (typeof raw === "string" || raw.type !== 0x19) continue;
    if (keys.affords(subkey) && (await isMadeBy(raw, subkey, over))) return signatureFacts(raw, subkey);
  }
  return undefined;
}

// RFC 9580 section 5.2.3.31: superseded, retired; 32 (user ID no longer in use) makes sense for user IDs alone.
function revocationFacts(raw: RawSignature, maker: LoadedKey): Revocation {
  const { reason, unknownCritical } = raw.hashed;
  const softReasons = raw.type === 0x30 ? [1, 3, 32] : [1, 3];
  // With two reasons given, the worse is believed.
  const clear = !unknownCritical.includes("subpacket 29 given twice");
  const kind = reason !== undefined && clear && softReasons.includes(reason.code) ? "soft" : "hard";
  return { ...signatureFacts(raw, maker), kind, reason: reason?.code, text: reason?.text ?? "" };
}

/** Key revocations by the key itself, or by a revoker that the key named in a signature of its own. */
async function readRevocations(
  packets: readonly Packet[],
  primary: LoadedKey,
  selfSignatures: readonly SelfSignature[],
  keys: KeyIndex,
  onVerified: OnVerified,
): Promise<Revocation[]> {
  const revokers = new Set(selfSignatures.flatMap((signature) => signature.designatedRevokers));
  const found: Revocation[] = [];
  const sieve = new Sieve();
  for (const raw of sieve.signatures(packets)) {
    if (raw.type !== 0x20) continue;
    // The key itself is tried whoever is named outside the hashed area: altering that must not hide a revocation.
    const others = keys.candidates(raw).filter(({ facts }) => revokers.has(facts.fingerprint));
    // A designated revoker is heard however weak it is: the key that it revokes may be strong (T4).
    const [maker] = await makersOf(raw, [...(keys.affords(primary) ? [primary] : []), ...others], { key: primary });
    if (maker === undefined) continue;
    sieve.found(raw);
    onVerified(raw.body);
    found.push(revocationFacts(raw, maker));
  }
  return found;
}

async function readUserId(
  component: Component,
  primary: LoadedKey,
  keys: KeyIndex,
  onVerified: OnVerified,
): Promise<UserIdFacts> {
  const bytes = Buffer.from(component.packet.body);
  const over: SignedParts = { key: primary, userId: bytes };
  const selfSignatures: SelfSignature[] = [];
  const revocations: Revocation[] = [];
  const certifications: SignatureFacts[] = [];
  const withdrawals: Revocation[] = [];
  const strangers = new Set<string>();
  const sieve = new Sieve();
  for (const raw of sieve.signatures(component.signatures)) {
    if (!isCertification(raw.type) && raw.type !== 0x30) continue;
    if (namesIssuer(raw, primary)) {
      if (!keys.affords(primary) || !(await isMadeBy(raw, primary, over))) continue;
      sieve.found(raw);
      onVerified(raw.body);
      if (raw.type === 0x30) revocations.push(revocationFacts(raw, primary));
      else selfSignatures.push(await readSelfSignature(raw, primary, primary, over, keys));
      continue;
    }
    const candidates = keys.candidates(raw);
    if (candidates.length === 0 && isCertification(raw.type) && strangers.size < limits.strangersNamed) {
      strangers.add(raw.issuer.fingerprint ?? raw.issuer.keyId ?? "nobody");
    }
    const makers = await makersOf(
      raw,
      candidates.filter((one) => keys.affords(one)),
      over,
    );
    if (makers.length === 0) continue;
    sieve.found(raw);
    onVerified(raw.body);
    for (const maker of makers) {
      if (raw.type === 0x30) withdrawals.push(revocationFacts(raw, maker));
      else certifications.push(signatureFacts(raw, maker));
    }
  }
  return {
    bytes: bytes.toString("latin1"),
    text: bytes.toString("utf8"),
    selfSignatures,
    revocations,
    certifications,
    strangers: [...strangers],
    withdrawals,
  };
}

async function readSubkey(
  component: Component,
  subkey: LoadedKey,
  primary: LoadedKey,
  keys: KeyIndex,
  onVerified: OnVerified,
): Promise<SubkeyFacts> {
  const over: SignedParts = { key: primary, bind: subkey };
  const bindings: SelfSignature[] = [];
  const revocations: Revocation[] = [];
  // Copies of a binding may differ in the back-signature, which the unhashed area may hold: each is read.
  for (const raw of new Sieve().signatures(component.signatures)) {
    if (raw.type !== 0x18 && raw.type !== 0x28) continue;
    if (!keys.affords(primary) || !(await isMadeBy(raw, primary, over))) continue;
    onVerified(raw.body);
    if (raw.type === 0x28) revocations.push(revocationFacts(raw, primary));
    else bindings.push(await readSelfSignature(raw, primary, subkey, over, keys));
  }
  return { ...subkey.facts, bindings, revocations };
}

/**
 * Reads one certificate's facts.
 * @param keys the certificates whose certifications and designated revocations count; all others are not
 *   even checked, so that a flooded key costs no more than a quiet one
 * @param onVerified is told the body of each signature packet that was found good: what is worth keeping
 */
export async function readFacts(
  certificate: LoadedCertificate,
  keys: KeyIndex,
  onVerified: OnVerified = () => undefined,
): Promise<CertificateFacts> {
  const { raw, primary } = certificate;
  const directSignatures: SelfSignature[] = [];
  const sieve = new Sieve();
  for (const signature of sieve.signatures(raw.signatures)) {
    const over = { key: primary };
    if (signature.type !== 0x1f || !keys.affords(primary) || !(await isMadeBy(signature, primary, over))) continue;
    sieve.found(signature);
    onVerified(signature.body);
    directSignatures.push(await readSelfSignature(signature, primary, primary, over, keys));
  }
  const userIds: UserIdFacts[] = [];
  for (const component of raw.userIds) userIds.push(await readUserId(component, primary, keys, onVerified));
  const selfSignatures = [...directSignatures, ...userIds.flatMap((userId) => userId.selfSignatures)];
  const subkeys: SubkeyFacts[] = [];
  for (const [index, component] of raw.subkeys.entries()) {
    const subkey = certificate.subkeys[index];
    if (subkey !== undefined) subkeys.push(await readSubkey(component, subkey, primary, keys, onVerified));
  }
  return {
    primary: primary.facts,
    directSignatures,
    revocations: await readRevocations(raw.signatures, primary, selfSignatures, keys, onVerified),
    userIds,
    subkeys,
  };
}
