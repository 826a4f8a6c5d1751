/** Finds the good signatures in a certificate, even if others have uploaded many bad signatures. */
import type { RevocationKind } from "../../trust/facts.ts";
import type { LoadedKey } from "../packet/key-packet.ts";
import { limits } from "../packet/limits.ts";
import type { Packet } from "../packet/packets.ts";
import { layoutOf, makerOf, type RawSignature, readSignature } from "../packet/raw-signature.ts";
import type { Signed, SignedParts } from "../packet/signed-parts.ts";

/** The number of simultaneous checks. This number keeps all threads busy. */
const atOnce = 64;

/**
 * The largest number of signatures that feedkey checks without threads. For so few signatures, starting a thread takes longer
 * than the checks.
 */
const few = 8;

/**
 * A signature that feedkey has not checked yet. The signature contains the right first octets of its digest. The other fields
 * decide the order of the checks.
 */
export interface Candidate {
  readonly raw: RawSignature;
  readonly signed: Signed;
  /** The creation date; 0 if the signature has no date. A signature without a date counts only as a hard revocation. */
  readonly createdAt: number;
  readonly keyLifetime: number;
  readonly namesRevoker: boolean;
  /** Whether the key flags in the signature allow the key to certify; true if the signature has no key flags. */
  readonly letsCertify: boolean;
  readonly kind: RevocationKind;
}

/** Earlier results by list of packets, because feedkey reads each certificate more than once. */
const fitted = new WeakMap<readonly Packet[], { readonly over: SignedParts; readonly bodies: readonly Uint8Array[] }>();

function sameParts(a: SignedParts, b: SignedParts): boolean {
  const [one, other] = [a.userId, b.userId];
  const sameUserId = one === other || (one !== undefined && other !== undefined && Buffer.compare(one, other) === 0);
  return a.key === b.key && a.bind === b.bind && sameUserId;
}

function bodiesThatFit(packets: readonly Packet[], signed: Signed): readonly Uint8Array[] {
  const known = fitted.get(packets);
  if (known !== undefined && sameParts(known.over, signed.parts)) return known.bodies;
  const bodies: Uint8Array[] = [];
  for (const { body } of packets) {
    const layout = layoutOf(body);
    if (typeof layout !== "string" && signed.digest(layout, body) !== undefined) bodies.push(body);
  }
  fitted.set(packets, { over: signed.parts, bodies });
  return bodies;
}

/** Yields the signatures that contain the right first octets of their digest, in the order of the packets. */
export function* fitting(packets: readonly Packet[], signed: Signed): Generator<RawSignature> {
  for (const body of bodiesThatFit(packets, signed)) {
    const raw = readSignature(body);
    if (raw !== undefined) yield raw;
  }
}

/** Returns a signature with the values that feedkey needs to sort it and to check it later. */
export function putAside(raw: RawSignature, signed: Signed): Candidate {
  const { createdAt = 0, keyLifetime = Number.POSITIVE_INFINITY, designatedRevokers, flags } = raw.hashed;
  const namesRevoker = designatedRevokers.length > 0;
  const letsCertify = flags?.certify !== false;
  return { raw, signed, createdAt, keyLifetime, namesRevoker, letsCertify, kind: revocationKind(raw) };
}

/**
 * Returns a string that identifies a signature by its contents and its maker. The string includes the maker, because two keys may
 * sign equal contents if the hashed area names no issuer. For key revocations, the named maker does not matter.
 */
export function nameOf({ type, issuer, hashedPart, salt }: RawSignature): string {
  const maker = type === 0x20 ? "" : makerOf({ issuer });
  return `${maker} ${Buffer.concat([hashedPart, salt]).toString("latin1")}`;
}

/** Returns the keys that made a signature, among the keys that the signature names. */
export type Makers = (raw: RawSignature, signed: Signed, together: boolean) => Promise<readonly LoadedKey[]>;

/** Good signatures, each with the keys that made it. */
export type Good = ReadonlyMap<Candidate, readonly LoadedKey[]>;

interface Search {
  /**
   * Whether the search can end, because no remaining signature can matter.
   * @param last the last signature that verified
   * @param next the next signature to check
   */
  readonly isEnough?: (last: Candidate, next: Candidate, count: number) => boolean;
  /** Whether to return copies of a good signature that differ only in their unhashed areas, too. */
  readonly copies?: boolean;
  /** Whether other searches run simultaneously. */
  readonly together?: boolean;
}

/**
 * Checks signatures in the given order. Skips copies of a good signature, because anyone can make any number of copies, and every
 * rule examines all returned signatures.
 */
export async function findGood(
  candidates: readonly Candidate[],
  makers: Makers,
  { isEnough = () => false, copies = false, together = false }: Search = {},
): Promise<Good> {
  const found = new Map<Candidate, readonly LoadedKey[]>();
  const names = new Set<string>();
  let last: Candidate | undefined;
  const isWanted = (next: Candidate) => {
    if (last === undefined) return true;
    return !isEnough(last, next, names.size) && (copies || !names.has(nameOf(next.raw)));
  };
  for (let at = 0; at < candidates.length; at += atOnce) {
    const batch = candidates.slice(at, at + atOnce).filter(isWanted);
    const many = together || batch.length > few;
    const madeBy = await Promise.all(batch.map((one) => makers(one.raw, one.signed, many)));
    for (const [place, candidate] of batch.entries()) {
      const by = madeBy[place] ?? [];
      if (by.length === 0 || !isWanted(candidate)) continue;
      last = candidate;
      names.add(nameOf(candidate.raw));
      found.set(candidate, by);
    }
  }
  return found;
}

/** Compares numbers for an ascending order. Subtraction would not work, because infinity minus infinity is not a number. */
function ascending(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts newer self-signatures first. With equal dates, sorts the self-signature with the shorter key lifetime first. */
function newestFirst(a: Candidate, b: Candidate): number {
  return ascending(b.createdAt, a.createdAt) || ascending(a.keyLifetime, b.keyLifetime);
}

/**
 * Finds the newest good signatures, up to the limit. No rule needs more. Includes all signatures with the same rank as the last
 * signature within the limit.
 */
export async function findNewest(candidates: readonly Candidate[], makers: Makers, search: Search = {}): Promise<Good> {
  return await findFirst(candidates.toSorted(newestFirst), makers, search);
}

async function findFirst(sorted: readonly Candidate[], makers: Makers, search: Search): Promise<Good> {
  return await findGood(sorted, makers, {
    ...search,
    isEnough: (last, next, count) => count >= limits.goodSignatures && newestFirst(last, next) !== 0,
  });
}

/**
 * Finds the self-signatures of a key that the trust rules need. The newest self-signatures show the current settings, and the
 * oldest show the first settings. The rules also need the self-signature with the longest key lifetime, and the newest
 * self-signature that allows certifying, because a thief may shorten the lifetime or remove flags (T6). Includes every
 * designation of a revoker.
 */
export async function findTelling(candidates: readonly Candidate[], makers: Makers): Promise<Good> {
  const others = candidates.filter(({ namesRevoker }) => !namesRevoker).sort(newestFirst);
  const lasting = candidates.filter(({ namesRevoker }) => namesRevoker);
  const found = [...(await findFirst(others, makers, {})), ...(await findGood(lasting, makers))];
  if (others.length <= limits.goodSignatures) return new Map(found);
  const one = { isEnough: () => true };
  const longest = others.toSorted((a, b) => ascending(b.keyLifetime, a.keyLifetime));
  const certifying = others.filter(({ letsCertify }) => letsCertify);
  for (const more of [
    await findFirst(others.toReversed(), makers, {}),
    await findGood(longest, makers, one),
    await findGood(certifying, makers, one),
  ]) {
    for (const good of more) found.push(good);
  }
  return new Map(found);
}

const enough: Search = { isEnough: (_last, _next, count) => count >= limits.goodSignatures };

/** Finds withdrawals of certifications, the oldest first. A withdrawal is final, so the earliest withdrawal decides. */
export async function findOldest(candidates: readonly Candidate[], makers: Makers): Promise<Good> {
  const oldestFirst = candidates.toSorted((a, b) => ascending(a.createdAt, b.createdAt));
  return await findGood(oldestFirst, makers, enough);
}

/**
 * Finds revocations: first hard revocations with any date, then soft revocations, the oldest first. One hard revocation is
 * enough. Among soft revocations, the earliest revocation decides (T4).
 */
export async function findRevocations(candidates: readonly Candidate[], makers: Makers): Promise<Good> {
  const rank = ({ kind }: Candidate) => (kind === "hard" ? 0 : 1);
  const gravestFirst = candidates.toSorted((a, b) => rank(a) - rank(b) || ascending(a.createdAt, b.createdAt));
  return await findGood(gravestFirst, makers, enough);
}

/**
 * Returns whether a revocation is hard or soft (RFC 9580 section 5.2.3.31). The reasons 1 (superseded) and 3 (retired)
 * are soft; reason 32 (user ID no longer valid) is soft only for user IDs.
 */
export function revocationKind({ type, hashed: { reason, unknownCritical } }: RawSignature): RevocationKind {
  const softReasons = type === 0x30 ? [1, 3, 32] : [1, 3];
  // A revocation with two reasons counts as hard, because one of the reasons may be hard.
  const clear = !unknownCritical.includes("subpacket 29 given twice");
  return reason !== undefined && clear && softReasons.includes(reason.code) ? "soft" : "hard";
}
