/**
 * The second judge, part four: which feeds a delegate may sign ("Delegation"). Every path is walked to its end.
 */
import type { CertificateFacts, Fingerprint, SignatureFacts, UserIdFacts } from "../../src/trust/facts.ts";
import type { JudgeInput } from "../../src/trust/judge.ts";
import { settled } from "./second-extension.ts";
import { secondJudge } from "./second-judge.ts";
import { algorithmEnds, isHardRevoked, isLive, isOwned, skew } from "./statements.ts";
import { counts, delegates, names } from "./transitions.ts";

type Key = Fingerprint;

interface Terms {
  readonly depth: number;
  /** A feed must fit one glob of each list. */
  readonly scopes: readonly (readonly string[])[];
}

/** `depth=N; feeds=GLOB,GLOB`, in that one spelling. */
function readTerms({ notations, trust }: SignatureFacts): Terms | undefined {
  const values = notations.filter(({ name }) => name.startsWith("delegate@")).map(({ value }) => value);
  const [value = ""] = values;
  const [first = "", second = "", ...more] = value.split("; ");
  if (values.length !== 1 || more.length > 0) return undefined;
  const depth = ["0", "1", "2", "3", "4", "5", "6", "7", "8"].findIndex((digit) => first === `depth=${digit}`);
  if (depth < 0 || !second.startsWith("feeds=")) return undefined;
  const globs = second.slice("feeds=".length).split(",");
  if (globs.some((glob) => glob === "" || [...glob].some((letter) => !/[A-Za-z0-9._*?-]/.test(letter))))
    return undefined;
  const wanted = depth === 0 ? [0, 0] : [depth + 1, 120];
  return trust.level === wanted[0] && trust.amount === wanted[1] ? { depth, scopes: [globs] } : undefined;
}

interface Given {
  readonly certification: SignatureFacts;
  readonly userId: UserIdFacts;
}

/** What an issuer says last about a delegate, if all of it holds. */
function offered(issuer: CertificateFacts, subject: CertificateFacts, input: JudgeInput): Terms | undefined {
  const { at, identity } = input;
  // What it claims of itself, whether it counts or not.
  if (subject.userIds.some((userId) => userId.selfSignatures.length > 0 && names(userId, identity))) return undefined;
  const given: Given[] = subject.userIds.flatMap((userId) => {
    return userId.certifications
      .filter(delegates)
      .filter(({ key, createdAt }) => key === issuer.primary.fingerprint && (createdAt ?? at * 2) <= at + skew)
      .map((certification) => ({ certification, userId }));
  });
  const newest = Math.max(...given.map(({ certification }) => certification.createdAt ?? 0));
  const last = given.filter(({ certification }) => certification.createdAt === newest);
  const terms = last.map(({ certification, userId }) => {
    if (certification.expiresAt === undefined || !isOwned(userId, subject.primary, at)) return undefined;
    const strict = { ...input, retiredIssuers: "refuse", accepted: new Set<Key>() } as const;
    return counts(certification, userId, issuer, subject, strict, "strict") ? readTerms(certification) : undefined;
  });
  const good = terms.filter((one) => one !== undefined);
  if (good.length === 0 || good.length < terms.length) return undefined;
  return { depth: Math.min(...good.map(({ depth }) => depth)), scopes: good.flatMap(({ scopes }) => scopes) };
}

function fits(feed: string, globs: readonly string[]): boolean {
  return globs.some((glob) => {
    const pattern = [...glob].map((letter) => (letter === "*" ? ".*" : letter === "?" ? "." : `[${letter}]`)).join("");
    return new RegExp(`^${pattern}$`).test(feed);
  });
}

/** For each delegate the feeds, of those named, that it may sign over some path. A delegate of no feed is not in it. */
export function secondDelegates(input: JudgeInput, feeds: readonly string[]): Map<Key, Set<string>> {
  const certificates = new Map(settled(input).map((one) => [one.primary.fingerprint, one]));
  const { trusted } = secondJudge(input);
  const pairs = new Map<string, Terms | undefined>();
  for (const [a, issuer] of certificates) {
    for (const [b, subject] of certificates) if (a !== b) pairs.set(`${a} ${b}`, offered(issuer, subject, input));
  }
  const found = new Map<Key, Set<string>>();
  const walk = (path: readonly Key[], depth: number, scopes: readonly (readonly string[])[]): void => {
    const issuer = certificates.get(path.at(-1) ?? "");
    if (issuer === undefined || depth < 1 || !isLive(issuer, input.at)) return;
    if (input.at >= algorithmEnds(issuer.primary)) return;
    for (const [key, subject] of certificates) {
      if (path.includes(key) || trusted.has(key) || input.unchecked.has(key) || isHardRevoked(subject)) continue;
      const terms = pairs.get(`${path.at(-1)} ${key}`);
      if (terms === undefined) continue;
      const all = [...scopes, ...terms.scopes];
      const allowed = feeds.filter((feed) => all.every((globs) => fits(feed, globs)));
      found.set(key, new Set([...(found.get(key) ?? []), ...allowed]));
      walk([...path, key], Math.min(depth - 1, terms.depth), all);
    }
  };
  for (const root of trusted) walk([root], Number.POSITIVE_INFINITY, []);
  return found;
}
