/** Many clients that update four times a day, each at its own times, behind a cache in each of many places. Nothing is left to chance. */

export interface Cost {
  readonly requests: number;
  readonly bytes: number;
}

export interface World {
  readonly clients: number;
  /** `revocation-check` in days; 0 is always. */
  readonly checkDays: number;
  /** Of one check at one key server. */
  readonly check: Cost;
  /** At the archive, where the index has changed, as measured with a small one, and where not. */
  readonly changed: Cost;
  readonly unchanged: Cost;
  /** Bytes of an index, added to each change. */
  readonly index: number;
}

export interface Day {
  readonly keyserver: Cost;
  /** Requests to one key server in the busiest minute. */
  readonly busiest: number;
  /** What clients ask of the caches. */
  readonly edges: Cost;
  /** What the caches ask of the archive. */
  readonly origin: Cost;
}

const days = 14;
const dayLength = 1440;
/** Of each client; the archive publishes once a day. */
const updatesADay = 4;
const places = 50;
/** How long a cache answers by itself, in minutes. */
const kept = 10;

/** Mulberry32: small, seeded, the same everywhere. @returns numbers from 0 to 1 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Means over two weeks, the first days left out: then every client has been here before. */
export function perDay({ clients, checkDays, check, changed, unchanged, index }: World): Day {
  const random = seeded(20_261_130);
  const from = 7 * dayLength;
  const until = (7 + days) * dayLength;
  const minutes = new Uint32Array(until);
  const windows = new Uint8Array(places * Math.ceil(until / kept));
  let [checks, fresh, old] = [0, 0, 0];
  for (let client = 0; client < clients; client++) {
    const place = Math.floor(random() * places);
    const start = random() * (dayLength / updatesADay);
    let [checkedAt, seen] = [-Infinity, -1];
    for (let update = 0; ; update++) {
      // A timer with a random delay of an hour.
      const at = Math.floor(start + (update * dayLength) / updatesADay + random() * 60);
      if (at >= until) break;
      const isDue = at - checkedAt > checkDays * dayLength || checkDays === 0;
      if (isDue) checkedAt = at;
      const edition = Math.floor(at / dayLength);
      if (at >= from) {
        if (isDue) minutes[at] = (minutes[at] ?? 0) + check.requests;
        if (isDue) checks += 1;
        if (edition === seen) old += 1;
        else fresh += 1;
        windows[place * Math.ceil(until / kept) + Math.floor(at / kept)] = 1;
      }
      seen = edition;
    }
  }
  // A cache asks again once its copy is older than it may be: for the whole of a new edition, else whether there is one.
  let [whole, again] = [0, 0];
  for (let place = 0; place < places; place++) {
    let seen = -1;
    for (let window = Math.floor(from / kept); window * kept < until; window++) {
      if (windows[place * Math.ceil(until / kept) + window] !== 1) continue;
      const edition = Math.floor((window * kept) / dayLength);
      if (edition === seen) again += 1;
      else whole += 1;
      seen = edition;
    }
  }
  const sum = (news: number, others: number): Cost => ({
    requests: (news * changed.requests + others * unchanged.requests) / days,
    bytes: (news * (changed.bytes + index) + others * unchanged.bytes) / days,
  });
  return {
    keyserver: { requests: (checks * check.requests) / days, bytes: (checks * check.bytes) / days },
    busiest: minutes.subarray(from).reduce((most, one) => Math.max(most, one), 0),
    edges: sum(fresh, old),
    origin: sum(whole, again),
  };
}
