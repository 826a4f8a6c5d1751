/** An opened archive or key store, with everything that the keeper's calls share. */

import type { Report } from "../client/client-options.ts";
import { loadProfile } from "../client/profiles/load-profile.ts";
import { report } from "../client/with-warnings.ts";
import { FeedkeyError, orRefusal } from "../error.ts";
import { escapeText } from "../escape.ts";
import { findProfile } from "../files/paths.ts";
import type { Servers, Spread } from "../keys/send-and-receive.ts";
import type { Profile } from "../profile/types.ts";
import type { Archive } from "../publish/archive.ts";
import type { Reporter } from "../refresh/session.ts";
import { readConfig } from "../signing/load-config.ts";
import type { PassphraseSource } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { ArchiveOptions, KeeperCallOptions } from "./keeper-options.ts";

const noPassphrase: PassphraseSource = Object.assign(refusePassphrase, { asks: true });

async function refusePassphrase(fingerprint: Fingerprint): Promise<string> {
  throw new FeedkeyError("bad_config", `key ${fingerprint} is locked, and no passphrase was given`, {
    hint: "pass the key's passphrase when you open the archive",
  });
}

/** What a call has done, in words, one line for each action. */
export interface Done {
  readonly done: readonly string[];
}

export class Opened {
  readonly store: KeyStore;
  readonly #options: ArchiveOptions;

  constructor(store: KeyStore, options: ArchiveOptions) {
    this.store = store;
    this.#options = options;
  }

  /** The time at which the present call judges keys and dates signatures. */
  get at(): Instant {
    return this.#options.at ?? Date.now();
  }

  get passphrase(): PassphraseSource {
    return this.#options.passphrase ?? noPassphrase;
  }

  /** Reads the configuration and returns the archive; undefined if the keeper has only a key store. */
  async found(): Promise<Archive | undefined> {
    const { config } = this.#options;
    if (config === undefined) return undefined;
    return { config: await readConfig(config), store: this.store, at: this.at, passphrase: this.passphrase };
  }

  /**
   * Reads the configuration and returns the archive.
   * @throws FeedkeyError `usage` if the keeper has no configuration; `not_found`, `bad_config`
   */
  async archive(): Promise<Archive> {
    const found = await this.found();
    if (found !== undefined) return found;
    throw new FeedkeyError("usage", "no archive given", {
      hint: "give the archive's configuration with --config archive.ini",
    });
  }

  /** Returns the clients' profile, if the options name one. */
  async profile(): Promise<Profile | undefined> {
    const { profile } = this.#options;
    return typeof profile === "string" ? await loadProfile(await findProfile(profile)) : profile;
  }

  /** Runs the action of a call, and returns the call's report. */
  async run<Found>(
    { partial }: KeeperCallOptions,
    action: (reporter: Reporter) => Promise<Found & { readonly errors?: readonly FeedkeyError[] }>,
  ): Promise<Report<Found>> {
    return await report(this.#options.reporter, partial, action);
  }

  /** Returns the key servers and their CA file: from the options, or else from the configuration, or else from the profile. */
  async servers(): Promise<Servers> {
    const { keyservers, keyserverCa, offline = false } = this.#options;
    if (keyservers !== undefined) return { urls: keyservers, ca: keyserverCa, offline };
    const from = (await this.found())?.config ?? (await this.profile())?.trust;
    return { urls: from?.keyservers ?? [], ca: keyserverCa ?? from?.keyserverCa, offline };
  }

  /** Sends keys from the key store to the configured key servers; warns if no key server is configured. */
  async spread(fingerprints: readonly Fingerprint[], reporter: Reporter): Promise<Spread> {
    const servers = await this.servers();
    if (servers.urls.length === 0 && this.#options.keyservers === undefined)
      reporter.warn("no key server is configured: clients learn of this change only from the archive's key bundle");
    return await (await import("../keys/send-and-receive.ts")).spread(this.store, fingerprints, servers);
  }

  /** Whether the keeper has a bundle or key servers that `handOn` updates. */
  get handsOn(): boolean {
    return this.#options.config !== undefined || this.#options.keyservers !== undefined;
  }

  /**
   * Writes the trust page again after a change, if `archive.ini` requests the page, and uploads it. No client relies on the
   * page, so a failure is only an error in the report.
   */
  async refreshPage(asked = false): Promise<Done & { readonly errors: readonly FeedkeyError[] }> {
    const archive = await this.found();
    if (archive === undefined || !(asked || archive.config.page)) return { done: [], errors: [] };
    const { writePage } = await import("../page/write/write-page.ts");
    const { refreshBundle } = await import("../publish/archive.ts");
    const refreshed = await orRefusal(async () => {
      const written = await writePage(archive);
      if (written === undefined) return [];
      // The command has already uploaded its other changes, so only the page is left to upload.
      return [`wrote ${written}`, ...(archive.config.bucket === undefined ? [] : await refreshBundle(archive))];
    });
    if (refreshed instanceof FeedkeyError) return { done: [], errors: [refreshed] };
    return { done: refreshed.map(escapeText), errors: [] };
  }

  /** Updates the bundle and sends keys to the key servers, if these are configured. An air-gapped machine has neither. */
  async handOn(fingerprints: readonly Fingerprint[], reporter: Reporter): Promise<Done & Pick<Spread, "errors">> {
    const archive = await this.found();
    const { refreshBundle } = await import("../publish/archive.ts");
    const bundle = archive === undefined ? [] : (await refreshBundle(archive)).map(escapeText);
    const page = await this.refreshPage();
    const done = [...bundle, ...page.done];
    if (!this.handsOn || (await this.servers()).urls.length === 0) return { done, errors: page.errors };
    const sent = await this.spread(fingerprints, reporter);
    return { done: [...done, ...sent.done], errors: [...page.errors, ...sent.errors] };
  }
}
