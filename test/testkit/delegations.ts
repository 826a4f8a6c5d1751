/** A master, a person and a machine, and the delegations between them: what the tests of delegation have in common. */
import type { Instant } from "../../src/time.ts";
import { archiveId, type CertificateOptions, certificate, type TestCertificate } from "./certificate.ts";
import { day } from "./dates.ts";
import { codeOf, judged, verdict } from "./judging.ts";
import { ed25519Key, type TestKey } from "./keys.ts";
import { certification, dataSignature, withdrawal } from "./signature.ts";
import { notation, type Subpacket, trustLevel } from "./subpackets.ts";

export const master = ed25519Key("delegation-master");
export const person = ed25519Key("delegation-person");
export const machine = ed25519Key("delegation-machine");
export const data = Buffer.from("Package: a\n");

export const nameOf = new Map<TestKey, string>([
  [master, archiveId],
  [person, "A Person <person@example.org>"],
  [machine, "Machine <machine@build.example.org>"],
]);

export interface Terms {
  readonly terms?: string;
  readonly days?: number | undefined;
  readonly at?: Instant;
  readonly userId?: string;
  /** Instead of the trust signature that goes with the depth. */
  readonly hashed?: readonly Subpacket[];
}

/** A delegation of a hundred days; `days: undefined` has no end. */
export function delegation(by: TestKey, of: TestKey, options: Terms = {}) {
  const { terms = "depth=0; feeds=*", at = day(10), userId = nameOf.get(of) ?? "" } = options;
  const days = "days" in options ? options.days : 100;
  const expiry = days === undefined ? {} : { expiresAfter: days * 86_400 };
  const depth = Number(/^depth=(\d)/.exec(terms)?.[1]);
  const { hashed = depth > 0 ? [trustLevel(depth + 1, 120)] : [] } = options;
  return certification({ by, of, userId, at, hashed: [notation("delegate@example.org", terms), ...hashed], ...expiry });
}

export function cert(
  key: TestKey,
  certifiedBy: CertificateOptions["certifiedBy"] = [],
  options: Partial<CertificateOptions> = {},
) {
  return certificate({ key, userIds: [nameOf.get(key) ?? ""], certifiedBy, ...options });
}

export const root = cert(master);

/** What a client seeded with the master says of an index that `signer` signed. */
export async function code(
  certificates: readonly TestCertificate[],
  signer = machine,
  feed = "base",
  at = day(50),
): Promise<string> {
  const trust = await judged({ certificates: [root, ...certificates], at });
  return codeOf(await verdict(trust, data, [dataSignature({ by: signer, at: Math.min(day(40), at), data })], { feed }));
}

/** A delegation taken back. */
export function withdrawn(by: TestKey, of: TestKey, at: Instant, userId = nameOf.get(of) ?? "") {
  return withdrawal({ by, of, userId, at });
}
