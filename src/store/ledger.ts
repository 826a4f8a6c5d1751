import { type Instant, iso } from "../time.ts";
import { sha256 } from "./state-file.ts";
import { StateReader } from "./state-reader.ts";

/** When and how a key was first accepted (T5), and what later runs recorded about it. */
export interface KeyRecord {
  readonly acceptedAt: Instant;
  readonly role: "seed" | "successor" | "delegate";
  /**
   * The fingerprint of the key that certified this key; undefined for a seed. The ledger stores only this key instead of the whole path, to
   * save space.
   */
  readonly from: string | undefined;
  /** T6: whether the key was live in a run that accepted it. */
  readonly wasLive: boolean;
  /** T7: when the key expires, as last known; undefined if the key never expires. */
  readonly end: Instant | undefined;
  /** T7: expiry dates that passed while this client knew them. They stay here, whatever the client learns later. */
  readonly passed: readonly Instant[];
}

/** The last good check of a key for revocations (T11). */
interface CheckRecord {
  readonly lastGoodAt: Instant;
  readonly outcome: "found" | "absent";
  /** Whether a key server ever had the key. If so, feedkey warns when the key servers no longer have it. */
  readonly everFound: boolean;
}

/** The date of the last accepted index of a feed. feedkey accepts no index that is older (T9). */
export interface FeedRecord {
  readonly createdAt: Instant;
  readonly sha256: string;
}

/** The digest of a stored certificate's file, so that feedkey notices damage and loss: the certificate may contain a revocation. */
export interface CertificateRecord {
  readonly sha256: string;
  /** Set while the file is being replaced: the digest of the old file, which may still be on the disk; null if no old file exists. */
  readonly previous?: string | null;
}

/** What the client learned about keys. The keys of the maps are fingerprints. */
export interface Ledger {
  readonly keys: ReadonlyMap<string, KeyRecord>;
  readonly checks: ReadonlyMap<string, CheckRecord>;
}

/** The whole content of `ledger.json`, including the digests of the files beside it. `feeds` has an entry for each feed's name. */
export interface LedgerFile extends Ledger {
  /** The fingerprints of the profile's seeds at the last write; undefined in ledgers from older releases. */
  readonly seeds?: readonly string[];
  readonly feeds: ReadonlyMap<string, FeedRecord>;
  readonly certificates: ReadonlyMap<string, CertificateRecord>;
  /** The record of the file of revocations (T4); undefined if the client knows none. */
  readonly revocations?: CertificateRecord;
}

export const emptyLedger: LedgerFile = {
  keys: new Map(),
  checks: new Map(),
  feeds: new Map(),
  certificates: new Map(),
};

const version = 1;
const fields = ["profile", "keys", "checks", "feeds", "certificates", "revocations?", "seeds?", "digest?"] as const;

let last: { readonly path: string; readonly profile: string; readonly bytes: Uint8Array; readonly ledger: LedgerFile };

/**
 * Reads `ledger.json`. A run reads the ledger several times: to find the profile's folder, to open the state, and before each write. So the
 * same bytes are parsed only once.
 * @param path the file's path, for messages
 * @param profile the name of the profile to which the ledger must belong
 * @throws FeedkeyError `bad_state` if the ledger is damaged, newer than this program, or another profile's
 */
export function parseLedger(bytes: Uint8Array, path: string, profile: string): LedgerFile {
  const isLast = last?.path === path && last.profile === profile && Buffer.compare(last.bytes, bytes) === 0;
  if (!isLast) last = { path, profile, bytes, ledger: parse(bytes, path, profile) };
  return last.ledger;
}

function parse(bytes: Uint8Array, path: string, profile: string): LedgerFile {
  const read = new StateReader(path);
  const file = read.document(bytes, version, [...fields]);
  if (file.get("profile") !== profile) throw read.damage("profile", `expected "${profile}"`);
  const seeds = file.get("seeds");
  const ledger: LedgerFile = {
    ...(seeds === undefined ? {} : { seeds: read.list(seeds, "seeds", (one) => read.fingerprint(one, "seeds")) }),
    keys: read.mapOf(file.get("keys"), "keys", (fingerprint, value) => {
      const where = `keys of ${read.fingerprint(fingerprint, "keys")}`;
      const key = read.object(value, where, ["acceptedAt", "role", "from?", "path?", "wasLive?", "end?", "passed?"]);
      return {
        acceptedAt: read.instant(key.get("acceptedAt"), where),
        role: read.oneOf(key.get("role"), where, ["seed", "successor", "delegate"]),
        from: readPredecessor(read, key, where),
        wasLive: !key.has("wasLive") || read.flag(key.get("wasLive"), where),
        end: key.has("end") ? read.instant(key.get("end"), where) : undefined,
        passed: key.has("passed") ? read.list(key.get("passed"), where, (one) => read.instant(one, where)) : [],
      };
    }),
    checks: read.mapOf(file.get("checks"), "checks", (fingerprint, value) => {
      const where = `checks of ${read.fingerprint(fingerprint, "checks")}`;
      const check = read.object(value, where, ["lastGoodAt", "outcome", "everFound"]);
      return {
        lastGoodAt: read.instant(check.get("lastGoodAt"), where),
        outcome: read.oneOf(check.get("outcome"), where, ["found", "absent"]),
        everFound: read.flag(check.get("everFound"), where),
      };
    }),
    feeds: read.mapOf(file.get("feeds"), "feeds", (name, value) => {
      const where = `feed "${name}"`;
      const feed = read.object(value, where, ["createdAt", "sha256"]);
      return {
        createdAt: read.instant(feed.get("createdAt"), where),
        sha256: read.digest(feed.get("sha256"), where),
      };
    }),
    certificates: read.mapOf(file.get("certificates"), "certificates", (fingerprint, value) => {
      return readCertificateRecord(read, value, `certificate ${read.fingerprint(fingerprint, "certificates")}`);
    }),
    ...(file.has("revocations")
      ? { revocations: readCertificateRecord(read, file.get("revocations"), "revocations") }
      : {}),
  };
  // The digest is checked last, because the errors before are more specific.
  if (file.has("digest") && file.get("digest") !== sha256(JSON.stringify(documentOf(ledger, profile)))) {
    throw read.damage("digest", "does not match the contents of the file");
  }
  return ledger;
}

/**
 * Returns the fingerprint of the key that certified a key. Ledgers from older releases have the whole path from the seed to the key itself.
 */
function readPredecessor(read: StateReader, key: ReadonlyMap<string, unknown>, where: string): string | undefined {
  if (key.has("from") && key.has("path")) throw read.damage(where, "two predecessors");
  if (key.has("path")) return read.list(key.get("path"), where, (one) => read.fingerprint(one, where)).at(-2);
  return key.has("from") ? read.fingerprint(key.get("from"), where) : undefined;
}

function readCertificateRecord(read: StateReader, value: unknown, where: string): CertificateRecord {
  const record = read.object(value, where, ["sha256", "previous?"]);
  const previous = record.get("previous");
  return {
    sha256: read.digest(record.get("sha256"), where),
    ...(previous === undefined ? {} : { previous: previous === null ? null : read.digest(previous, where) }),
  };
}

/** Returns the text of `ledger.json`: sorted, with times to the second, and with a digest of the rest that reveals any change. */
export function serializeLedger(ledger: LedgerFile, profile: string): string {
  const document = documentOf(ledger, profile);
  return `${JSON.stringify({ ...document, digest: sha256(JSON.stringify(document)) }, null, 2)}\n`;
}

function documentOf(ledger: LedgerFile, profile: string): object {
  return {
    version,
    profile,
    seeds: ledger.seeds,
    keys: sorted(ledger.keys, ({ acceptedAt, role, from, wasLive, end, passed }) => {
      const ends = { end: end === undefined ? undefined : iso(end), passed: passed.map((one) => iso(one)) };
      return { acceptedAt: iso(acceptedAt), role, from, wasLive, ...ends };
    }),
    checks: sorted(ledger.checks, ({ lastGoodAt, outcome, everFound }) => {
      return { lastGoodAt: iso(lastGoodAt), outcome, everFound };
    }),
    feeds: sorted(ledger.feeds, ({ createdAt, sha256 }) => ({ createdAt: iso(createdAt), sha256 })),
    certificates: sorted(ledger.certificates, ({ sha256, previous }) => ({ sha256, previous })),
    revocations: ledger.revocations,
  };
}

function sorted<T>(map: ReadonlyMap<string, T>, write: (value: T) => unknown): Record<string, unknown> {
  // `fromEntries` defines own properties, so that even the name `__proto__` is an ordinary key.
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, write(value)]));
}
