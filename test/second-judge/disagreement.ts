/** Where two judges of one graph differ, in words; the empty list where they agree. */
import { allows } from "../../src/trust/delegation.ts";
import type { Fingerprint } from "../../src/trust/facts.ts";
import type { JudgeInput, TrustSet } from "../../src/trust/judge.ts";
import { type SecondOpinion, secondJudge } from "./second-judge.ts";

export type Judge = (input: JudgeInput) => TrustSet;

/** A path is right if it starts at a seed that is trusted and goes over transitions that hold and keys that were checked. */
function pathFaults(input: JudgeInput, { trusted }: TrustSet, second: SecondOpinion): string[] {
  return [...trusted].flatMap(([key, { role, via }]) => {
    const isSeed = input.seeds.includes(key);
    if (role !== (isSeed ? "seed" : "successor")) return [`${key}: role ${role}`];
    if (isSeed) return via.length === 0 ? [] : [`${key}: a seed over ${via.join(", ")}`];
    const [first] = via;
    const path = [...via, key];
    const faults: string[] = [];
    if (first === undefined || !input.seeds.includes(first)) faults.push(`${key}: its path starts at no seed`);
    if (new Set(path).size < path.length) faults.push(`${key}: its path goes in a circle`);
    path.slice(1).forEach((to, nth) => {
      const from = path[nth] ?? "";
      if (!second.holds(from, to)) faults.push(`${key}: on its path no transition from ${from} to ${to} holds`);
    });
    faults.push(
      ...via.filter((on) => input.unchecked.has(on)).map((on) => `${key}: its path goes over the unchecked ${on}`),
    );
    // T6: a fork's rival may stand on the way to what every side leads to, but only right after a trusted key or another
    // rival of its own side.
    via.forEach((on, nth) => {
      const before = via[nth - 1] ?? "";
      if (!second.victims.has(on)) return;
      const isOfOneSide = second.forks.some(({ sides }) => {
        return sides.some(({ heads }) => heads.has(before) && heads.has(on));
      });
      if (!second.trusted.has(before) && !isOfOneSide)
        faults.push(`${key}: its path reaches the rival ${on} from the untrusted ${before}`);
    });
    return faults;
  });
}

const allCheckedOf = new WeakMap<SecondOpinion, SecondOpinion>();

/** The second opinion as if every key had been checked (T11): made once for each, since either order of the keys asks for it. */
function allChecked(input: JudgeInput, second: SecondOpinion): SecondOpinion {
  if (input.unchecked.size === 0) return second;
  const found = allCheckedOf.get(second) ?? secondJudge({ ...input, unchecked: new Set() });
  allCheckedOf.set(second, found);
  return found;
}

/** The code that a refused key must have, where the reason is its own hard revocation, a missing check or a fork. */
function codeFaults(input: JudgeInput, { rejected }: TrustSet, second: SecondOpinion): string[] {
  const wantedCode = (key: Fingerprint, code: string) => {
    if (!second.present.has(key)) return "revoked";
    if (!second.reached.has(key)) return code;
    // A missing check is the obstacle if all would be well with it.
    return allChecked(input, second).trusted.has(key) ? "unchecked_revocation" : "fork";
  };
  return [...rejected]
    .filter(([key, { code }]) => wantedCode(key, code) !== code)
    .map(([key, { code }]) => `${key}: refused as ${code}, not as ${wantedCode(key, code)}`);
}

function spelled(forks: readonly { readonly issuer: Fingerprint; readonly rivals: Iterable<Fingerprint> }[]): string[] {
  return forks.map(({ issuer, rivals }) => `${issuer} forks into ${[...rivals].sort().join(", ")}`).sort();
}

/** All differences between a judge's answer and the second one's. */
export function disagreement(input: JudgeInput, judge: Judge, second: SecondOpinion): string[] {
  const first = judge(input);
  const all = input.certificates.map(({ primary }) => primary.fingerprint);
  const mine = spelled(second.forks);
  const theirs = spelled(first.forks);
  return [
    ...all.filter((key) => first.trusted.has(key) && !second.trusted.has(key)).map((key) => `${key}: wrongly trusted`),
    ...all.filter((key) => !first.trusted.has(key) && second.trusted.has(key)).map((key) => `${key}: wrongly refused`),
    ...all
      .filter((key) => first.trusted.has(key) === first.rejected.has(key))
      .map((key) => `${key}: on both sides or none`),
    ...[...first.trusted.keys()].filter((key) => !all.includes(key)).map((key) => `${key}: out of the blue`),
    ...theirs.filter((fork) => !mine.includes(fork)).map((fork) => `${fork}: no such fork`),
    ...mine.filter((fork) => !theirs.includes(fork)).map((fork) => `${fork}: not found`),
    ...pathFaults(input, first, second),
    ...codeFaults(input, first, second),
  ];
}

/**
 * Where a judge's delegates are not the second one's, in words.
 * @param second for each delegate the feeds, of those named, that it may sign
 */
export function delegateFaults(
  input: JudgeInput,
  judge: Judge,
  second: ReadonlyMap<Fingerprint, ReadonlySet<string>>,
  feeds: readonly string[],
): string[] {
  const { trusted } = judge(input);
  return input.certificates.flatMap(({ primary: { fingerprint } }) => {
    const found = trusted.get(fingerprint);
    const delegate = found?.role === "delegate" ? found : undefined;
    const mine = second.get(fingerprint);
    if ((mine === undefined) !== (delegate === undefined)) {
      return [`${fingerprint}: wrongly ${mine === undefined ? "made a" : "refused as"} delegate`];
    }
    const theirs = feeds.filter((feed) => delegate?.grants.some((grant) => allows(grant, feed)));
    const differing = feeds.filter((feed) => theirs.includes(feed) !== (mine?.has(feed) === true));
    return differing.length === 0 ? [] : [`${fingerprint}: judged otherwise for feed ${differing.join(", ")}`];
  });
}
