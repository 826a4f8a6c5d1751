/** The second judge's one tool: what leads where, by plain fixpoints. */
import type { CertificateFacts, Fingerprint } from "../../src/trust/facts.ts";
import type { JudgeInput } from "../../src/trust/judge-input.ts";
import { isHardRevoked } from "./statements.ts";

export type Key = Fingerprint;
export type Leads = (from: Key, to: Key) => boolean;
type Test = (issuer: CertificateFacts, subject: CertificateFacts, input: JudgeInput) => boolean;

/** T3c, T4: a key that is hard-revoked is out of everything. */
export function presentIn(certificates: readonly CertificateFacts[]): Map<Key, CertificateFacts> {
  const present = certificates.filter((certificate) => !isHardRevoked(certificate));
  return new Map(present.map((certificate) => [certificate.primary.fingerprint, certificate]));
}

/** Between which keys something is true. */
export function pairs(certificates: ReadonlyMap<Key, CertificateFacts>, input: JudgeInput, test: Test): Leads {
  const found = new Map<Key, Set<Key>>();
  for (const [a, issuer] of certificates) {
    const subjects = [...certificates].filter(([, subject]) => test(issuer, subject, input));
    found.set(a, new Set(subjects.map(([b]) => b)));
  }
  return (a, b) => found.get(a)?.has(b) === true;
}

/** Everything that the starts lead to, themselves included, over keys that pass. */
export function reach(
  starts: Iterable<Key>,
  leads: Leads,
  all: readonly Key[],
  passes: (key: Key) => boolean = () => true,
): Set<Key> {
  const reached = new Set([...starts].filter(passes));
  // A set that grows while it is walked is walked to its end.
  for (const from of reached) for (const to of all) if (leads(from, to) && passes(to)) reached.add(to);
  return reached;
}

/** T6: keys that lead to the issuer, and that the seeds reach without it. */
export function ancestorsOf(issuer: Key, seeds: readonly Key[], leads: Leads, graph: readonly Key[]): Set<Key> {
  const without = reach(seeds, leads, graph, (key) => key !== issuer);
  return new Set([...without].filter((key) => reach([key], leads, graph).has(issuer)));
}
