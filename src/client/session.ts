/** One run of the client: profile, state, reference time, and the ways to the world, opened together. */
import { FeedkeyError } from "../error.ts";
import type { Transport } from "../net/types.ts";
import { writeCertificate } from "../openpgp/certificate.ts";
import { readKeys } from "../openpgp/read-keys.ts";
import type { Profile } from "../profile/types.ts";
import { ClientState } from "../store/client-state.ts";
import { ClientStateView } from "../store/client-state-view.ts";
import type { KeyRecord, Ledger } from "../store/ledger.ts";
import type { Duration, Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { skew } from "../trust/policy.ts";
import { type CheckPolicy, type CheckState, checkState, uncheckedKeys } from "../trust/revocation-check.ts";
import { type Judged, Knowledge } from "./knowledge.ts";
import { readSeeds } from "./seeds.ts";

/** Where a use case says what is not an error, and how far it is. */
export interface Reporter {
  warn(text: string): void;
  /** Something that only a curious reader wants to know. */
  note(text: string): void;
  /** Starts a bar; a total of undefined is not known yet. */
  progress(label: string, total: number | undefined): { update(done: number, total?: number): void; stop(): void };
}

export interface SessionOptions {
  readonly profile: Profile;
  readonly stateFolder: string;
  /** Reference time; stands in for the clock everywhere. */
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

/** How far apart the steps of one job, a timer's or a script's, may lie. */
const sameJob: Duration = 15 * 60_000;

/** @throws FeedkeyError `bad_profile` where a profile switches verification off */
export function refuseUnverified({ name, archive }: Profile): void {
  if (archive.verify === "required") return;
  throw new FeedkeyError("bad_profile", `profile "${name}" says "verify = off"`, {
    hint: "feedkey hands over nothing that it has not verified: remove the line, or download without feedkey",
  });
}

export class Session {
  readonly options: SessionOptions;
  readonly knowledge: Knowledge;
  readonly state: ClientState | ClientStateView;
  /** Keys for which a key server answered properly in this run: *found* or *absent*. */
  readonly answered = new Map<Fingerprint, "found" | "absent">();

  private constructor(options: SessionOptions, knowledge: Knowledge, state: ClientState | ClientStateView) {
    this.options = options;
    this.knowledge = knowledge;
    this.state = state;
  }

  /** @throws FeedkeyError `no_seed`, `bad_profile`, `bad_state`, `locked` */
  static async open(options: SessionOptions): Promise<Session> {
    const { profile, stateFolder } = options;
    refuseUnverified(profile);
    const seeds = await readSeeds(profile);
    const { seeds: listed } = profile.trust;
    const reset = options.resetState === true ? { reset: true } : {};
    const state =
      options.readOnly === true
        ? await ClientStateView.openReadOnly(stateFolder, profile.name, listed)
        : await ClientState.open(stateFolder, profile.name, { ...reset, seeds: listed });
    const stored = [...state.certificates().values()].flatMap((bytes) => readKeys(bytes).certificates);
    return new Session(options, new Knowledge(profile, seeds.values(), stored), state);
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
    return checkState(ledger.checks.get(key), this.answered.has(key), this.knows(key), this.checkPolicy);
  }

  /** The judgement over what is known now, revocation checks included. */
  async judge(): Promise<Judged> {
    const unchecked = uncheckedKeys(this.knowledge.held.keys(), (key) => this.checkState(key));
    return await this.knowledge.judge(this.options.at, this.accepted, unchecked);
  }

  /** The judgement as if every key had been checked: whom to ask about, and nothing else. */
  async judgeUnchecked(): Promise<Judged> {
    return await this.knowledge.judge(this.options.at, this.accepted, new Set());
  }

  /**
   * Records what this run learned: certificates first, since what they say only ever adds; then which keys were
   * accepted over which path, which were dropped, and the checks.
   */
  async record({ trust }: Judged): Promise<void> {
    if (!(this.state instanceof ClientState)) return;
    const kept = await this.knowledge.worthKeeping(trust, this.accepted);
    await this.state.putCertificates(new Map([...kept].map(([key, raw]) => [key, writeCertificate(raw)])));
    const before: Ledger = this.state.ledger;
    const keys = new Map(before.keys);
    // A clock behind an index that was accepted is wrong (T9): it dates nothing anew.
    const isBehind = [...this.state.ledger.feeds.values()].some(({ createdAt }) => createdAt > this.options.at + skew);
    for (const [fingerprint, { role, via }] of trust.trusted) {
      const known = keys.get(fingerprint);
      // A delegate that became one of the chain, or the other way round, is accepted as what it is now (T5).
      const isSame = known !== undefined && (known.role === "delegate") === (role === "delegate");
      if (isSame && (isBehind || this.knows(fingerprint))) continue;
      keys.set(fingerprint, { acceptedAt: this.options.at, role, path: [...via, fingerprint] });
    }
    for (const fingerprint of before.keys.keys()) {
      const rejected = trust.rejected.get(fingerprint);
      // A missing check or a fork is a state of the world, not of the key: what was accepted stays in the ledger.
      if (rejected?.code === "unchecked_revocation" || rejected?.code === "fork") continue;
      if (trust.trusted.has(fingerprint)) continue;
      // With a clock that was set back, or an audit of the past, today's keys are of the future: no reason to forget them.
      if (!this.knows(fingerprint)) continue;
      keys.delete(fingerprint);
      const why = rejected?.reason ?? "no seed of the profile leads to it any more";
      this.options.reporter.warn(`key ${fingerprint}, accepted before, is dropped: ${why}`);
    }
    const checks = new Map(before.checks);
    for (const [fingerprint, outcome] of this.answered) {
      const everFound = outcome === "found" || before.checks.get(fingerprint)?.everFound === true;
      checks.set(fingerprint, { lastGoodAt: this.options.at, outcome, everFound });
    }
    await this.state.saveLedger({ keys, checks });
  }

  async close(): Promise<void> {
    if (this.state instanceof ClientState) await this.state.close();
  }
}
