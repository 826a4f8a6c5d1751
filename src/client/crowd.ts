/**
 * Telling the certificates that a key at hand certified from a crowd that only carries the archive's name: anybody can
 * make as many of those as he likes, and there is room for some only.
 */
import type { RawCertificate } from "../openpgp/certificate.ts";
import { KeyIndex, loadCertificate } from "../openpgp/key-index.ts";
import { keyIdOf } from "../openpgp/key-packet.ts";
import { collect } from "../openpgp/merge.ts";
import { parseSignature } from "../openpgp/raw-signature.ts";
import { readFacts } from "../openpgp/read-facts.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";

/**
 * Whom these keys lead to by certifications that they made, whether those hold or not, and whoever revoked one of them.
 * @param facts of all certificates at hand
 */
export function linkedTo(own: Iterable<Fingerprint>, facts: readonly CertificateFacts[]): Set<Fingerprint> {
  const subjects = new Map<Fingerprint, Fingerprint[]>();
  for (const { primary, userIds } of facts) {
    const issuers = new Set(userIds.flatMap((userId) => userId.certifications.map(({ certificate }) => certificate)));
    for (const issuer of issuers) push(subjects, issuer, primary.fingerprint);
  }
  const found = new Set(own);
  // What is added on the way is visited too.
  for (const key of found) for (const subject of subjects.get(key) ?? []) found.add(subject);
  const linked = facts.filter(({ primary }) => found.has(primary.fingerprint));
  for (const { revocations } of linked) for (const { certificate } of revocations) found.add(certificate);
  return found;
}

/** Those of a crowd that these certificates certified, and whom those certified in their turn. */
export async function linkedAmong(
  crowd: readonly RawCertificate[],
  issuers: readonly RawCertificate[],
): Promise<RawCertificate[]> {
  const byName = new Map<string, RawCertificate[]>();
  for (const certificate of collect(crowd).values()) {
    for (const name of namedIssuers(certificate)) push(byName, name, certificate);
  }
  const found = new Set<RawCertificate>();
  const queue = [...issuers];
  for (const issuer of queue) {
    const keys = await KeyIndex.of([issuer]);
    const claiming = [issuer.fingerprint, keyIdOf(issuer.fingerprint)].flatMap((name) => byName.get(name) ?? []);
    for (const certificate of claiming) {
      if (found.has(certificate) || !(await isCertifiedBy(keys, certificate))) continue;
      found.add(certificate);
      queue.push(certificate);
    }
  }
  return [...found];
}

/** Fingerprints or key IDs of those whom signatures over user IDs name as their makers. */
function namedIssuers({ userIds }: RawCertificate): Set<string> {
  const names = new Set<string>();
  for (const { body } of userIds.flatMap(({ signatures }) => signatures)) {
    const raw = parseSignature(body);
    const name = typeof raw === "string" ? undefined : (raw.issuer.fingerprint ?? raw.issuer.keyId);
    if (name !== undefined) names.add(name);
  }
  return names;
}

async function isCertifiedBy(keys: KeyIndex, certificate: RawCertificate): Promise<boolean> {
  const loaded = await loadCertificate(certificate);
  if (loaded === undefined) return false;
  return (await readFacts(loaded, keys)).userIds.some(({ certifications }) => certifications.length > 0);
}

function push<Value>(map: Map<string, Value[]>, name: string, value: Value): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [value]);
  else list.push(value);
}
