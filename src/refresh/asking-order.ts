/** T11: the order in which feedkey asks key servers about keys. The most important keys come first, in case the time runs out. */
import type { Fingerprint } from "../trust/facts.ts";
import type { TrustSet } from "../trust/judge.ts";
import type { Session } from "./session.ts";

/** Returns a signer and the keys on its path: the signer first, the seed last. */
export function pathOf(key: Fingerprint, { trusted }: TrustSet): Fingerprint[] {
  return [key, ...[...(trusted.get(key)?.via ?? [])].reverse()];
}

/**
 * Puts keys in order: first the signers of the last accepted indexes, each with its path; then the other keys of the chain that this client
 * knows, those accepted first before others; then keys of the chain that are new to this client, those nearest to the seeds first;
 * delegates last. So the many keys that a thief can make come after all keys of the chain that existed before the theft.
 * @param trust the judgement under the assumption that all keys were checked
 */
export async function inAskingOrder(
  session: Session,
  trust: TrustSet,
  keys: readonly Fingerprint[],
): Promise<Fingerprint[]> {
  const nearest = (await session.state.signers()).flatMap((signer) => pathOf(signer, trust));
  const places = new Map([...new Set(nearest)].map((key, place) => [key, place]));
  const { known } = session;
  const rank = (key: Fingerprint): readonly [group: number, place: number] => {
    const place = places.get(key);
    if (place !== undefined) return [0, place];
    const found = trust.trusted.get(key);
    const length = found?.via.length ?? 0;
    const record = known.get(key);
    if (found?.role === "delegate") return [record === undefined ? 4 : 3, record?.acceptedAt ?? length];
    return record === undefined ? [2, length] : [1, record.acceptedAt];
  };
  const ranked = keys.map((key) => ({ key, rank: rank(key) }));
  return ranked.sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1]).map(({ key }) => key);
}
