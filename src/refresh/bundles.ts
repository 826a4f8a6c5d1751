/** Downloads the archive's own key bundle, a source of certificates like any other, while feedkey asks the key servers. */
import { bytesOf } from "../content.ts";
import { FeedkeyError } from "../error.ts";
import { timeFor } from "../net/limits.ts";
import type { Keyring } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { limits } from "../openpgp/packet/limits.ts";
import { bundlePath } from "../profile/layout.ts";
import type { Duration } from "../time.ts";
import { downloadFile, expectedBytes, fileUrl, locations, pastCaches } from "./download.ts";
import type { Session } from "./session.ts";
import { tellFailure } from "./sources.ts";

/** The time limit for each further copy of the bundle, after a first copy was downloaded. */
const furtherCopy: Duration = 60_000;

export class Bundles {
  readonly #session: Session;
  readonly #come: Keyring[] = [];
  readonly #download: Promise<void>;
  readonly #whole: boolean;
  #isWhole = false;

  /**
   * Begins to download the bundle.
   * @param whole whether to download the bundle even if a server would answer that the bundle has not changed
   */
  constructor(session: Session, whole: boolean) {
    this.#session = session;
    // Without key servers, revocations come only from the bundle. Then an answer "not modified" is not enough, because it proves nothing.
    this.#whole = whole || !session.checkPolicy.required;
    this.#download = this.#downloadAll().finally(() => {
      this.#isWhole = true;
    });
    // If the requests to key servers fail first, nobody waits for this promise any more, and its failure must not end the process.
    this.#download.catch(() => undefined);
  }

  /** Adds the bundles that have arrived since the last call. @returns whether all bundles have arrived */
  take(): boolean {
    const rings = this.#come.splice(0);
    for (const ring of rings) {
      try {
        this.#session.knowledge.add(ring);
      } catch (error) {
        tellFailure(this.#session.options.reporter, "the archive's key bundle could not be used", error);
      }
    }
    return this.#isWhole;
  }

  /** Waits for all bundles and adds them. @throws FeedkeyError `bad_config` if the file of credentials can't be used */
  async takeAll(): Promise<void> {
    await this.#download;
    this.take();
  }

  /**
   * Downloads the bundle. If the bundle is missing, the run continues. Without key servers, feedkey downloads the bundle from every mirror,
   * because a single mirror could hide a revocation.
   */
  async #downloadAll(): Promise<void> {
    const { checkPolicy, options, profile, state } = this.#session;
    const { offline, reporter, transport } = options;
    let found = false;
    for (const location of locations(profile)) {
      if (offline && !location.startsWith("file:")) continue;
      try {
        const within = found ? furtherCopy : timeFor(expectedBytes.bundle, transport.limits);
        const copy = this.#whole ? undefined : await state.bundleCopy(fileUrl(location, bundlePath).href);
        const bundle = await downloadFile(this.#session, location, bundlePath, limits.keyringBytes, {
          within,
          ...pastCaches,
          remembered: copy && { version: copy.version, stored: copy },
          onAbsent: (reason) => {
            throw reason;
          },
        });
        if (bundle === undefined) continue;
        const bytes = bytesOf(bundle.bytes);
        const { version } = bundle;
        this.#come.push(readKeys(bytes));
        if (version !== undefined && checkPolicy.required) this.#session.bundles.push({ version, bytes });
        found = true;
        if (checkPolicy.required) return;
      } catch (error) {
        // The archive is not at fault here: the user must correct the file of credentials.
        if (error instanceof FeedkeyError && error.code === "bad_config") throw error;
        tellFailure(reporter, "the archive's key bundle could not be read", error);
      }
    }
  }
}
