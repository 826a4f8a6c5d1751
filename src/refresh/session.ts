/** One run of the client: profile, state, reference time, transport and reporter, opened together. */
import { join } from "node:path";
import { FeedkeyError } from "../error.ts";
import type { Transport } from "../net/types.ts";
import {
  type Keyring,
  type RawCertificate,
  readKeyring,
  writeCertificate,
} from "../openpgp/certificate/certificate.ts";
import type { Profile } from "../profile/types.ts";
import type { BundleCopy } from "../store/bundle-copies.ts";
import type { ClientState } from "../store/client-state.ts";
import { ClientStateView } from "../store/client-state-view.ts";
import type { KeyRecord, Ledger } from "../store/ledger.ts";
import { SharedState } from "../store/shared-state.ts";
import { badState } from "../store/state-file.ts";
import type { Duration, Instant } from "../time.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import { endOfLife, refuseLife } from "../trust/key-state.ts";
import { skew } from "../trust/policy.ts";
import { type CheckPolicy, type CheckState, checkState, uncheckedKeys } from "../trust/revocation-check.ts";
import { type Judged, Knowledge } from "./certificate-pool.ts";
import { endsIn, endsOf, latestDate } from "./ledger-dates.ts";
import { readSeeds } from "./seeds.ts";

/** Where a use case says what is not an error, and how far it is. */
export interface Reporter {
  warn(text: string): void;
  /** Something that only a curious reader wants to know. */
  note(text: string): void;
  /** Starts a bar; a total of undefined is not known yet. */
  progress(label: string, total: number | undefined): { update(done: number, total?: number): void; stop(): void };
}

/** Shows how far an action is. */
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

export interface SessionOptions {
  readonly profile: Profile;
  readonly stateFolder: string;
  /** Reference time, used instead of the clock everywhere. */
  readonly at: Instant;
  readonly offline: boolean;
  /** For the archive. */
  readonly transport: Transport;
  /** For key servers, with their own authorities. */
  readonly keyserverTransport: Transport;
  readonly reporter: Reporter;
  readonly resetState?: boolean;
  /** An audit: reads the state and changes nothing. */
  readonly readOnly?: boolean;
  /** A `refresh` of the same job has just asked: its answers count as if this run had asked. */
  readonly justRefreshed?: boolean;
}

/** How far apart the steps of one job of a timer or script may be. */
const sameJob: Duration = 15 * 60_000;

/** @throws FeedkeyError `bad_profile` where a profile switches verification off */
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
  /** Keys for which a key server answered properly in this run: *found* or *absent*. */
  readonly answered = new Map<Fingerprint, "found" | "absent">();
  /** Keys that should have been asked about in this run, but the time was over: they get no grace. */
  readonly unasked = new Set<Fingerprint>();

  /** The archive's bundles as they came in this run, as far as their servers say which version that is. */
  readonly bundles: BundleCopy[] = [];

  /** T7: when the keys of the profile's keyring end, as it says itself. */
  readonly #shippedEnds: ReadonlyMap<Fingerprint, readonly Instant[]>;

  private constructor(
    options: SessionOptions,
    knowledge: Knowledge,
    state: SharedState | ClientStateView,
    shippedEnds: ReadonlyMap<Fingerprint, readonly Instant[]>,
  ) {
    this.options = options;
    this.#shippedEnds = shippedEnds;
    this.knowledge = knowledge;
    this.state = state;
  }

  /** @throws FeedkeyError `no_seed`, `bad_profile`, `bad_state`, `locked` */
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
    return new Session(
      options,
      new Knowledge(profile, seeds.certificates.values(), storedIn(state), remembered),
      state,
      await endsIn(seeds.certificates.values(), options.at),
    );
  }

  get profile(): Profile {
    return this.options.profile;
  }

  /** Whether the ledger has a key at the reference time, as `known` says. */
  knows(key: Fingerprint): boolean {
    const record = this.state.ledger.keys.get(key);
    return record !== undefined && record.acceptedAt <= this.options.at + skew;
  }

  /**
   * What the ledger says at the reference time. What was accepted after it was not accepted before: a run with `--at` in
   * the future, or with a clock that was ahead, must not decide for those that come first.
   */
  get known(): ReadonlyMap<Fingerprint, KeyRecord> {
    return new Map([...this.state.ledger.keys].filter(([key]) => this.knows(key)));
  }

  /** Keys of the chain that this client accepted before (T5). A delegate is never one of the chain. */
  get accepted(): ReadonlySet<Fingerprint> {
    return new Set([...this.known].filter(([, { role }]) => role !== "delegate").map(([key]) => key));
  }

  get checkPolicy(): CheckPolicy {
    const { keyservers, revocationCheck, grace } = this.profile.trust;
    const policy = { required: keyservers.length > 0, revocationCheck, grace, at: this.options.at };
    if (this.options.justRefreshed !== true) return policy;
    return { ...policy, revocationCheck: Math.max(sameJob, revocationCheck === "always" ? 0 : revocationCheck) };
  }

  /** T11 for one key. */
  checkState(key: Fingerprint): CheckState {
    const { ledger } = this.state;
    const state = checkState(ledger.checks.get(key), this.answered.has(key), this.knows(key), this.checkPolicy);
    // Grace is for keys about which no server could answer, not for keys about which none was asked.
    return state === "grace" && this.unasked.has(key) ? "unchecked" : state;
  }

  /** What else the ledger says of keys that were accepted before: T6 and T7. */
  get #memory(): {
    readonly neverLive: ReadonlySet<Fingerprint>;
    readonly ends: ReadonlyMap<Fingerprint, readonly Instant[]>;
  } {
    const neverLive = new Set<Fingerprint>();
    // What the profile's own keyring says of an end that has passed was known before it did.
    const ends = new Map<Fingerprint, readonly Instant[]>(this.#shippedEnds);
    for (const [key, record] of this.known) {
      if (!record.wasLive) neverLive.add(key);
      ends.set(key, [...record.passed, ...(record.end === undefined ? [] : [record.end])]);
    }
    return { neverLive, ends };
  }

  /** The judgement over what is known now, revocation checks included. */
  async judge(): Promise<Judged> {
    const unchecked = uncheckedKeys(this.knowledge.held.keys(), (key) => this.checkState(key));
    return await this.knowledge.judge(this.options.at, this.accepted, unchecked, this.#memory);
  }

  /** The judgement as if every key had been checked: whom to ask about, and nothing else. */
  async judgeUnchecked(): Promise<Judged> {
    return await this.knowledge.judge(this.options.at, this.accepted, new Set(), this.#memory);
  }

  /**
   * Records what this run learned: revocations and certificates first, since what they say only ever adds; then which
   * keys were accepted after which, which were dropped, and the checks. An audit (read-only state) records nothing.
   * @returns false as {@link write} does
   */
  async record(judged: Judged): Promise<boolean> {
    return await this.write((state) => this.#recordIn(state, judged));
  }

  /**
   * Writes to the state, locked for as long as that takes.
   * @param feed whose index is written
   * @returns false if another run wrote first: what it recorded has been taken in, nothing was written, and the judgement that
   *   was to be written, or acted on, has to be made again
   */
  async write(action: (state: ClientState) => Promise<void>, feed?: string): Promise<boolean> {
    if (!(this.state instanceof SharedState) || (await this.state.write(action, feed))) return true;
    this.knowledge.remember(rememberedIn(this.state));
    this.knowledge.add({ certificates: storedIn(this.state), loose: [] });
    return false;
  }

  async #recordIn(state: ClientState, { trust }: Judged): Promise<void> {
    await state.putRevocations(await this.knowledge.revocationsWorthKeeping());
    const kept = await this.knowledge.worthKeeping(trust, this.accepted);
    await state.putCertificates(new Map([...kept].map(([key, raw]) => [key, writeCertificate(raw)])));
    const before: Ledger = state.ledger;
    const keys = new Map(before.keys);
    const isBehind = latestDate(state.ledger) > this.options.at + skew;
    const isBehindIndex = [...state.ledger.feeds.values()].some(({ createdAt }) => createdAt > this.options.at + skew);
    const hasLive = [...trust.trusted.values()].some(({ facts, role }) => role !== "delegate" && this.#isLive(facts));
    for (const [fingerprint, key] of trust.trusted) {
      const known = keys.get(fingerprint);
      // A delegate that became one of the chain, or the other way round, is accepted as what it is now (T5).
      const isSame = known !== undefined && (known.role === "delegate") === (key.role === "delegate");
      const isKnown = isSame && this.knows(fingerprint);
      // The clock is wrong, or the run looks at the past: it accepts nothing new. A key that a clock ahead accepted is dated again, but
      // not by one that is behind an accepted index (T9).
      if (isBehind && (!isSame || isKnown || isBehindIndex)) continue;
      const { at } = this.options;
      const { acceptedAt, role, from } = isKnown ? known : { acceptedAt: at, role: key.role, from: key.via.at(-1) };
      const wasLive = isBehind ? known?.wasLive === true : (isKnown && known.wasLive) || this.#isLive(key.facts);
      const { end, passed } =
        isBehind && known !== undefined ? known : endsOf(known, endOfLife(key.facts, at), at, hasLive);
      keys.set(fingerprint, { acceptedAt, role, from, wasLive, end, passed });
    }
    for (const fingerprint of isBehind ? [] : before.keys.keys()) {
      const rejected = trust.rejected.get(fingerprint);
      // A missing check or a fork is a state of the world, not of the key: what was accepted stays in the ledger.
      if (rejected?.code === "unchecked_revocation" || rejected?.code === "fork") continue;
      if (trust.trusted.has(fingerprint)) continue;
      // With a clock that was set back, or in an audit of the past, today's keys are in the future; they must not be forgotten.
      if (!this.knows(fingerprint)) continue;
      keys.delete(fingerprint);
      const why = rejected?.reason ?? "no seed of the profile leads to it any more";
      this.options.reporter.warn(`key ${fingerprint}, accepted before, is dropped: ${why}`);
    }
    const checks = new Map(before.checks);
    for (const [fingerprint, outcome] of this.answered) {
      const recorded = before.checks.get(fingerprint);
      const everFound = outcome === "found" || recorded?.everFound === true;
      checks.set(fingerprint, { lastGoodAt: latest(this.options.at, recorded?.lastGoodAt), outcome, everFound });
    }
    await state.saveLedger({ keys, checks });
    await state.keepBundles(this.bundles);
  }

  /** As T6 has it. */
  #isLive(facts: CertificateFacts): boolean {
    return refuseLife(facts, this.options.at) === undefined;
  }

  /** Ends the run. Between two writes nothing is locked, so that there is nothing to let go of. */
  async close(): Promise<void> {}
}

/** A check that another run made meanwhile stays the last one; one of the future is none (T11). */
function latest(at: Instant, recorded: Instant | undefined): Instant {
  return recorded !== undefined && recorded <= at + skew ? Math.max(at, recorded) : at;
}

function storedIn(state: ClientStateView): RawCertificate[] {
  return [...state.certificates()].flatMap(([fingerprint, bytes]) => {
    return [...wholly(bytes, join(state.folder, "certs", `${fingerprint}.pgp`)).certificates];
  });
}

/** What takes trust away, as an earlier run kept it (T4). */
function rememberedIn(state: ClientStateView): Keyring {
  return wholly(state.revocations() ?? new Uint8Array(), join(state.folder, "revocations.pgp"));
}

/** @throws FeedkeyError `bad_state` if a file of the state can't be read to its end: a revocation may be there */
function wholly(bytes: Uint8Array, path: string): Keyring {
  const ring = readKeyring(bytes);
  if (ring.isWhole) return ring;
  throw badState(path, `can't be read to its end: ${ring.problems.join(", ")}`);
}
