/** The second judge: late extensions (T7). */

import type { Instant } from "../../src/time.ts";
import type { CertificateFacts } from "../../src/trust/facts.ts";
import type { JudgeInput } from "../../src/trust/judge-input.ts";
import { ancestorsOf, pairs, presentIn, reach } from "./reach.ts";
import { isLive, oldEnds } from "./statements.ts";
import { holds, wasMade } from "./transitions.ts";

/** Whether a successor of the key is known if it ended at the old end and all other keys as they say themselves. */
function hasSuccessor(certificate: CertificateFacts, endedAt: Instant, input: JudgeInput): boolean {
  const { fingerprint } = certificate.primary;
  const present = presentIn(input.certificates.map((one) => (one === certificate ? { ...one, endedAt } : one)));
  const keys = [...present.keys()];
  const seeds = input.seeds.filter((seed) => present.has(seed));
  const made = pairs(present, input, wasMade);
  if (!reach(seeds, made, keys).has(fingerprint)) return false;
  const held = pairs(present, input, holds);
  const ancestors = ancestorsOf(fingerprint, seeds, held, [...reach(seeds, held, keys)]);
  return [...reach([fingerprint], made, keys)].some((key) => {
    const successor = present.get(key);
    return key !== fingerprint && !ancestors.has(key) && successor !== undefined && isLive(successor, input.at);
  });
}

/** All certificates, those whose old end stays with it. */
export function settled(input: JudgeInput): CertificateFacts[] {
  return input.certificates.map((certificate) => {
    const ends = oldEnds(certificate, input.at, input.ends?.get(certificate.primary.fingerprint));
    const endedAt = ends.find((end) => hasSuccessor(certificate, end, input));
    return endedAt === undefined ? certificate : { ...certificate, endedAt };
  });
}
