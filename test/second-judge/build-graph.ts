/** From a plan to plain facts, as if they had been read from packets and verified. */
import type { Instant } from "../../src/time.ts";
import type {
  CertificateFacts,
  KeyFacts,
  Revocation,
  SelfSignature,
  SignatureFacts,
  UserIdFacts,
} from "../../src/trust/facts.ts";
import type { JudgeInput } from "../../src/trust/judge.ts";
import { changesOf } from "./fates.ts";
import type { Change, Delegation, GraphPlan, Maker, Nth, SelfTraits, SignatureTraits } from "./graph-plan.ts";
import { at, daysAgo } from "./moments.ts";

type Growing<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
type GrowingUserId = Growing<UserIdFacts>;
interface GrowingCertificate {
  primary: Growing<KeyFacts>;
  directSignatures: SelfSignature[];
  revocations: Revocation[];
  userIds: GrowingUserId[];
  subkeys: CertificateFacts["subkeys"];
}

/** The name that each key has at first. */
export const archiveName = "Žilina Archive <archive@example.org>";

function ownName(key: Nth): string {
  return `Builder <builder${key}@example.org>`;
}

/** Fingerprint of the nth key's primary or of its subkey. */
export function fingerprintOf(key: Nth, maker: Maker = "primary"): string {
  return `${maker === "primary" ? "A" : "5"}${key.toString(16).toUpperCase().padStart(39, "0")}`;
}

const goodTraits: SignatureTraits = {
  createdAt: daysAgo(400),
  expiresAt: undefined,
  hash: "sha256",
  unknownCritical: false,
  exportable: true,
};
const goodSelf: SelfTraits = { ...goodTraits, keyExpiresAt: undefined, flags: { certify: true, sign: true } };

function signature(type: number, issuer: Nth, maker: Maker, traits: SignatureTraits, id: number): SignatureFacts {
  return {
    type,
    version: 4,
    createdAt: traits.createdAt,
    expiresAt: traits.expiresAt,
    hash: traits.hash,
    certificate: fingerprintOf(issuer),
    key: fingerprintOf(issuer, maker),
    exportable: traits.exportable,
    unknownCritical: traits.unknownCritical ? ["subpacket 99"] : [],
    notations: [],
    trust: { level: 0, amount: 0 },
    id: id.toString(16).toUpperCase().padStart(64, "0"),
  };
}

function keyFacts(fingerprint: string, algorithm: string): Growing<KeyFacts> {
  const keyId = fingerprint.slice(-16);
  return { fingerprint, keyId, version: 4, algorithm, bits: 255, createdAt: daysAgo(400) };
}

class Builder {
  readonly certificates: GrowingCertificate[] = [];
  #signatures = 0;

  constructor(plan: GraphPlan) {
    for (let key = 0; key < plan.size; key++)
      this.#addKey(key, plan.named?.includes(key) === true ? ownName(key) : archiveName);
    for (const { issuer, key, at: createdAt, expired } of plan.links) {
      const traits = { ...goodTraits, createdAt, expiresAt: expired ? daysAgo(1) : undefined };
      this.#userId(key, 0)?.certifications.push(this.#sign(0x10, issuer, "primary", traits));
    }
    for (const delegation of plan.delegations ?? []) this.#delegate(delegation);
    for (const change of [...(plan.fates ?? []).flatMap(changesOf), ...plan.changes]) this.#change(change);
  }

  #sign(type: number, issuer: Nth, maker: Maker, traits: SignatureTraits): SignatureFacts {
    this.#signatures++;
    return signature(type, issuer, maker, traits, this.#signatures);
  }

  #selfSign(type: number, key: Nth, traits: SelfTraits): SelfSignature {
    const { keyExpiresAt, flags } = traits;
    const facts = this.#sign(type, key, "primary", traits);
    return { ...facts, keyExpiresAt, flags, backSignature: undefined, designatedRevokers: [] };
  }

  #revoke(type: number, issuer: Nth, maker: Maker, hard: boolean, traits: SignatureTraits): Revocation {
    const facts = this.#sign(type, issuer, maker, traits);
    // Reason 3: retired; none at all is hard.
    return { ...facts, kind: hard ? "hard" : "soft", reason: hard ? undefined : 3, text: "" };
  }

  #addKey(key: Nth, name: string): void {
    this.certificates.push({
      primary: keyFacts(fingerprintOf(key), "ed25519"),
      directSignatures: [],
      revocations: [],
      userIds: [],
      subkeys: [{ ...keyFacts(fingerprintOf(key, "subkey"), "ed25519"), bindings: [], revocations: [] }],
    });
    this.#addUserId(key, name);
  }

  #addUserId(key: Nth, text: string): void {
    this.certificates[key]?.userIds.push({
      bytes: Buffer.from(text, "utf8").toString("latin1"),
      text,
      selfSignatures: [this.#selfSign(0x13, key, goodSelf)],
      revocations: [],
      certifications: [],
      withdrawals: [],
    });
  }

  #userId(key: Nth, which: Nth): GrowingUserId | undefined {
    const userIds = this.certificates[key]?.userIds ?? [];
    return userIds[which % Math.max(1, userIds.length)];
  }

  #change(change: Change): void {
    const certificate = this.certificates[change.key];
    if (certificate === undefined) throw new Error(`the plan has no key ${change.key}`);
    switch (change.kind) {
      case "created":
        certificate.primary.createdAt = change.at;
        break;
      case "algorithm":
        certificate.primary.algorithm = change.algorithm;
        certificate.primary.bits = change.bits;
        break;
      case "user-id":
        this.#rename(certificate, change);
        break;
      case "self-signature": {
        const userId = this.#userId(change.key, change.userId);
        if (change.instead) userId?.selfSignatures.splice(0);
        userId?.selfSignatures.push(this.#selfSign(0x13, change.key, change.traits));
        break;
      }
      case "direct-signature":
        certificate.directSignatures.push(this.#selfSign(0x1f, change.key, change.traits));
        break;
      case "user-id-revocation": {
        const revocation = this.#revoke(0x30, change.key, "primary", change.hard, change.traits);
        this.#userId(change.key, change.userId)?.revocations.push(revocation);
        break;
      }
      case "revocation":
        certificate.revocations.push(this.#revoke(0x20, change.key, "primary", change.hard, change.traits));
        break;
      case "certification":
        this.#certify(change);
        break;
      case "withdrawal": {
        const { issuer, maker, traits } = change;
        this.#userId(change.key, change.userId)?.withdrawals.push(this.#revoke(0x30, issuer, maker, false, traits));
        break;
      }
    }
  }

  #rename(certificate: GrowingCertificate, { key, text, instead }: Extract<Change, { kind: "user-id" }>): void {
    const bytes = Buffer.from(text, "utf8").toString("latin1");
    // Packets with the same user ID are folded into one when they are read.
    if (certificate.userIds.some((userId) => userId.bytes === bytes)) return;
    const first = certificate.userIds[0];
    if (instead && first !== undefined) certificate.userIds[0] = { ...first, bytes, text };
    else this.#addUserId(key, text);
  }

  #delegate({ issuer, key, userId, maker, traits, terms, trust }: Delegation): void {
    if (issuer === key) return;
    const notations = terms.map((value) => ({ name: "delegate@example.org", value, critical: false }));
    const certification = { ...this.#sign(0x10, issuer, maker, traits), notations, trust };
    this.#userId(key, userId)?.certifications.push(certification);
  }

  #certify({ issuer, key, userId, maker, traits, instead }: Extract<Change, { kind: "certification" }>): void {
    const over = this.#userId(key, userId);
    if (over === undefined || issuer === key) return;
    const certification = this.#sign(0x10, issuer, maker, traits);
    const others = over.certifications.filter(({ certificate }) => certificate !== fingerprintOf(issuer));
    over.certifications = instead ? [...others, certification] : [...over.certifications, certification];
  }
}

function endsOf({ ends = [] }: GraphPlan): ReadonlyMap<string, readonly Instant[]> {
  const endsOfKey = (nth: Nth) => ends.filter(({ key }) => key === nth).map(({ at: end }) => end);
  return new Map(ends.map(({ key }) => [fingerprintOf(key), endsOfKey(key)]));
}

/** What the judge is asked for a plan. */
export function buildGraph(plan: GraphPlan): JudgeInput {
  const { certificates } = new Builder(plan);
  const turn = plan.turn % plan.size;
  const fingerprints = (keys: readonly Nth[]) => keys.map((key) => fingerprintOf(key));
  return {
    certificates: [...certificates.slice(turn), ...certificates.slice(0, turn)],
    identity: plan.identity,
    seeds: fingerprints(plan.seeds),
    retiredIssuers: plan.retiredIssuers,
    at,
    accepted: new Set(fingerprints(plan.accepted)),
    neverLive: new Set(fingerprints(plan.neverLive ?? [])),
    ends: endsOf(plan),
    unchecked: new Set(fingerprints(plan.unchecked)),
    crowded: new Map(fingerprints(plan.crowded ?? []).map((key) => [key, []])),
  };
}

/** The same question with every list the other way round: the answer may not depend on the order of packets. */
export function reversed(input: JudgeInput): JudgeInput {
  const back = <T>(list: readonly T[]): T[] => [...list].reverse();
  const certificates = back(input.certificates).map((certificate) => ({
    ...certificate,
    directSignatures: back(certificate.directSignatures),
    revocations: back(certificate.revocations),
    userIds: back(certificate.userIds).map((userId) => ({
      ...userId,
      selfSignatures: back(userId.selfSignatures),
      revocations: back(userId.revocations),
      certifications: back(userId.certifications),
      withdrawals: back(userId.withdrawals),
    })),
  }));
  return { ...input, certificates, seeds: back(input.seeds) };
}
