/** One run of the client: profile, state, reference time, transport and reporter, opened together. */
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import type { Transport } from "../net/types.ts";
import { type Keyring, type RawCertificate, readKeyring } from "../openpgp/certificate/certificate.ts";
import type { Profile } from "../profile/types.ts";
import type { BundleCopy } from "../store/bundle-copies.ts";
import type { ClientState } from "../store/client-state.ts";
import { ClientStateView } from "../store/client-state-view.ts";
import type { KeyRecord } from "../store/ledger.ts";
import { SharedState } from "../store/shared-state.ts";
import { badState } from "../store/state-file.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { skew } from "../trust/policy.ts";
import { type CheckPolicy, type CheckState, checkState, needsCheck, uncheckedKeys } from "../trust/revocation-check.ts";
import { type Judged, Knowledge } from "./certificate-pool.ts";
import { endsIn } from "./ledger-dates.ts";
import { isDropped, recordRun } from "./record-run.ts";
import { readSeeds } from "./seeds.ts";

/** Takes warnings, notes and progress from the use cases and shows them. */
export interface Reporter {
  warn(text: string): void;
  /** Takes a detail that only `--verbose` shows. */
  note(text: string): void;
  /**
   * Starts a progress bar.
   * @param total the final value; undefined if it is not known yet
   */
  progress(label: string, total: number | undefined): { update(done: number, total?: number): void; stop(): void };
}

/** Shows the progress of an action. */
export async function withProgress<Result>(
  { options }: Pick<Session, "options">,
  label: string,
  total: number | undefined,
  action: (update: (done: number, total?: number) => void) => Promise<Result>,
): Promise<Result> {
  const bar = options.reporter.progress(label, total);
  try {
    return await action((done, whole) => bar.update(done, whole));
  } finally {
    bar.stop();
  }
}

interface SessionOptions {
  readonly profile: Profile;
  readonly stateFolder: string;
  /** The reference time, which replaces the clock everywhere. */
  readonly at: Instant;
  readonly offline: boolean;
  /** The transport to the archive. */
  readonly transport: Transport;
  /** The transport to the key servers, with their own certificate authorities. */
  readonly keyserverTransport: Transport;
  readonly reporter: Reporter;
  readonly resetState?: boolean;
  /** Whether this run is an audit, which reads the state and changes nothing. */
  readonly readOnly?: boolean;
  /** Whether this run will only verify signatures. Then, if the archive has many delegates, only those that signed are read. */
  readonly onlySigners?: boolean;
  /** Whether `refresh` has just asked the servers in the same job. Then its answers count as answers in this run. */
  readonly justRefreshed?: boolean;
}

/** The longest time between two steps in one job of a timer or a script. */
const sameJob: Duration = 15 * 60_000;

/** Refuses a profile that switches verification off. @throws FeedkeyError `bad_profile` */
export function refuseUnverified({ name, archive }: Profile): void {
  if (archive.verify === "required") return;
  throw new FeedkeyError("bad_profile", `profile "${name}" says "verify = off"`, {
    hint: "feedkey gives out only what it has verified: remove the line, or download without feedkey",
  });
}

export class Session {
  readonly options: SessionOptions;
  readonly knowledge: Knowledge;
  readonly state: SharedState | ClientStateView;
  /** The keys about which a key server gave a usable answer in this run: *found* or *absent*. */
  readonly answered = new Map<Fingerprint, "found" | "absent">();
  /** The keys about which feedkey should have asked in this run, but asked no server because the time was over. They get no grace. */
  readonly unasked = new Set<Fingerprint>();

  /** The bundles that were downloaded in this run, if their servers gave a validator. */
  readonly bundles: BundleCopy[] = [];

  /** The last judgement in this run; undefined before the first judgement. */
  #judged: Judged | undefined;
  /** The certificates in the profile's keyring. T7: `#shippedEnds` holds their expiry dates, according to their own self-signatures. */
  readonly #shipped: ReadonlyMap<Fingerprint, RawCertificate>;
  readonly #shippedEnds = new Map<Fingerprint, readonly Instant[]>();

  private constructor(
    options: SessionOptions,
    knowledge: Knowledge,
    state: SharedState | ClientStateView,
    shipped: ReadonlyMap<Fingerprint, RawCertificate>,
  ) {
    this.options = options;
    this.#shipped = shipped;
    this.knowledge = knowledge;
    this.state = state;
  }

  /**
   * Opens a run.
   * @throws FeedkeyError `bad_profile`, or `no_seed` if the profile lists no seed; `bad_state` if the state can't be read or is another
   * archive's; `locked` if another run holds the state
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { profile, stateFolder } = options;
    refuseUnverified(profile);
    const seeds = await readSeeds(profile);
    const { seeds: listed } = profile.trust;
    const state =
      options.readOnly === true
        ? await ClientStateView.openReadOnly(stateFolder, profile.name, listed)
        : await SharedState.open(stateFolder, profile.name, listed, options.resetState === true);
    const remembered = [{ certificates: [], loose: seeds.loose }, rememberedIn(state)];
    const knowledge = new Knowledge(profile, seeds.certificates.values(), storedIn(state), remembered);
    if (options.onlySigners === true) knowledge.readOnly(await state.signers());
    return new Session(options, knowledge, state, seeds.certificates);
  }

  /**
   * Opens a run for an action, and closes the run's files afterwards.
   * @throws FeedkeyError as {@link open} does, and every error of the action
   */
  static async during<Result>(options: SessionOptions, action: (session: Session) => Promise<Result>): Promise<Result> {
    const session = await Session.open(options);
    try {
      return await action(session);
    } finally {
      session.state.files.close();
    }
  }

  get profile(): Profile {
    return this.options.profile;
  }

  /** Whether the ledger has a key at the reference time, as in `known`. */
  knows(key: Fingerprint): boolean {
    const record = this.state.ledger.keys.get(key);
    return record !== undefined && record.acceptedAt <= this.options.at + skew;
  }

  /**
   * The keys in the ledger at the reference time, without keys that were accepted later. So a run with `--at` in the future, or with a
   * clock that was ahead, does not affect runs for earlier times.
   */
  get known(): ReadonlyMap<Fingerprint, KeyRecord> {
    return new Map([...this.state.ledger.keys].filter(([key]) => this.knows(key)));
  }

  /** The keys of the chain that this client accepted before (T5). A delegate is never a key of the chain. */
  get accepted(): ReadonlySet<Fingerprint> {
    return new Set([...this.known].filter(([, { role }]) => role !== "delegate").map(([key]) => key));
  }

  get checkPolicy(): CheckPolicy {
    const { keyservers, revocationCheck, grace } = this.profile.trust;
    const policy = { required: keyservers.length > 0, revocationCheck, grace, at: this.options.at };
    if (this.options.justRefreshed !== true) return policy;
    return { ...policy, revocationCheck: Math.max(sameJob, revocationCheck === "always" ? 0 : revocationCheck) };
  }

  /** T11: returns how well the revocation state of one key is known. */
  checkState(key: Fingerprint): CheckState {
    const { ledger } = this.state;
    const state = checkState(ledger.checks.get(key), this.answered.has(key), this.knows(key), this.checkPolicy);
    // Grace is for a key about which no server could answer, not for a key about which feedkey asked no server.
    return state === "grace" && this.unasked.has(key) ? "unchecked" : state;
  }

  /** Returns what else the ledger says about accepted keys: which were never live (T6), and their known expiry dates (T7). */
  async #memory(): Promise<{
    readonly neverLive: ReadonlySet<Fingerprint>;
    readonly ends: ReadonlyMap<Fingerprint, readonly Instant[]>;
  }> {
    const neverLive = new Set<Fingerprint>();
    // This client knew the expiry dates in the profile's own keyring before these dates passed.
    const ends = new Map<Fingerprint, readonly Instant[]>(await this.#endsOfShipped());
    for (const [key, record] of this.known) {
      if (!record.wasLive) neverLive.add(key);
      ends.set(key, [...record.passed, ...(record.end === undefined ? [] : [record.end])]);
    }
    return { neverLive, ends };
  }

  /** Reads the expiry dates in the profile's keyring (T7), but leaves out delegates that are not read. */
  async #endsOfShipped(): Promise<ReadonlyMap<Fingerprint, readonly Instant[]>> {
    const resting = await this.knowledge.resting();
    const isNew = ({ fingerprint }: RawCertificate) => {
      return !resting.has(fingerprint) && !this.#shippedEnds.has(fingerprint);
    };
    const read = [...this.#shipped.values()].filter(isNew);
    for (const [key, ends] of await endsIn(read, this.options.at)) this.#shippedEnds.set(key, ends);
    return this.#shippedEnds;
  }

  /** Judges by what the client knows now, including the revocation checks. */
  async judge(): Promise<Judged> {
    const unchecked = uncheckedKeys(this.knowledge.held.keys(), (key) => this.checkState(key));
    const found = await this.knowledge.judge(this.options.at, this.accepted, unchecked, await this.#memory());
    const judged = { ...found, including: (names: Iterable<string>) => this.#judgeWith(names) };
    this.#judged = judged;
    if (!this.#hasLost(judged)) return judged;
    // Now every delegate is read, because each dropped key must be reported.
    this.knowledge.readEverything();
    return await this.judge();
  }

  /** The last judgement. @throws FeedkeyError `internal` if nothing was judged yet */
  get judged(): Judged {
    if (this.#judged !== undefined) return this.#judged;
    throw new FeedkeyError("internal", "no key was judged yet");
  }

  /** Whether the judgement drops a key that was accepted before, although some delegates were not read. */
  #hasLost({ trust, resting }: Judged): boolean {
    if (resting.size === 0) return false;
    return [...this.known.keys()].some((key) => !resting.has(key) && isDropped(key, trust));
  }

  async #judgeWith(names: Iterable<string>): Promise<Judged> {
    const read = await this.knowledge.want(names);
    if (read.length === 0) return this.judged;
    // T11: a key that is due for a check gets no grace, because this run asked no server about it.
    const isDue = (key: Fingerprint) => needsCheck(this.state.ledger.checks.get(key), this.checkPolicy);
    if (!this.options.offline) for (const key of read) if (isDue(key)) this.unasked.add(key);
    return await this.judge();
  }

  /** Judges under the assumption that every key was checked. The result only serves to find the keys to ask about. */
  async judgeUnchecked(): Promise<Judged> {
    return await this.knowledge.judge(this.options.at, this.accepted, new Set(), await this.#memory());
  }

  /**
   * Records what this run learned. An audit (with read-only state) records nothing.
   * @returns false if another run wrote first, as {@link write} does
   */
  async record(judged: Judged): Promise<boolean> {
    return await this.write((state) => recordRun(this, state, judged));
  }

  /**
   * Writes to the state, and locks the state meanwhile.
   * @param feed the feed whose index is written
   * @returns false if another run wrote first: then nothing was written, this run now has the other run's records, and the caller must
   * judge again
   */
  async write(action: (state: ClientState) => Promise<void>, feed?: string): Promise<boolean> {
    if (!(this.state instanceof SharedState) || (await this.state.write(action, feed))) return true;
    this.knowledge.remember(rememberedIn(this.state));
    this.knowledge.add({ certificates: storedIn(this.state), loose: [] });
    return false;
  }
}

function storedIn(state: ClientStateView): RawCertificate[] {
  return [...state.certificates()].flatMap(([fingerprint, bytes]) => {
    return [...wholly(bytes, join(state.folder, "certs", `${fingerprint}.pgp`)).certificates];
  });
}

/** Returns the revocations and related packets that an earlier run stored (T4). */
function rememberedIn(state: ClientStateView): Keyring {
  return wholly(state.revocations() ?? new Uint8Array(), join(state.folder, "revocations.pgp"));
}

/**
 * Reads a keyring.
 * @throws FeedkeyError `bad_state` if the keyring can't be read to its end, because a revocation may be in the missing part
 */
function wholly(bytes: Uint8Array, path: string): Keyring {
  const ring = readKeyring(bytes);
  if (ring.isWhole) return ring;
  throw badState(path, `can't be read to its end: ${ring.problems.join(", ")}`);
}
