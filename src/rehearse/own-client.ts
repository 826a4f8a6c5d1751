/** Runs feedkey's own client with one key as its seed. The client reads the copy of the archive like a mirror, and uses no network. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { updateFeeds } from "../client/update.ts";
import { FeedkeyError } from "../error.ts";
import { ensureFolder } from "../files/folder.ts";
import { formatOf } from "../formats/formats.ts";
import { createTransport } from "../net/transport.ts";
import { writeCertificates } from "../openpgp/certificate/certificate.ts";
import { profileWithoutServers } from "../profile/trust-defaults.ts";
import type { ArchiveConfig, ArchiveFeed, Feed, Profile } from "../profile/types.ts";
import { refresh } from "../refresh/refresh.ts";
import { type Reporter, Session } from "../refresh/session.ts";
import { planExport } from "../stock/export.ts";
import type { Instant } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Keyring, StockClient, Verdict } from "./stock-client.ts";

const silent: Reporter = {
  warn: () => undefined,
  note: () => undefined,
  progress: () => ({ update: () => undefined, stop: () => undefined }),
};

/** Returns a feed of the archive in the form that clients' profiles have. */
export function feedOf(feed: ArchiveFeed): Feed {
  const { name, format, path } = feed;
  const index = feed.packages === undefined ? feed.index : undefined;
  return { name, format, path, index, packages: "feed", ...formatOf(format).feedAt?.(path) };
}

/** Returns the profile that clients with this seed were shipped with, but without key servers. */
function profileOf(config: ArchiveConfig, seed: Fingerprint, folder: string): Profile {
  return profileWithoutServers({
    name: "rehearsal",
    file: join(folder, "rehearsal.ini"),
    url: pathToFileURL(`${config.root}/`).href,
    redirects: "any",
    identity: { kind: "user-id", userId: config.userId },
    keyring: join(folder, "seed.pgp"),
    seed,
    feeds: config.feeds.map(feedOf),
  });
}

/** A client with a state of its own. If it is made again in the same folder, it is a client in use. */
export class OwnClient {
  readonly #profile: Profile;
  readonly #state: string;
  readonly #at: Instant;

  private constructor(profile: Profile, state: string, at: Instant) {
    this.#profile = profile;
    this.#state = state;
    this.#at = at;
  }

  /**
   * Makes a client. If the folder has the state of an earlier run, the client goes on with this state.
   * @param folder the client's own private folder
   */
  static async make(
    config: ArchiveConfig,
    seed: Fingerprint,
    keyring: Keyring,
    folder: string,
    at: Instant,
  ): Promise<OwnClient> {
    await ensureFolder(folder, 0o700);
    await writeFile(join(folder, "seed.pgp"), keyring.bytes, { mode: 0o600 });
    return new OwnClient(profileOf(config, seed, folder), join(folder, "state"), at);
  }

  async #inSession<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const transport = createTransport({ offline: true });
    const options = { profile: this.#profile, stateFolder: this.#state, at: this.#at, offline: true };
    try {
      return await Session.during({ ...options, transport, keyserverTransport: transport, reporter: silent }, action);
    } finally {
      await transport.close();
    }
  }

  /**
   * Updates every feed.
   * @returns the verdict on each feed, by the feed's name
   */
  async update(): Promise<Map<string, Verdict>> {
    return await this.#inSession(async (session) => {
      const outcomes = await updateFeeds(session, await refresh(session), this.#profile.feeds, { allowEmpty: true });
      return new Map(
        outcomes.map((outcome): [string, Verdict] => {
          if (outcome.ok) return [outcome.feed.name, { word: "accepts", reason: "" }];
          const { code, details, message } = outcome.error;
          return [outcome.feed.name, { word: "refuses", reason: `${code}: ${String(details.because ?? message)}` }];
        }),
      );
    });
  }

  /**
   * Runs `refresh` and `export` as the timer does, and returns the exported keyring.
   * @param file the path of the exported keyring, which stays there for the next run
   */
  async exportTo(
    file: string,
    exported: NonNullable<StockClient["exported"]>,
    { reads }: Pick<StockClient, "reads">,
  ): Promise<Keyring> {
    return await this.#inSession(async (session) => {
      const feeds = this.#profile.feeds.filter(({ format }) => reads(format)).map(({ name }) => name);
      const { certificates, keys, barred } = await planExport(session, await refresh(session), exported, file, feeds);
      const bytes = writeCertificates(certificates);
      await writeFile(file, bytes);
      return { bytes, keys, byTimer: { certificates, barred } };
    });
  }
}

/** Returns the verdicts of a client that could not even start: a refusal of every feed, for the same reason. */
export function allOf(feeds: Iterable<string>, error: unknown): Map<string, Verdict> {
  if (!(error instanceof FeedkeyError)) throw error;
  return new Map([...feeds].map((name) => [name, { word: "refuses", reason: `${error.code}: ${error.message}` }]));
}
