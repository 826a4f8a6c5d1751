/**
 * Stores all revocations and withdrawals (T4), from any source and in any order, even if their key is unknown or is not connected
 * with the chain. Before each judgement, feedkey adds the stored signatures to the certificates.
 */
import type { Fingerprint } from "../../trust/facts.ts";
import { keyIdOf } from "../packet/key-packet.ts";
import { limits } from "../packet/limits.ts";
import { type Packet, writePackets } from "../packet/packets.ts";
import { revokerIn } from "../packet/raw-signature.ts";
import { latin1 } from "../packet/subpackets.ts";
import { type Keyring, type RawCertificate, writeCertificate } from "./certificate.ts";
import { collect, keepVerified, unite } from "./merge.ts";
import { cutDownPart, foreignRevokers, octetsOf, revocationPart } from "./revocation-part.ts";

/** The information that the store needs to write its keyring. */
export interface Survey {
  /** Returns how close the key with a fingerprint or key ID is to the chain. The store keeps revocations of closer keys first. */
  readonly nearness: (key: string) => "own" | "chain" | "held" | "stranger";
  /** The revocations in the certificates that feedkey read in this run, without forged revocations. */
  readonly read: ReadonlyMap<Fingerprint, RawCertificate>;
  /** The bodies of the packets that verified. */
  readonly verified: ReadonlySet<Uint8Array>;
  /**
   * Returns the primary key packet of a key. feedkey needs a designated revoker's packet to check the revoker's revocation
   * again.
   */
  readonly keyOf: (fingerprintOrKeyId: string) => Packet | undefined;
}

const order = { own: 0, chain: 1, held: 2, stranger: 3 } as const;

/** Returns a copy of a packet. A view would keep a whole answer of megabytes in memory. */
function copied({ tag, body }: Packet): Packet {
  return { tag, body: Uint8Array.from(body) };
}

function copiedPart(part: RawCertificate): RawCertificate {
  const within = (components: RawCertificate["userIds"]) => {
    return components.map(({ packet, signatures }) => ({ packet: copied(packet), signatures: signatures.map(copied) }));
  };
  const { fingerprint, primary, signatures, userIds, subkeys } = part;
  const own = { fingerprint, primary: copied(primary), signatures: signatures.map(copied) };
  return { ...own, userIds: within(userIds), subkeys: within(subkeys) };
}

export class RevocationStore {
  /** The revocations, by the revoked certificate's fingerprint. Each entry also has the certificate's primary key. */
  readonly #parts = new Map<Fingerprint, RawCertificate>();
  /** Bare key revocations, by the fingerprint or key ID of the named maker. */
  readonly #bare = new Map<string, Map<string, Packet>>();
  #octets = 0;

  /**
   * Adds the revocations in an answer, a bundle or a file. For keys that are not available, each run has a size limit.
   * @param isNear whether a key is available; for an available key, only the limits on reading apply
   */
  add(
    { certificates, loose }: Pick<Keyring, "certificates" | "loose">,
    isNear: (key: string) => boolean = () => true,
  ): void {
    for (const certificate of collect(certificates).values()) {
      const part = revocationPart(certificate);
      if (part === undefined) continue;
      const known = this.#parts.get(part.fingerprint);
      const next = known === undefined ? part : unite(known, part);
      if (next === known) continue;
      const more = octetsOf(next) - (known === undefined ? 0 : octetsOf(known));
      if (!isNear(part.fingerprint) && this.#octets + more > limits.revocationsInOneRun) continue;
      if (!isNear(part.fingerprint)) this.#octets += more;
      this.#parts.set(part.fingerprint, isNear(part.fingerprint) ? next : copiedPart(next));
    }
    for (const packet of loose) this.#addBare(packet, isNear);
  }

  #addBare(packet: Packet, isNear: (key: string) => boolean): void {
    const name = revokerIn(packet.body);
    if (name === undefined) return;
    const known = this.#bare.get(name) ?? new Map<string, Packet>();
    const body = latin1(packet.body);
    if (known.has(body)) return;
    if (!isNear(name) && this.#octets + packet.body.length > limits.revocationsInOneRun) return;
    if (!isNear(name)) this.#octets += packet.body.length;
    known.set(body, copied(packet));
    this.#bare.set(name, known);
  }

  /** Whether the store has bare revocations. A bare revocation may revoke any key that designated its maker as a revoker. */
  get hasBare(): boolean {
    return this.#bare.size > 0;
  }

  /** Returns the bare revocations that name a key as their maker. */
  bareBy(fingerprint: Fingerprint): readonly Packet[] {
    return [fingerprint, keyIdOf(fingerprint)].flatMap((name) => [...(this.#bare.get(name)?.values() ?? [])]);
  }

  /**
   * Adds the stored revocations to a certificate. `readFacts` verifies these revocations later.
   * @returns the unchanged certificate if the store has nothing new for this certificate
   */
  attachTo(certificate: RawCertificate, revokers: readonly Fingerprint[] = []): RawCertificate {
    const part = this.#parts.get(certificate.fingerprint);
    const signatures = [certificate.fingerprint, ...revokers].flatMap((maker) => this.bareBy(maker));
    return unite(part === undefined ? certificate : unite(certificate, part), { signatures });
  }

  /**
   * Returns the keyring to store for the next run: the bare revocations, and then the revocations in each certificate. If the
   * revocations exceed a limit, keeps the revocations of the keys closest to the chain.
   */
  write({ nearness, read, verified, keyOf }: Survey): Uint8Array {
    let room: number = limits.revocationsKept;
    const written: Uint8Array[] = [];
    const bodies = new Set<string>();
    const revokers = new Set<string>();
    const ranked = <T>(entries: Iterable<[string, T]>) => {
      return [...entries]
        .map(([key, value]) => ({ key, value, rank: order[nearness(key)] }))
        .sort((a, b) => a.rank - b.rank);
    };
    const all = ranked(new Map([...this.#parts, ...read]));
    // Anyone can forge a revocation that feedkey can't check yet. So verified revocations of any key come first.
    const proven = all.flatMap(({ value }) => revocationPart(keepVerified(value, verified)) ?? []);
    const kept = new Map<Fingerprint, RawCertificate>();
    for (const part of proven) room -= this.#keep(kept, cutDownPart(part, limits.revocationsOfNear, verified), room);
    let unproven = Math.min(room, limits.revocationsUnproven);
    for (const { value, rank } of all) {
      const octets = rank <= order.chain ? limits.revocationsOfNear : limits.revocationsOfStranger;
      const taken = this.#keep(kept, cutDownPart(value, octets, verified), unproven);
      unproven -= taken;
      room -= taken;
    }
    for (const part of kept.values()) {
      written.push(writeCertificate(part));
      for (const { body } of part.signatures) bodies.add(latin1(body));
      for (const revoker of foreignRevokers(part)) revokers.add(revoker);
    }
    const bare: Packet[] = [];
    room = Math.min(room, unproven);
    for (const { key, value } of ranked(this.#bare)) {
      const others = [...value].filter(([body]) => !bodies.has(body)).slice(0, limits.revocationsOfOne);
      for (const [, packet] of others) {
        if (packet.body.length + headerOctets > room) continue;
        room -= packet.body.length + headerOctets;
        bare.push(packet);
        revokers.add(key);
      }
    }
    for (const revoker of revokers) {
      const key = keyOf(revoker);
      const bytes = key && writePackets([key]);
      if (bytes === undefined || bytes.length > room) continue;
      room -= bytes.length;
      written.push(bytes);
    }
    return new Uint8Array(Buffer.concat([writePackets(bare), ...written]));
  }

  /** Adds a part to the kept part with the same primary key. @returns the number of octets added; 0 if they exceed `room` */
  #keep(kept: Map<Fingerprint, RawCertificate>, part: RawCertificate, room: number): number {
    const own = revocationPart(part);
    const before = kept.get(part.fingerprint);
    const next = own && (before === undefined ? own : unite(before, own));
    if (next === undefined || next === before) return 0;
    const octets = writeCertificate(next).length - (before === undefined ? 0 : writeCertificate(before).length);
    if (octets > room) return 0;
    kept.set(part.fingerprint, next);
    return octets;
  }
}

/** The size of the longest header that `writePacket` writes. */
const headerOctets = 6;
