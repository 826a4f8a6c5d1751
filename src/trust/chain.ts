/** The chain as a graph: the valid links, the keys that the seeds reach over valid links, the forks, and the accepted keys. */
import { grouped } from "../grouped.ts";
import type { Instant } from "../time.ts";
import { reachedWithout } from "./dominators.ts";
import { type IsSucceeded, withoutLateExtensions } from "./extension.ts";
import type { CertificateFacts, Fingerprint } from "./facts.ts";
import { barredFor, beyondFork, type Fork, findForks, findVictims } from "./fork.ts";
import { type Graph, makeGraph, paths, reach, reverse } from "./graph.ts";
import type { JudgeInput } from "./judge-input.ts";
import { endOfLife, isHardRevoked, refuseLife } from "./key-state.ts";
import { Path } from "./path.ts";
import { type Link, linksInto } from "./transition.ts";

/** The chain that one set of facts gives, before forks and missing revocation checks are considered. */
export interface Chain {
  readonly byFingerprint: ReadonlyMap<Fingerprint, CertificateFacts>;
  readonly links: readonly Link[];
  /**
   * The links that are valid, or would be valid without the dates of algorithms (T14), among the keys that the seeds reach. feedkey
   * searches this graph for forks (T6).
   */
  readonly graph: Graph;
  /** The links of `graph` whose algorithms are not refused (T14) either; feedkey accepts keys only over these links. */
  readonly firm: Graph;
  /**
   * The wide graph (T6): the links of `graph`, and the links that would be valid if their issuer had not withdrawn them, been retired, or
   * shortened its own expiry since.
   */
  readonly wide: Graph;
  readonly seeds: ReadonlySet<Fingerprint>;
  /** The keys to which the seeds lead over the firm graph. */
  readonly reached: ReadonlySet<Fingerprint>;
  /** Keys that are neither expired nor revoked nor weak. */
  readonly live: ReadonlySet<Fingerprint>;
}

/** Reads the chain from the judge's input. Late extensions (T7) do not change which links are valid, only which keys are live. */
export function readChain(input: JudgeInput): Chain {
  const { at, identity, retiredIssuers, accepted, certificates } = input;
  const asTheySay = new Map(certificates.map((facts) => [facts.primary.fingerprint, facts]));
  const policy = { identity, at, retiredIssuers, accepted };
  const links = certificates.flatMap((subject) => linksInto(subject, asTheySay, policy));
  const gone = new Set(
    certificates.filter(({ revocations }) => isHardRevoked(revocations)).map((f) => f.primary.fingerprint),
  );
  for (const key of input.aside ?? []) gone.add(key);
  const seeds = new Set(input.seeds.filter((seed) => asTheySay.has(seed) && !gone.has(seed)));
  // Only links between keys that the seeds reach count: foreign keys that certify each other do not matter.
  const within = (some: readonly Link[]) => {
    const standing = some.filter(({ issuer, subject }) => !gone.has(subject) && !gone.has(issuer));
    const reached = reach(makeGraph(standing), seeds);
    return { reached, graph: makeGraph(standing.filter(({ issuer }) => reached.has(issuer))) };
  };
  const { graph } = within(links.filter(({ stands }) => stands));
  const { reached, graph: firm } = within(links.filter(({ refusal }) => refusal === undefined));
  const wide = within(links.filter(({ weighs }) => weighs)).graph;
  const isSucceeded = () => succession(links, graph, wide, seeds, gone, input.crowded);
  const believed = withoutLateExtensions(certificates, input.ends ?? new Map(), at, isSucceeded);
  const byFingerprint = new Map(believed.map((facts) => [facts.primary.fingerprint, facts]));
  const live = new Set<Fingerprint>();
  for (const [key, facts] of byFingerprint) {
    if (!gone.has(key) && refuseLife(facts, at) === undefined) live.add(key);
  }
  return { byFingerprint, links, graph, firm, wide, seeds, reached, live };
}

/** T7: returns a function that searches the wide graph for live successors of a key, but not through the key itself or its ancestors. */
function succession(
  links: readonly Link[],
  graph: Graph,
  wide: Graph,
  seeds: ReadonlySet<Fingerprint>,
  gone: ReadonlySet<Fingerprint>,
  crowded: JudgeInput["crowded"],
): IsSucceeded {
  const isReachedWithout = reachedWithout(graph, seeds);
  const reversed = reverse(graph);
  const weighing = links.filter((link) => link.weighs && !gone.has(link.subject));
  const since = grouped(weighing, (link) => link.issuer);
  const ancestors = new Map<Fingerprint, ReadonlySet<Fingerprint>>();
  return (key, before, isLive) => {
    // This key made so many certifications that feedkey did not examine all its successors. One of the others may be live.
    if (crowded?.has(key) === true) return true;
    const barred =
      ancestors.get(key) ?? new Set([key, ...[...reach(reversed, [key])].filter((one) => isReachedWithout(one, key))]);
    ancestors.set(key, barred);
    const early = (since.get(key) ?? []).filter(({ weighsSince }) => weighsSince < before);
    const led = reach(
      wide,
      early.map(({ subject }) => subject),
      barred,
    );
    return [...led].some((other) => isLive(other) && !gone.has(other));
  };
}

/** T6: the keys in the ledger that were live in a run that accepted them. */
function acceptedLive({ accepted, neverLive }: JudgeInput): Set<Fingerprint> {
  return new Set([...accepted].filter((key) => neverLive?.has(key) !== true));
}

/** Whether a key is not live only because it has expired: it is neither revoked nor weak. */
function hasExpiredOnly(facts: CertificateFacts | undefined, at: Instant): boolean {
  if (facts === undefined || refuseLife(facts, at)?.code !== "expired") return false;
  const end = endOfLife(facts, at);
  return end !== undefined && end <= at;
}

/** All forks, and the victims of all forks together (T6). */
interface Forks {
  readonly forks: readonly Fork[];
  readonly victims: ReadonlySet<Fingerprint>;
}

/** Finds the forks of a chain and their victims. */
export function forksOf(chain: Chain, input: JudgeInput): Forks {
  const { graph, firm, wide, seeds, live, byFingerprint, links } = chain;
  const acknowledging = links.filter((link) => link.acknowledges);
  const acknowledged = new Map(
    [...grouped(acknowledging, (link) => link.issuer)].map(([issuer, its]) => [
      issuer,
      new Set(its.map((link) => link.subject)),
    ]),
  );
  const accepted = acceptedLive(input);
  const forks = findForks({
    graph,
    wide,
    seeds,
    live,
    remembered: new Set([...accepted].filter((key) => hasExpiredOnly(byFingerprint.get(key), input.at))),
    acknowledges: (issuer, subject) => acknowledged.get(issuer)?.has(subject) === true,
    isCrowded: (issuer) => input.crowded?.has(issuer) === true,
    isReachedWithout: reachedWithout(graph, seeds),
  });
  // A path over a link whose algorithm is refused (T14) does not make a rival acceptable.
  return { forks, victims: findVictims(forks, reachedWithout(firm, seeds), accepted) };
}

/**
 * The number of links that the search for keys beyond forks may follow. No real archive comes near this number. The search stops at this
 * number, so that a thief who makes many forks can't take unlimited time.
 */
const maxSteps = 20_000_000;

/**
 * Finds the accepted keys and their paths over the firm graph. First it finds the keys that the seeds reach without victims and unchecked
 * keys. Then it adds the keys beyond the forks of accepted issuers, until it finds no more keys.
 */
export function acceptKeys(
  { graph, firm, seeds }: Chain,
  { forks, victims }: Forks,
  input: JudgeInput,
  unchecked: ReadonlySet<Fingerprint>,
): Map<Fingerprint, Path> {
  const kept = acceptedLive(input);
  const rivals = new Set(forks.flatMap((fork) => fork.rivals).filter((rival) => !kept.has(rival)));
  const barred = new Set([...victims, ...unchecked]);
  const found = new Map<Fingerprint, Path>();
  const extend = (starts: Iterable<Fingerprint>) => {
    for (const [key, from] of paths(firm, starts, barred)) {
      if (!found.has(key)) found.set(key, from === undefined ? new Path() : new Path(found.get(from), [from]));
    }
  };
  extend(seeds);
  const waiting = new Set(forks);
  const size = [...graph.values()].reduce((sum, subjects) => sum + subjects.length, victims.size);
  let steps = 0;
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const fork of waiting) {
      const path = found.get(fork.issuer);
      if (path === undefined) continue;
      // The keys beyond a fork do not change, so one search is enough.
      waiting.delete(fork);
      steps += size * fork.sides.length;
      if (steps > maxSteps) continue;
      // The path may use any side to which a valid link from the issuer still leads.
      const side = fork.sides.find(({ key }) => firm.get(fork.issuer)?.includes(key) === true);
      if (side === undefined) continue;
      const ways = paths(firm, [side.key], barredFor(side, victims, unchecked));
      for (const key of [...beyondFork(fork, firm, victims, unchecked, rivals)].sort()) {
        if (found.has(key)) continue;
        const way: Fingerprint[] = [];
        for (let at = ways.get(key); at !== undefined; at = ways.get(at)) way.unshift(at);
        found.set(key, new Path(path, [fork.issuer, ...way]));
        extend([key]);
      }
    }
  }
  return found;
}
