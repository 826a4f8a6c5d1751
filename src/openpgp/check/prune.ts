/**
 * Selects the parts of a foreign certificate that feedkey stores: verified packets and, up to a limit, certifications whose
 * maker's key may arrive later. Revocations and withdrawals come first, and each kind has a separate limit.
 */
import { grouped } from "../../grouped.ts";
import type { CertificateFacts } from "../../trust/facts.ts";
import type { Component, RawCertificate } from "../certificate/certificate.ts";
import { keepSignatures } from "../certificate/merge.ts";
import { keyIdOf } from "../packet/key-packet.ts";
import { limits } from "../packet/limits.ts";
import type { Packet } from "../packet/packets.ts";
import { makerOf, namesIssuer, type RawSignature, readSignature } from "../packet/raw-signature.ts";
import { Signed } from "../packet/signed-parts.ts";
import { fitting, revocationKind } from "./good-signatures.ts";
import type { KeyIndex, LoadedCertificate } from "./key-index.ts";
import { readFacts } from "./read-facts.ts";

/**
 * Size limits in bytes. `own` is for the key's own signatures, `others` for verified signatures by other keys, and `strangers` for
 * signatures by unknown keys.
 */
export interface Room {
  readonly own: number;
  readonly others: number;
  readonly strangers: number;
}

/** The limits for the certificates in a key store. */
export const storeRoom: Room = {
  own: limits.keptOwnBytes,
  others: limits.keptOthersBytes,
  strangers: limits.keptStrangersBytes,
};

/** The limits of `storeRoom`, but without space for signatures that feedkey can't check yet. */
export const provenRoom: Room = { ...storeRoom, strangers: 0 };

interface Pruned {
  readonly certificate: RawCertificate;
  readonly facts: CertificateFacts;
  /** The number of verified signatures that feedkey dropped because they exceeded the limits. */
  readonly left: number;
}

/** A signature, and the user ID or subkey that the signature covers. `over` is undefined if the signature covers only the primary key. */
interface Placed {
  readonly packet: Packet;
  readonly over: Component | undefined;
  readonly raw: RawSignature;
}

/** A group of packets. feedkey keeps either the whole group or none of the packets. */
type Unit = readonly Placed[];

/** Returns the size of a packet with its header. A header has at most six octets. */
const sizeOf = ({ body }: Packet): number => body.length + 6;

/** Collects units up to a size limit. */
class Keeping {
  readonly kept = new Set<Packet>();
  #room = 0;

  /** Sets a new size limit for the units that follow. */
  within(bytes: number): void {
    this.#room = bytes;
  }

  #take(unit: Unit): boolean {
    const components = new Set(unit.flatMap(({ over }) => over?.packet ?? []));
    const fresh = [...components, ...unit.map(({ packet }) => packet)].filter((packet) => !this.kept.has(packet));
    const size = fresh.reduce((sum, packet) => sum + sizeOf(packet), 0);
    if (size > this.#room) return false;
    this.#room -= size;
    for (const packet of fresh) this.kept.add(packet);
    return true;
  }

  /**
   * Takes one unit from each list in turn. A list ends at its first unit that does not fit. In each list, newer or more severe
   * signatures come first. So feedkey never keeps an older signature without the newer signature that replaced it.
   */
  takeInTurn(lists: readonly (readonly Unit[])[]): void {
    let open = lists.map((units) => units.values());
    while (open.length > 0) {
      open = open.filter((units) => {
        const { value, done } = units.next();
        return done !== true && this.#take(value);
      });
    }
  }
}

const newestFirst = (a: Placed, b: Placed) => (b.raw.hashed.createdAt ?? 0) - (a.raw.hashed.createdAt ?? 0);
const oldestFirst = (a: Placed, b: Placed) => newestFirst(b, a);
const hardFirst = (a: Placed, b: Placed) =>
  Number(revocationKind(a.raw) === "soft") - Number(revocationKind(b.raw) === "soft");
const single = (one: Placed): Unit => [one];

/** Sorts signatures: first one signature for each user ID or subkey, then the second signatures, and so on. */
function spreadOut(placed: readonly Placed[]): Unit[] {
  const lists = [...grouped(placed, ({ over }) => over).values()];
  const longest = lists.reduce((most, { length }) => Math.max(most, length), 0);
  return Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list[turn] ?? []))
    .flat()
    .map(single);
}

const isRevoking = ({ raw }: Placed) => raw.type === 0x28 || raw.type === 0x30;

/**
 * Groups the key's own signatures over one user ID or subkey. The newest signature and the most severe revocation form one unit,
 * so feedkey never keeps the signature without the revocation.
 */
function unitsOf(placed: readonly Placed[]): Unit[] {
  const [gravest, ...revocations] = placed.filter(isRevoking).sort((a, b) => hardFirst(a, b) || oldestFirst(a, b));
  const [newest, ...others] = placed.filter((one) => !isRevoking(one)).sort(newestFirst);
  return [[gravest, newest].flatMap((one) => one ?? []), ...revocations.map(single), ...others.map(single)];
}

function takeOwn(keeping: Keeping, own: readonly Placed[], spokenOf: ReadonlySet<Component | undefined>): void {
  const [revoking, saying] = [own.filter(({ raw }) => raw.type === 0x20), own.filter(({ raw }) => raw.type !== 0x20)];
  keeping.takeInTurn([revoking.sort((a, b) => hardFirst(a, b) || oldestFirst(a, b)).map(single)]);
  const direct = saying.filter(({ over }) => over === undefined);
  const namesRevoker = ({ raw }: Placed) => raw.hashed.designatedRevokers.length > 0;
  keeping.takeInTurn([direct.filter(namesRevoker), direct.sort(newestFirst)].map((list) => list.map(single)));
  const components = grouped(
    saying.filter(({ over }) => over !== undefined),
    ({ over }) => over,
  );
  for (const wanted of [true, false]) {
    const lists = [...components].filter(([over]) => spokenOf.has(over) === wanted);
    keeping.takeInTurn(lists.map(([, placed]) => unitsOf(placed)));
  }
}

function takeOthers(keeping: Keeping, others: readonly Placed[]): void {
  const inTurn = (placed: readonly Placed[]) => [...grouped(placed, ({ raw }) => makerOf(raw)).values()].map(spreadOut);
  keeping.takeInTurn(inTurn(others.filter(isRevoking).sort(oldestFirst)));
  keeping.takeInTurn(inTurn(others.filter((one) => !isRevoking(one)).sort(newestFirst)));
}

/**
 * Takes signatures by unknown makers in the given order. Half of the limit is for revocations and withdrawals, and half is for all
 * other signatures, so that neither kind displaces the other.
 */
function takeStrangers(keeping: Keeping, strangers: readonly Placed[], room: number): void {
  const isGrave = ({ raw }: Placed) => raw.type === 0x20 || raw.type === 0x30;
  for (const grave of [true, false]) {
    keeping.within(room / 2);
    const some = strangers.filter((one) => isGrave(one) === grave).slice(0, limits.keptStrangers / 2);
    // Each signature has its own list, so that a large signature does not exclude the signatures after it.
    keeping.takeInTurn(some.map((one) => [single(one)]));
  }
}

/** Returns the signatures that may verify later, when feedkey has the maker's certificate. */
function strangersOf({ raw, primary }: LoadedCertificate, facts: CertificateFacts, keys: KeyIndex): Placed[] {
  const isUnknown = (one: RawSignature) => makerOf(one) !== undefined && keys.candidates(one).length === 0;
  const own = [...facts.directSignatures, ...facts.userIds.flatMap(({ selfSignatures }) => selfSignatures)];
  const revokers = own.flatMap(({ designatedRevokers }) => designatedRevokers);
  const mayRevoke = new Set([...revokers, ...revokers.map(keyIdOf)]);
  const find = (packets: readonly Packet[], signed: Signed, over: Component | undefined) => {
    const byBody = new Map(packets.map((packet) => [packet.body, packet]));
    const found: Placed[] = [];
    for (const one of fitting(packets, signed)) {
      const packet = byBody.get(one.body);
      if (packet !== undefined && isUnknown(one)) found.push({ packet, over, raw: one });
    }
    return found;
  };
  const revoking = mayRevoke.size === 0 ? [] : find(raw.signatures, new Signed({ key: primary }), undefined);
  return [
    ...revoking.filter(({ raw: one }) => one.type === 0x20 && mayRevoke.has(makerOf(one) ?? "")),
    ...raw.userIds.flatMap((over) => {
      const found = find(over.signatures, new Signed({ key: primary, userId: over.packet.body }), over);
      return found.filter(({ raw: { type } }) => (type >= 0x10 && type <= 0x13) || type === 0x30);
    }),
  ];
}

function placedOf(raw: RawCertificate, verified: ReadonlySet<Uint8Array>): Placed[] {
  const place = (packets: readonly Packet[], over: Component | undefined) => {
    return packets.flatMap((packet): Placed[] => {
      const one = verified.has(packet.body) ? readSignature(packet.body) : undefined;
      return one === undefined ? [] : [{ packet, over, raw: one }];
    });
  };
  const components = [...raw.userIds, ...raw.subkeys];
  return [...place(raw.signatures, undefined), ...components.flatMap((one) => place(one.signatures, one))];
}

/**
 * Returns a certificate within the limits, without signatures that do not verify.
 * @param keys all available certificates, including this certificate, to check the signatures by their keys
 */
export async function prune(loaded: LoadedCertificate, keys: KeyIndex, room: Room): Promise<Pruned> {
  const { raw } = loaded;
  const verified = new Set<Uint8Array>();
  const facts = await readFacts(loaded, keys, (body) => verified.add(body));
  const placed = placedOf(raw, verified);
  const isOwn = (one: Placed) => one.raw.type === 0x20 || namesIssuer(one.raw, raw.fingerprint);
  const others = placed.filter((one) => !isOwn(one));
  const keeping = new Keeping();
  keeping.within(room.own - sizeOf(raw.primary));
  takeOwn(keeping, placed.filter(isOwn), new Set(others.map(({ over }) => over)));
  keeping.within(room.others);
  takeOthers(keeping, others);
  const left = placed.filter(({ packet }) => !keeping.kept.has(packet)).length;
  if (room.strangers > 0) takeStrangers(keeping, strangersOf(loaded, facts, keys), room.strangers);
  return { certificate: keepSignatures(raw, (packet) => keeping.kept.has(packet)), facts, left };
}
