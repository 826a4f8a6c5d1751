/** Finding the signatures that are good among as much junk as anybody cares to upload. */
import type { RevocationKind } from "../../trust/facts.ts";
import type { LoadedKey } from "../packet/key-packet.ts";
import { limits } from "../packet/limits.ts";
import type { Packet } from "../packet/packets.ts";
import { layoutOf, parseSignature, type RawSignature } from "../packet/raw-signature.ts";
import type { Signed, SignedParts } from "../packet/signed-parts.ts";

/** Checks under way at once: enough for the threads that do them. */
const atOnce = 64;

/** So few are checked here and now: a thread takes longer to start than a check. */
const few = 8;

/** A signature whose digest fits, put aside until it is its turn, with what its turn depends on. */
export interface Candidate {
  readonly raw: RawSignature;
  readonly signed: Signed;
  /** 0 without a date: such a one counts for nothing, or, a hard revocation, whatever its date. */
  readonly createdAt: number;
  readonly keyLifetime: number;
  readonly namesRevoker: boolean;
  /** What it says of the key's flags lets it certify. */
  readonly letsCertify: boolean;
  readonly kind: RevocationKind;
}

/** What was found to fit before, by the list of packets: a certificate is looked at more than once. */
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

/** Those of the packets that name the right first octets of their digest, in their order. */
export function* fitting(packets: readonly Packet[], signed: Signed): Generator<RawSignature> {
  for (const body of bodiesThatFit(packets, signed)) {
    const raw = parseSignature(body);
    if (typeof raw === "object") yield raw;
  }
}

/** What is kept of a signature until it is its turn to be checked. */
export function putAside(raw: RawSignature, signed: Signed): Candidate {
  const { createdAt = 0, keyLifetime = Number.POSITIVE_INFINITY, designatedRevokers, flags } = raw.hashed;
  const namesRevoker = designatedRevokers.length > 0;
  const letsCertify = flags?.certify !== false;
  return { raw, signed, createdAt, keyLifetime, namesRevoker, letsCertify, kind: revocationKind(raw) };
}

/**
 * What a signature covers, by whom: without a hashed issuer two keys may have signed the same. Of revocations one is
 * as good as the other, and they are read whoever is named.
 */
export function nameOf({ type, issuer, hashedPart, salt }: RawSignature): string {
  const maker = type === 0x20 ? "" : (issuer.fingerprint ?? issuer.keyId);
  return `${maker} ${Buffer.concat([hashedPart, salt]).toString("latin1")}`;
}

/** Those who made a signature, out of whom it names. */
export type Makers = (raw: RawSignature, signed: Signed, together: boolean) => Promise<readonly LoadedKey[]>;

/** Good signatures with those who made them. */
export type Good = ReadonlyMap<Candidate, readonly LoadedKey[]>;

export interface Search {
  /**
   * Whether nothing that comes behind can matter any more.
   * @param last the last one that was found good
   * @param next the next one to check
   */
  readonly isEnough?: (last: Candidate, next: Candidate, count: number) => boolean;
  /** Copies of one that was found good, with other bytes in the unhashed area, are wanted too. */
  readonly copies?: boolean;
  /** Other searches are under way at the same time. */
  readonly together?: boolean;
}

/**
 * Checks signatures in the order given. Copies of one that was found good say nothing new and are passed over: anybody
 * can make as many as he likes, and every rule goes over all that is found.
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

/** Ascending; for infinities, which have no difference, too. */
function ascending(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Of what a key says about itself: the newest first, of one date that by which the key ends soonest. */
function newestFirst(a: Candidate, b: Candidate): number {
  return ascending(b.createdAt, a.createdAt) || ascending(a.keyLifetime, b.keyLifetime);
}

/** The newest good ones, as many as any rule could ask about, and all that tie with the last of them. */
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
 * What a key says about itself. The newest say what holds, and the oldest how it began. Of what it once claimed the most counts
 * against a thief who takes it back (T6): the longest life, and that it may certify. What names a revoker counts for ever.
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

/** Withdrawals, the oldest first: one that holds at some time holds ever after, so that the earliest decides. */
export async function findOldest(candidates: readonly Candidate[], makers: Makers): Promise<Good> {
  const oldestFirst = candidates.toSorted((a, b) => ascending(a.createdAt, b.createdAt));
  return await findGood(oldestFirst, makers, { isEnough: (_last, _next, count) => count >= limits.goodSignatures });
}

/**
 * Revocations: the hard ones first, whatever their dates, then the soft ones, the oldest first. One hard one is enough for
 * ever, and of soft ones the earliest decides (T4).
 */
export async function findRevocations(candidates: readonly Candidate[], makers: Makers): Promise<Good> {
  const rank = ({ kind }: Candidate) => (kind === "hard" ? 0 : 1);
  const gravestFirst = candidates.toSorted((a, b) => rank(a) - rank(b) || ascending(a.createdAt, b.createdAt));
  return await findGood(gravestFirst, makers, { isEnough: (_last, _next, count) => count >= limits.goodSignatures });
}

/** RFC 9580 section 5.2.3.31: superseded, retired; 32 (user ID no longer in use) makes sense for user IDs alone. */
export function revocationKind({ type, hashed: { reason, unknownCritical } }: RawSignature): RevocationKind {
  const softReasons = type === 0x30 ? [1, 3, 32] : [1, 3];
  // With two reasons given, the worse is believed.
  const clear = !unknownCritical.includes("subpacket 29 given twice");
  return reason !== undefined && clear && softReasons.includes(reason.code) ? "soft" : "hard";
}
