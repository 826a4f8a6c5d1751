/**
 * T4: stores all signatures that take trust away, from any source and in any order, even if their key is unknown or not
 * connected with the chain. The stored signatures are added to the certificates before each judgement.
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

/** What the store needs to know when it writes its keyring. */
export interface Survey {
  /** How close a key, given by fingerprint or key ID, is to the chain: revocations of closer keys are kept first. */
  readonly nearness: (key: string) => "own" | "chain" | "held" | "stranger";
  /** The revocations in the certificates that were read, without forged revocations. */
  readonly read: ReadonlyMap<Fingerprint, RawCertificate>;
  /** The bodies of the packets that verified. */
  readonly verified: ReadonlySet<Uint8Array>;
  /** Returns the primary key packet of a key: without a designated revoker's packet, its revocation can't be checked again. */
  readonly keyOf: (fingerprintOrKeyId: string) => Packet | undefined;
}

const order = { own: 0, chain: 1, held: 2, stranger: 3 } as const;

/** Returns a copy of a packet, so that an answer of megabytes does not stay in memory for one packet. */
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
  /** The revocations by target, each with the target's primary key. */
  readonly #parts = new Map<Fingerprint, RawCertificate>();
  /** Bare key revocations, by the fingerprint or key ID that they name as their maker. */
  readonly #bare = new Map<string, Map<string, Packet>>();
  #octets = 0;

  /**
   * Adds the revocations in an answer, a bundle or a file. Within one run all revocations are added; a size limit applies
   * only to keys that are not available.
   * @param isNear whether a key is available: then only the limits on reading apply
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

  /** Whether the store has bare revocations: any key that designated their maker as its revoker may be revoked. */
  get hasBare(): boolean {
    return this.#bare.size > 0;
  }

  /** Returns the bare revocations that name a key as their maker. */
  bareBy(fingerprint: Fingerprint): readonly Packet[] {
    return [fingerprint, keyIdOf(fingerprint)].flatMap((name) => [...(this.#bare.get(name)?.values() ?? [])]);
  }

  /**
   * Adds the stored revocations to a certificate. These revocations are verified when the facts are read.
   * @returns the unchanged certificate if the store has nothing new for it
   */
  attachTo(certificate: RawCertificate, revokers: readonly Fingerprint[] = []): RawCertificate {
    const part = this.#parts.get(certificate.fingerprint);
    const signatures = [certificate.fingerprint, ...revokers].flatMap((maker) => this.bareBy(maker));
    return unite(part === undefined ? certificate : unite(certificate, part), { signatures });
  }

  /**
   * Returns the keyring that is stored for the next run: bare revocations, then the revocations of each target. Those closest
   * to the chain come first, within the limits for each target and in total.
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
    // Verified revocations of any target come before unchecked revocations, which anybody can forge.
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

  /** Adds a part to what is kept about its target. @returns the number of octets that it adds; 0 if they exceed `room` */
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

/** The size of the longest header that `writePacket` makes. */
const headerOctets = 6;
