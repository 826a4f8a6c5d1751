/** The library's interface for clients of an archive. The command line uses the same interface. */
import { FeedkeyError } from "../error.ts";
import { findProfile, stateFolder } from "../files/paths.ts";
import { createTransport } from "../net/transport.ts";
import type { Transport } from "../net/types.ts";
import type { Profile } from "../profile/types.ts";
import type { KeyNews } from "../refresh/key-news.ts";
import { Session } from "../refresh/session.ts";
import type { Exported, ExportPlan } from "../stock/export.ts";
import type { TrustSet } from "../trust/judge.ts";
import { chosenFeeds } from "./chosen-feeds.ts";
import type {
  CallOptions,
  ClientOptions,
  ExportOptions,
  FetchOptions,
  ListOptions,
  Report,
  UpdateOptions,
  VerifyOptions,
  VerifyPackagesOptions,
} from "./client-options.ts";
import type { Mirrored, MirrorOptions } from "./mirror/mirror-feed.ts";
import type { Fetched } from "./packages/fetch.ts";
import type { FetchAllOptions } from "./packages/fetch-packages.ts";
import type { Listed } from "./packages/listed-packages.ts";
import type { SignedFile, VerifiedPackages } from "./packages/verify-packages.ts";
import { credentialsFor } from "./profiles/load-credentials.ts";
import { loadProfile, readCa } from "./profiles/load-profile.ts";
import type { ClientStatus } from "./status.ts";
import type { FeedOutcome } from "./update.ts";
import type { VerifiedCopy } from "./verify-copy.ts";
import { report } from "./with-warnings.ts";

/**
 * Returns the names of the feeds that an export is for.
 * @throws FeedkeyError `usage` if the profile has no feed with one of these names
 */
function feedNames(profile: Profile, { feeds = [] }: ExportOptions): string[] {
  return feeds.length === 0 ? [] : chosenFeeds(profile, feeds).map(({ name }) => name);
}

/** The HTTP transports of a client, whose connections stay open between calls. */
interface Transports {
  readonly archive: Transport;
  readonly keyservers: Transport;
}

/**
 * A client of an archive. Each call works like a separate command: it asks servers for news of the archive's keys if the
 * profile says so, judges by the present time, and records what it learned. Calls may run at the same time, even in several
 * processes.
 */
export class Client {
  readonly profile: Profile;
  readonly #options: Omit<ClientOptions, "profile">;
  readonly #transports: Transports;
  #isClosed = false;

  private constructor(profile: Profile, options: ClientOptions, transports: Transports) {
    this.profile = profile;
    this.#options = options;
    this.#transports = transports;
  }

  /** Opens a client; see {@link openClient}. */
  static async open(options: ClientOptions): Promise<Client> {
    const { profile: named } = options;
    const profile = typeof named === "string" ? await loadProfile(await findProfile(named)) : named;
    const offline = options.offline === true || options.justRefreshed === true;
    const archive = createTransport({
      offline,
      redirects: profile.archive.redirects,
      credentials: credentialsFor(profile.archive.credentials),
      ...(await readCa(profile.archive.ca)),
    });
    const keyservers = createTransport({ offline, ...(await readCa(profile.trust.keyserverCa)) });
    return new Client(profile, options, { archive, keyservers });
  }

  /**
   * Opens the client's state for one call.
   * @param how `readOnly`: the call records nothing; `onlySigners`: the call only verifies signatures, so the client reads only
   *   those delegates' keys that the signatures name
   * @throws FeedkeyError `no_seed`, `bad_profile`, `bad_state`; `usage` if the client is closed; and every error of the action
   */
  async #run<Found>(
    {
      readOnly = false,
      onlySigners = false,
    }: { readonly readOnly?: boolean | undefined; readonly onlySigners?: boolean },
    { resetState = false, partial }: CallOptions,
    action: (session: Session) => Promise<Found & { readonly errors?: readonly FeedkeyError[] }>,
  ): Promise<Report<Found>> {
    if (this.#isClosed) throw new FeedkeyError("usage", "this client is closed: open a new one");
    const { at = Date.now(), offline = false, justRefreshed = false, ...options } = this.#options;
    return await report(options.reporter, partial, async (reporter) => {
      const opening = {
        profile: this.profile,
        stateFolder: stateFolder(options.stateFolder),
        at,
        offline: offline || justRefreshed,
        transport: this.#transports.archive,
        keyserverTransport: this.#transports.keyservers,
        reporter,
        resetState,
        readOnly,
        onlySigners,
        justRefreshed,
      };
      return await Session.during(opening, action);
    });
  }

  /**
   * Asks the servers about every key, even if the client checked the key recently.
   * @throws FeedkeyError `unavailable` if no server gave a usable answer about one of the keys; the client then still trusts
   *   this key during the profile's grace period
   */
  async refresh(options: CallOptions = {}): Promise<Report<Omit<KeyNews, "errors">>> {
    const { keyNews } = await import("../refresh/key-news.ts");
    return await this.#run({}, options, keyNews);
  }

  /**
   * Asks servers for news of keys if the profile says so.
   * @returns which keys the client trusts, and why it does not trust the others
   */
  async chain(options: CallOptions = {}): Promise<Report<{ readonly trust: TrustSet }>> {
    const { refresh } = await import("../refresh/refresh.ts");
    return await this.#run({}, options, async (session) => ({ trust: (await refresh(session)).trust }));
  }

  /**
   * Downloads and verifies the feeds' indexes. If the client refuses an index, it keeps the feed's last good index and still
   * updates the other feeds.
   * @throws FeedkeyError `usage` if the profile has no feed with one of these names; the most serious refusal, unless `partial` is
   *   set
   */
  async update(options: UpdateOptions = {}): Promise<Report<{ readonly feeds: readonly FeedOutcome[] }>> {
    const [{ chosenFeeds }, { refusalsOf, updateWithFreshKeys }] = await Promise.all([
      import("./chosen-feeds.ts"),
      import("./update.ts"),
    ]);
    return await this.#run({ onlySigners: true }, options, async (session) => {
      const chosen = chosenFeeds(this.profile, options.feeds ?? []);
      const { allowEmpty = false, allowReleaseinfoChange = false } = options;
      const feeds = await updateWithFreshKeys(session, chosen, { allowEmpty, allowReleaseinfoChange });
      return { feeds, errors: refusalsOf(feeds) };
    });
  }

  /**
   * Returns the packages in the last accepted indexes. The client judges these indexes again with the keys that it has; it asks
   * no server and records nothing.
   * @throws FeedkeyError `usage`; `not_found` if the client has not accepted an index yet; unless `partial` is set, the reason
   *   why it no longer accepts an index
   */
  async list(options: ListOptions = {}): Promise<Report<Omit<Listed, "errors">>> {
    const { listPackages } = await import("./packages/listed-packages.ts");
    return await this.#run({ readOnly: true }, options, (session) => listPackages(session, options));
  }

  /**
   * Downloads and verifies one package that an accepted index lists.
   * @param request `NAME` or `NAME=VERSION`; `NAME` means the newest version
   * @throws FeedkeyError the reason why the client refuses the package, or the index that lists the package
   */
  async fetch(request: string, options: Omit<FetchOptions, "partial">): Promise<Fetched> {
    const { packages } = await this.fetchAll([request], { ...options, partial: false });
    const [fetched] = packages;
    if (fetched !== undefined) return fetched;
    throw new FeedkeyError("internal", "no package was fetched, and none was refused");
  }

  /**
   * Downloads and verifies packages. If the client refuses a package, it still fetches the others.
   * @param requests `NAME` or `NAME=VERSION` each; `*` and `?` are wildcards
   * @throws FeedkeyError `usage`, `not_found`, `output`; the most serious refusal, unless `partial` is set
   */
  async fetchAll(
    requests: readonly string[],
    options: FetchAllOptions,
  ): Promise<Report<{ readonly packages: readonly Fetched[] }>> {
    const { fetchPackages } = await import("./packages/fetch-packages.ts");
    return await this.#run({ onlySigners: true }, options, (session) => fetchPackages(session, requests, options));
  }

  /**
   * Updates a verified mirror of a feed: a folder that other clients can use instead of the archive.
   * @param folder the mirror's folder, which feedkey makes if it is missing; several feeds of one archive may share a folder
   * @throws FeedkeyError as `update` and `fetch` do; `locked` if another run uses the folder; the mirror then keeps its previous
   *   state
   */
  async mirror(feed: string, folder: string, options: MirrorOptions = {}): Promise<Report<Omit<Mirrored, "errors">>> {
    const { mirrorFeed } = await import("./mirror/mirror-feed.ts");
    return await this.#run({ onlySigners: true }, options, (session) => mirrorFeed(session, feed, folder, options));
  }

  /**
   * Verifies a local copy of a feed: first the index, then package files against the index.
   * @throws FeedkeyError the reason why the client refuses the index; unless `partial` is set, the most serious refusal of a file
   */
  async verify(index: string, options: VerifyOptions = {}): Promise<Report<Omit<VerifiedCopy, "errors">>> {
    const { verifyCopy } = await import("./verify-copy.ts");
    return await verifyCopy(index, options, (action) => {
      return this.#run({ readOnly: options.audit, onlySigners: true }, options, action);
    });
  }

  /** Verifies signed pkgsrc packages. @throws FeedkeyError the most serious refusal, unless `partial` is set */
  async verifyPackages(
    files: readonly SignedFile[],
    options: VerifyPackagesOptions = {},
  ): Promise<Report<Omit<VerifiedPackages, "errors">>> {
    const { verifyPackages } = await import("./packages/verify-packages.ts");
    const how = { readOnly: options.audit, onlySigners: true } as const;
    return await this.#run(how, options, (session) => verifyPackages(session, files, options.feed));
  }

  /**
   * Returns which keys and indexes the client has, how old these keys and indexes are, and which of them will expire and when.
   * The client asks no server and records nothing.
   */
  async status(): Promise<Report<ClientStatus>> {
    const { clientStatus } = await import("./status.ts");
    return await this.#run({ readOnly: true }, {}, clientStatus);
  }

  /**
   * Writes the keys that may sign now to a keyring for another program.
   * @param path the keyring's path: a file, or for opkg a GnuPG home
   * @throws FeedkeyError `unchecked_revocation` if the client left the old keyring unchanged because the key servers could not
   *   be asked; `output` if it can't write the keyring
   */
  async exportKeys(path: string, options: ExportOptions): Promise<Report<Exported>> {
    const { exportKeys } = await import("../stock/export.ts");
    return await this.#run({}, {}, async (session) => {
      return await exportKeys(session, options.for, path, feedNames(session.profile, options));
    });
  }

  /**
   * Returns what {@link exportKeys} would change, without writing the keyring.
   * @throws FeedkeyError `output` if `path` is somebody's own GnuPG home, or can't be read
   */
  async planExport(
    path: string,
    options: ExportOptions & {
      /** Whether the call leaves the client's state unchanged too. */
      readonly audit?: boolean | undefined;
    },
  ): Promise<Report<ExportPlan>> {
    const [{ planExport }, { refresh }] = await Promise.all([
      import("../stock/export.ts"),
      import("../refresh/refresh.ts"),
    ]);
    return await this.#run({ readOnly: options.audit }, {}, async (session) => {
      return await planExport(session, await refresh(session), options.for, path, feedNames(session.profile, options));
    });
  }

  /**
   * Closes the client's connections. Nothing is lost without this call, because each call writes the client's state before it
   * returns.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#transports.archive.close();
    await this.#transports.keyservers.close();
  }

  /** Closes the client when an `await using` block ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a client of an archive. The client asks no server and writes nothing before the first call.
 * @throws FeedkeyError `not_found` if the profile is not found; `bad_profile` if the profile is not valid, or a CA file that
 *   the profile names can't be read
 */
export async function openClient(options: ClientOptions): Promise<Client> {
  return await Client.open(options);
}
