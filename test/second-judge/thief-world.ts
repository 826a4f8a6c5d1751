/** A world of keys over time: who signed what, dated when and published when, and what of it there is on a day. */
import type { Instant } from "../../src/time.ts";
import type { CertificateFacts, Revocation, SelfSignature, SignatureFacts } from "../../src/trust/facts.ts";

/** Days since the beginning. */
export type Day = number;

/** A short name: honest keys begin with a capital, a thief's with a small letter. */
export type Name = string;

const beginning = Date.UTC(2026, 0, 1);

/** The moment at which a day begins. */
export function instantOf(day: Day): Instant {
  return beginning + day * 86_400_000;
}

interface KeyPlan {
  readonly name: Name;
  readonly createdAt: Day;
  readonly weak: boolean;
}

/** `heard`: published on that day; none: on the day of its date. */
export type Signed =
  | {
      readonly kind: "certified";
      readonly by: Name;
      readonly key: Name;
      readonly at: Day;
      readonly until?: Day | undefined;
      readonly heard?: Day;
    }
  | { readonly kind: "withdrew"; readonly by: Name; readonly key: Name; readonly at: Day; readonly heard?: Day }
  | { readonly kind: "said"; readonly key: Name; readonly at: Day; readonly end: Day | undefined; readonly heard?: Day }
  | { readonly kind: "retired"; readonly key: Name; readonly at: Day; readonly heard?: Day };

/** The fingerprint of a key. */
export function fingerprintOfName(name: Name): string {
  return Buffer.from(name.padStart(20, "-"), "latin1").toString("hex").toUpperCase();
}

/** The name of the key with a fingerprint. */
export function nameOf(fingerprint: string): Name {
  return Buffer.from(fingerprint, "hex").toString("latin1").replace(/^-+/, "");
}

const address = "Archive <archive@example.org>";

function signature(type: number, by: Name, at: Day, until: Day | undefined, id: number): SignatureFacts {
  return {
    type,
    version: 4,
    createdAt: instantOf(at),
    expiresAt: until === undefined ? undefined : instantOf(until),
    hash: "sha256",
    certificate: fingerprintOfName(by),
    key: fingerprintOfName(by),
    exportable: true,
    unknownCritical: [],
    notations: [],
    trust: { level: 0, amount: 0 },
    id: id.toString(16).toUpperCase().padStart(64, "0"),
  };
}

/** The archive's identity in every world. */
export const identity = { kind: "user-email", email: "archive@example.org" } as const;

export class World {
  readonly keys: KeyPlan[] = [];
  readonly signed: Signed[] = [];

  /** Makes a key that says on the day of its making when it ends. */
  make(name: Name, createdAt: Day, end: Day | undefined, { weak = false, heard = createdAt } = {}): void {
    this.keys.push({ name, createdAt, weak });
    this.signed.push({ kind: "said", key: name, at: createdAt, end, heard });
  }

  add(...signed: Signed[]): void {
    this.signed.push(...signed);
  }

  /** The same world as far as it is about these keys and by them alone. */
  within(isIn: (name: Name) => boolean): World {
    const part = new World();
    part.keys.push(...this.keys.filter(({ name }) => isIn(name)));
    part.signed.push(...this.signed.filter((one) => isIn(one.key) && (!("by" in one) || isIn(one.by))));
    return part;
  }

  /** All certificates that anybody can have on a day. */
  on(day: Day): CertificateFacts[] {
    const heard = this.signed.filter((one) => (one.heard ?? one.at) <= day);
    return this.keys.flatMap(({ name, createdAt, weak }) => {
      const about = heard.filter(({ key }) => key === name);
      const selfSignatures = about.flatMap((one, nth): SelfSignature[] => {
        if (one.kind !== "said") return [];
        const keyExpiresAt = one.end === undefined ? undefined : instantOf(one.end);
        const facts = signature(0x13, name, one.at, undefined, nth);
        return [{ ...facts, keyExpiresAt, flags: undefined, backSignature: undefined, designatedRevokers: [] }];
      });
      if (selfSignatures.length === 0) return [];
      const revoked = (kind: "withdrew" | "retired") =>
        about.flatMap((one, nth): Revocation[] => {
          if (one.kind !== kind) return [];
          const [type, by] = one.kind === "withdrew" ? [0x30, one.by] : [0x20, name];
          return [{ ...signature(type, by, one.at, undefined, nth), kind: "soft", reason: 3, text: "" }];
        });
      const certifications = about.flatMap((one, nth) => {
        return one.kind === "certified" ? [signature(0x10, one.by, one.at, one.until, nth)] : [];
      });
      const withdrawals = revoked("withdrew");
      const userId = { bytes: address, text: address, selfSignatures, revocations: [], certifications, withdrawals };
      const fingerprint = fingerprintOfName(name);
      const primary = {
        fingerprint,
        keyId: fingerprint.slice(-16),
        version: 4,
        algorithm: weak ? "dsa" : "ed25519",
        bits: 255,
        createdAt: instantOf(createdAt),
      };
      return [{ primary, directSignatures: [], revocations: revoked("retired"), userIds: [userId], subkeys: [] }];
    });
  }
}
