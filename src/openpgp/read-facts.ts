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
import type { Packet } from "./packets.ts";
import {
  isMadeBy,
  namesIssuer,
  parseSignature,
  type RawSignature,
  type SignedParts,
  signatureFacts,
} from "./raw-signature.ts";

type OnVerified = (body: Uint8Array) => void;

const isCertification = (type: number) => type >= 0x10 && type <= 0x13;

function parseAll(packets: readonly Packet[]): RawSignature[] {
  return packets.map(({ body }) => parseSignature(body)).filter((raw) => typeof raw !== "string");
}

async function readSelfSignature(
  raw: RawSignature,
  primary: LoadedKey,
  about: LoadedKey,
  over: SignedParts,
): Promise<SelfSignature> {
  const { hashed } = raw;
  return {
    ...signatureFacts(raw, primary),
    keyExpiresAt: hashed.keyLifetime === undefined ? undefined : about.facts.createdAt + hashed.keyLifetime * 1000,
    flags: hashed.flags,
    backSignature: raw.type === 0x18 ? await readBackSignature(raw, about, over) : undefined,
    designatedRevokers: hashed.designatedRevokers,
  };
}

/** The embedded 0x19 by which a signing subkey acknowledges its primary (RFC 9580 section 5.2.1.9). */
async function readBackSignature(
  binding: RawSignature,
  subkey: LoadedKey,
  over: SignedParts,
): Promise<SignatureFacts | undefined> {
  const bodies = [...(binding.hashed.embeddedSignature ? [binding.hashed.embeddedSignature] : []), ...binding.embedded];
  for (const body of bodies) {
    const raw = parseSignature(body);
    if (typeof raw === "string" || raw.type !== 0x19) continue;
    if (await isMadeBy(raw, subkey, over)) return signatureFacts(raw, subkey);
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
  raws: readonly RawSignature[],
  primary: LoadedKey,
  selfSignatures: readonly SelfSignature[],
  keys: KeyIndex,
  onVerified: OnVerified,
): Promise<Revocation[]> {
  const revokers = new Set(selfSignatures.flatMap((signature) => signature.designatedRevokers));
  const found: Revocation[] = [];
  for (const raw of raws) {
    if (raw.type !== 0x20) continue;
    // The key itself is tried whoever is named outside the hashed area: altering that must not hide a revocation.
    const others = keys.candidates(raw).filter(({ facts }) => revokers.has(facts.fingerprint));
    for (const maker of [primary, ...others]) {
      if (!(await isMadeBy(raw, maker, { key: primary }))) continue;
      onVerified(raw.body);
      found.push(revocationFacts(raw, maker));
      break;
    }
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
  for (const raw of parseAll(component.signatures)) {
    if (!isCertification(raw.type) && raw.type !== 0x30) continue;
    if (namesIssuer(raw, primary)) {
      if (!(await isMadeBy(raw, primary, over))) continue;
      onVerified(raw.body);
      if (raw.type === 0x30) revocations.push(revocationFacts(raw, primary));
      else selfSignatures.push(await readSelfSignature(raw, primary, primary, over));
      continue;
    }
    for (const maker of keys.candidates(raw)) {
      if (!(await isMadeBy(raw, maker, over))) continue;
      onVerified(raw.body);
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
    withdrawals,
  };
}

async function readSubkey(
  component: Component,
  subkey: LoadedKey,
  primary: LoadedKey,
  onVerified: OnVerified,
): Promise<SubkeyFacts> {
  const over: SignedParts = { key: primary, bind: subkey };
  const bindings: SelfSignature[] = [];
  const revocations: Revocation[] = [];
  for (const raw of parseAll(component.signatures)) {
    if (raw.type !== 0x18 && raw.type !== 0x28) continue;
    if (!(await isMadeBy(raw, primary, over))) continue;
    onVerified(raw.body);
    if (raw.type === 0x28) revocations.push(revocationFacts(raw, primary));
    else bindings.push(await readSelfSignature(raw, primary, subkey, over));
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
  const aboutPrimary = parseAll(raw.signatures);
  const directSignatures: SelfSignature[] = [];
  for (const signature of aboutPrimary) {
    const over = { key: primary };
    if (signature.type === 0x1f && (await isMadeBy(signature, primary, over))) {
      onVerified(signature.body);
      directSignatures.push(await readSelfSignature(signature, primary, primary, over));
    }
  }
  const userIds: UserIdFacts[] = [];
  for (const component of raw.userIds) userIds.push(await readUserId(component, primary, keys, onVerified));
  const selfSignatures = [...directSignatures, ...userIds.flatMap((userId) => userId.selfSignatures)];
  const subkeys: SubkeyFacts[] = [];
  for (const [index, component] of raw.subkeys.entries()) {
    const subkey = certificate.subkeys[index];
    if (subkey !== undefined) subkeys.push(await readSubkey(component, subkey, primary, onVerified));
  }
  return {
    primary: primary.facts,
    directSignatures,
    revocations: await readRevocations(aboutPrimary, primary, selfSignatures, keys, onVerified),
    userIds,
    subkeys,
  };
}
