/** Finds the good signatures among any amount of uploaded junk. */
import type { RevocationKind } from "../../trust/facts.ts";
import type { LoadedKey } from "../packet/key-packet.ts";
import { limits } from "../packet/limits.ts";
import type { Packet } from "../packet/packets.ts";
import { layoutOf, makerOf, type RawSignature, readSignature } from "../packet/raw-signature.ts";
import type { Signed, SignedParts } from "../packet/signed-parts.ts";

/** The number of simultaneous checks: enough to keep all threads busy. */
const atOnce = 64;

/** Up to this many signatures are checked without threads, because starting a thread takes longer than a check. */
const few = 8;

/** A signature with the right first octets of its digest, before its check, with the values that decide the order of checks. */
export interface Candidate {
  readonly raw: RawSignature;
  readonly signed: Signed;
  /** The creation date; 0 if the signature has no date: the signature then counts only as a hard revocation. */
  readonly createdAt: number;
  readonly keyLifetime: number;
  readonly namesRevoker: boolean;
  /** Whether the key flags in the signature allow certifying. */
  readonly letsCertify: boolean;
  readonly kind: RevocationKind;
}

/** Earlier results, by the list of packets, because a certificate is read more than once. */
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

/** Yields the signatures with the right first octets of their digest, in the order of the packets. */
export function* fitting(packets: readonly Packet[], signed: Signed): Generator<RawSignature> {
  for (const body of bodiesThatFit(packets, signed)) {
    const raw = readSignature(body);
    if (raw !== undefined) yield raw;
  }
}

/** Returns the data that is kept about a signature until it is checked. */
export function putAside(raw: RawSignature, signed: Signed): Candidate {
  const { createdAt = 0, keyLifetime = Number.POSITIVE_INFINITY, designatedRevokers, flags } = raw.hashed;
  const namesRevoker = designatedRevokers.length > 0;
  const letsCertify = flags?.certify !== false;
  return { raw, signed, createdAt, keyLifetime, namesRevoker, letsCertify, kind: revocationKind(raw) };
}

/**
 * Names a signature by what it covers and by its maker: without an issuer in the hashed area, two keys may have signed
 * the same content. For revocations the named maker does not matter.
 */
export function nameOf({ type, issuer, hashedPart, salt }: RawSignature): string {
  const maker = type === 0x20 ? "" : makerOf({ issuer });
  return `${maker} ${Buffer.concat([hashedPart, salt]).toString("latin1")}`;
}

/** Finds the keys that made a signature, among the keys that the signature names. */
export type Makers = (raw: RawSignature, signed: Signed, together: boolean) => Promise<readonly LoadedKey[]>;

/** Good signatures, each with its makers. */
export type Good = ReadonlyMap<Candidate, readonly LoadedKey[]>;

interface Search {
  /**
   * Whether none of the remaining signatures can matter.
   * @param last the last signature that verified
   * @param next the next signature to check
   */
  readonly isEnough?: (last: Candidate, next: Candidate, count: number) => boolean;
  /** Whether to return also copies of a good signature that have other unhashed areas. */
  readonly copies?: boolean;
  /** Whether other searches run simultaneously. */
  readonly together?: boolean;
}

/**
 * Checks signatures in the given order. Copies of a good signature are skipped: anybody can make any number of copies, and
 * every rule examines all returned signatures.
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

/** Compares numbers for an ascending order. A difference does not work, because two infinities have none. */
function ascending(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares self-signatures: the newest first; of equal dates, the one by which the key expires soonest first. */
function newestFirst(a: Candidate, b: Candidate): number {
  return ascending(b.createdAt, a.createdAt) || ascending(a.keyLifetime, b.keyLifetime);
}

/** Finds the newest good signatures: as many as any rule could need, and all signatures with the date of the last of these. */
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
 * Finds those self-signatures of a key that the trust rules need. The newest say what is valid now, the oldest what was valid first.
 * Because a thief may reduce expiry and flags (T6), the self-signatures with the latest expiry and with the certify flag are
 * needed too. A designation of a revoker always counts.
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

/** Finds withdrawals, the oldest first: a withdrawal is final, so the earliest decides. */
export async function findOldest(candidates: readonly Candidate[], makers: Makers): Promise<Good> {
  const oldestFirst = candidates.toSorted((a, b) => ascending(a.createdAt, b.createdAt));
  return await findGood(oldestFirst, makers, enough);
}

/**
 * Finds revocations: the hard revocations first, whatever their dates, then the soft revocations, the oldest first. One
 * hard revocation is enough; among soft revocations, the earliest decides (T4).
 */
export async function findRevocations(candidates: readonly Candidate[], makers: Makers): Promise<Good> {
  const rank = ({ kind }: Candidate) => (kind === "hard" ? 0 : 1);
  const gravestFirst = candidates.toSorted((a, b) => rank(a) - rank(b) || ascending(a.createdAt, b.createdAt));
  return await findGood(gravestFirst, makers, enough);
}

/**
 * Returns whether a revocation is hard or soft (RFC 9580 section 5.2.3.31). Superseded and retired are soft; 32 (user
 * ID no longer valid) is soft only for user IDs.
 */
export function revocationKind({ type, hashed: { reason, unknownCritical } }: RawSignature): RevocationKind {
  const softReasons = type === 0x30 ? [1, 3, 32] : [1, 3];
  // If a signature gives two reasons, the worse reason counts.
  const clear = !unknownCritical.includes("subpacket 29 given twice");
  return reason !== undefined && clear && softReasons.includes(reason.code) ? "soft" : "hard";
}
