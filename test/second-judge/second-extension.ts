/** The second judge: late extensions (T7). */

import type { Instant } from "../../src/time.ts";
import type { CertificateFacts } from "../../src/trust/facts.ts";
import type { JudgeInput } from "../../src/trust/judge-input.ts";
import { ancestorsOf, type Key, pairs, presentIn, reach } from "./reach.ts";
import { isLive, oldEnds } from "./statements.ts";
import { holds, wasMade, wasMadeBefore } from "./transitions.ts";

/** Whether a live key is known to which what the key certified before an end leads; all keys live as they say themselves. */
function makeHasSuccessor(input: JudgeInput): (certificate: CertificateFacts, end: Instant) => boolean {
  const present = presentIn(input.certificates);
  const keys = [...present.keys()];
  const seeds = input.seeds.filter((seed) => present.has(seed));
  const made = pairs(present, input, wasMade);
  const widelyReached = [...reach(seeds, made, keys)];
  const held = pairs(present, input, holds);
  const reached = [...reach(seeds, held, keys)];
  const live = (key: Key) => {
    const certificate = present.get(key);
    return certificate !== undefined && isLive(certificate, input.at);
  };
  return (certificate, end) => {
    const { fingerprint } = certificate.primary;
    // Its successors are not all looked at.
    if (input.crowded?.has(fingerprint) === true) return true;
    if (!widelyReached.includes(fingerprint)) return false;
    const ancestors = ancestorsOf(fingerprint, seeds, held, reached);
    const mayBeOnTheWay = (key: Key) => key !== fingerprint && !ancestors.has(key);
    const isEarly = wasMadeBefore(end);
    const first = [...present].filter(([, subject]) => isEarly(certificate, subject, input)).map(([key]) => key);
    return [...reach(first, made, widelyReached, mayBeOnTheWay)].some(live);
  };
}

/** All certificates, those whose old end stays with it. */
export function settled(input: JudgeInput): CertificateFacts[] {
  let hasSuccessor: ReturnType<typeof makeHasSuccessor> | undefined;
  return input.certificates.map((certificate) => {
    const ends = oldEnds(certificate, input.at, input.ends?.get(certificate.primary.fingerprint));
    if (ends.length === 0) return certificate;
    hasSuccessor ??= makeHasSuccessor(input);
    const has = hasSuccessor;
    const endedAt = ends.find((end) => has(certificate, end));
    return endedAt === undefined ? certificate : { ...certificate, endedAt };
  });
}
