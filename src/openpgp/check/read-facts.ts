/** Reads the facts about certificates. Verifies every signature that a trust rule needs, but does not judge any signature. */
import { append } from "../../grouped.ts";
import type {
  CertificateFacts,
  Fingerprint,
  Revocation,
  SelfSignature,
  SubkeyFacts,
  UserIdFacts,
} from "../../trust/facts.ts";
import type { Component } from "../certificate/certificate.ts";
import type { LoadedKey } from "../packet/key-packet.ts";
import { limits } from "../packet/limits.ts";
import type { Packet } from "../packet/packets.ts";
import { makerOf, namesIssuer, type RawSignature, readSignature, signatureFacts } from "../packet/raw-signature.ts";
import { Signed, type SignedParts } from "../packet/signed-parts.ts";
import { isMadeBy, isSignedBy, makersOf } from "./check-signature.ts";
import {
  type Candidate,
  findGood,
  findNewest,
  findOldest,
  findRevocations,
  findTelling,
  fitting,
  type Good,
  type Makers,
  nameOf,
  putAside,
  revocationKind,
} from "./good-signatures.ts";
import type { KeyIndex, LoadedCertificate } from "./key-index.ts";

type OnVerified = (body: Uint8Array) => void;

/** The values that every step in reading a certificate needs. */
interface Reading {
  readonly primary: LoadedKey;
  readonly keys: KeyIndex;
  readonly onVerified: OnVerified;
}

/** Returns a function that checks whether the certificate's own primary key made a signature, within the limit for weak keys. */
function byPrimary({ primary, keys }: Reading): Makers {
  return async (raw, signed, together) => {
    return keys.affords(primary) && (await isSignedBy(raw, signed, primary, together)) ? [primary] : [];
  };
}

/** Returns a function that finds the makers of a signature among the keys that the signature names, within the limit for weak keys. */
function byNamed({ keys }: Reading): Makers {
  return (raw, signed, together) => {
    const named = keys.candidates(raw).filter((one) => keys.affords(one));
    return makersOf(raw, named, signed, together);
  };
}

/** Returns the contents of the good signatures, one result for each maker, in the order of the packets. */
function tell<Said>(
  { onVerified }: Reading,
  candidates: readonly Candidate[],
  good: Good,
  say: (raw: RawSignature, maker: LoadedKey) => Said,
): Said[] {
  return candidates.flatMap((candidate) => {
    const makers = good.get(candidate) ?? [];
    if (makers.length > 0) onVerified(candidate.raw.body);
    return makers.map((maker) => say(candidate.raw, maker));
  });
}

function selfSignature(raw: RawSignature, primary: LoadedKey, about: LoadedKey): SelfSignature {
  const { keyLifetime, flags, designatedRevokers } = raw.hashed;
  return {
    ...signatureFacts(raw, primary),
    keyExpiresAt: keyLifetime === undefined ? undefined : about.facts.createdAt + keyLifetime * 1000,
    flags,
    backSignature: undefined,
    designatedRevokers,
  };
}

function revocation(raw: RawSignature, maker: LoadedKey): Revocation {
  const { reason } = raw.hashed;
  return { ...signatureFacts(raw, maker), kind: revocationKind(raw), reason: reason?.code, text: reason?.text ?? "" };
}

/** Reads self-signatures: direct-key signatures (0x1f), or signatures over a user ID. */
async function readSelfSignatures(reading: Reading, candidates: readonly Candidate[]): Promise<SelfSignature[]> {
  const good = await findTelling(candidates, byPrimary(reading));
  return tell(reading, candidates, good, (raw, maker) => selfSignature(raw, maker, maker));
}

/** Reads the revocations that the key made over its own user IDs or subkeys. */
async function readOwnRevocations(reading: Reading, candidates: readonly Candidate[]): Promise<Revocation[]> {
  return tell(reading, candidates, await findRevocations(candidates, byPrimary(reading)), revocation);
}

/** Reads key revocations by the key itself, or by a revoker that the key designated in a self-signature. */
async function readRevocations(
  reading: Reading,
  candidates: readonly Candidate[],
  selfSignatures: readonly SelfSignature[],
): Promise<Revocation[]> {
  const { primary, keys } = reading;
  const revokers = new Set(selfSignatures.flatMap(({ designatedRevokers }) => designatedRevokers));
  const good = await findRevocations(candidates, async (raw, signed, together) => {
    // feedkey always tries the key itself, even if the signature names another issuer. Anyone can change an issuer outside the
    // hashed area, and this change must not hide a revocation.
    const others = keys.candidates(raw).filter(({ facts }) => revokers.has(facts.fingerprint));
    // A designated revoker counts even if it is a weak key, because the revoked key may be strong (T4).
    const makers = await makersOf(raw, [...(keys.affords(primary) ? [primary] : []), ...others], signed, together);
    return makers.slice(0, 1);
  });
  return tell(reading, candidates, good, revocation);
}

/**
 * Reads withdrawals of certifications. Finds the deciding withdrawals for each maker, even if the certificate has many other
 * withdrawals.
 */
async function readWithdrawals(
  reading: Reading,
  byMaker: ReadonlyMap<Fingerprint, readonly Candidate[]>,
): Promise<Revocation[]> {
  const found: Revocation[] = [];
  for (const [fingerprint, candidates] of byMaker) {
    const good = await findOldest(candidates, async (raw, signed, together) => {
      return (await byNamed(reading)(raw, signed, together)).filter(({ facts }) => facts.fingerprint === fingerprint);
    });
    for (const one of tell(reading, candidates, good, revocation)) found.push(one);
  }
  return found;
}

async function readUserId({ packet, signatures }: Component, reading: Reading): Promise<UserIdFacts> {
  const { primary, keys } = reading;
  const bytes = Buffer.from(packet.body);
  const signed = new Signed({ key: primary, userId: bytes });
  const own: Candidate[] = [];
  const revoking: Candidate[] = [];
  const certifying: Candidate[] = [];
  const withdrawing = new Map<Fingerprint, Candidate[]>();
  const strangers = new Set<string>();
  for (const raw of fitting(signatures, signed)) {
    const certifies = raw.type >= 0x10 && raw.type <= 0x13;
    // Another function reads signatures over the primary key itself, even if these signatures follow a user ID.
    if (!certifies && raw.type !== 0x30) continue;
    const candidate = putAside(raw, signed);
    if (namesIssuer(raw, primary.facts.fingerprint)) {
      (certifies ? own : revoking).push(candidate);
      continue;
    }
    const named = new Set(keys.candidates(raw).map(({ facts }) => facts.fingerprint));
    if (!certifies) for (const maker of named) append(withdrawing, maker, candidate);
    else if (named.size > 0) certifying.push(candidate);
    else if (strangers.size < limits.strangersNamed) {
      strangers.add(makerOf(raw) ?? "nobody");
    }
  }
  return {
    bytes: bytes.toString("latin1"),
    text: bytes.toString("utf8"),
    selfSignatures: await readSelfSignatures(reading, own),
    revocations: await readOwnRevocations(reading, revoking),
    certifications: tell(reading, certifying, await findGood(certifying, byNamed(reading)), signatureFacts),
    strangers: [...strangers],
    withdrawals: await readWithdrawals(reading, withdrawing),
  };
}

/** Reads the embedded signature (0x19) with which a signing subkey confirms its primary key (RFC 9580 section 5.2.1.9). */
async function readBackSignature(
  binding: RawSignature,
  subkey: LoadedKey,
  over: SignedParts,
  keys: KeyIndex,
): Promise<RawSignature | undefined> {
  const bodies = [...(binding.hashed.embeddedSignature ? [binding.hashed.embeddedSignature] : []), ...binding.embedded];
  for (const body of bodies) {
    const raw = readSignature(body);
    if (raw?.type !== 0x19) continue;
    if (keys.affords(subkey) && (await isMadeBy(raw, subkey, over))) return raw;
  }
  return undefined;
}

/**
 * Reads the bindings of a subkey. If the back-signature is in the unhashed area, two copies of a binding may have different
 * back-signatures. So the function reads each copy, and merges equal bindings.
 */
async function readBindings(
  reading: Reading,
  candidates: readonly Candidate[],
  subkey: LoadedKey,
): Promise<SelfSignature[]> {
  const { primary, keys } = reading;
  const good = await findNewest(candidates, byPrimary(reading), { copies: true });
  const over = { key: primary, bind: subkey };
  const bindings = new Map<string, SelfSignature>();
  for (const candidate of candidates) {
    if (!good.has(candidate)) continue;
    const { raw } = candidate;
    const back = await readBackSignature(raw, subkey, over, keys);
    const name = `${nameOf(raw)} ${back === undefined ? "" : nameOf(back)}`;
    if (bindings.has(name)) continue;
    reading.onVerified(raw.body);
    const backSignature = back && signatureFacts(back, subkey);
    bindings.set(name, { ...selfSignature(raw, primary, subkey), backSignature });
  }
  return [...bindings.values()];
}

/** Groups the signatures by their type. */
function byType(packets: readonly Packet[], signed: Signed): ReadonlyMap<number, readonly Candidate[]> {
  const found = new Map<number, Candidate[]>();
  for (const raw of fitting(packets, signed)) append(found, raw.type, putAside(raw, signed));
  return found;
}

async function readSubkey({ signatures }: Component, subkey: LoadedKey, reading: Reading): Promise<SubkeyFacts> {
  const found = byType(signatures, new Signed({ key: reading.primary, bind: subkey }));
  return {
    ...subkey.facts,
    bindings: await readBindings(reading, found.get(0x18) ?? [], subkey),
    revocations: await readOwnRevocations(reading, found.get(0x28) ?? []),
  };
}

/**
 * Reads the facts about one certificate.
 * @param keys the certificates whose keys count as certifiers and designated revokers; feedkey does not check signatures by other
 *   keys, so that a flooded key costs little time
 * @param onVerified called with the body of each signature packet that verifies; the caller may store these packets
 */
export async function readFacts(
  { raw, primary, subkeys }: LoadedCertificate,
  keys: KeyIndex,
  onVerified: OnVerified = () => undefined,
): Promise<CertificateFacts> {
  const reading = { primary, keys, onVerified };
  const direct = byType(raw.signatures, new Signed({ key: primary }));
  const directSignatures = await readSelfSignatures(reading, direct.get(0x1f) ?? []);
  const userIds: UserIdFacts[] = [];
  for (const component of raw.userIds) userIds.push(await readUserId(component, reading));
  const subkeyFacts: SubkeyFacts[] = [];
  for (const [index, component] of raw.subkeys.entries()) {
    const subkey = subkeys[index];
    if (subkey !== undefined) subkeyFacts.push(await readSubkey(component, subkey, reading));
  }
  const own = [...directSignatures, ...userIds.flatMap(({ selfSignatures }) => selfSignatures)];
  return {
    primary: primary.facts,
    directSignatures,
    revocations: await readRevocations(reading, direct.get(0x20) ?? [], own),
    userIds,
    subkeys: subkeyFacts,
  };
}
