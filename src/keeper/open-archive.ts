/** The library's interface for keepers of an archive. The command line uses the same interface. */

import type { Report } from "../client/client-options.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { warnOfModes } from "../files/modes.ts";
import { homeFolder } from "../files/paths.ts";
import type { DelegationPlan, Withdrawal } from "../keys/delegate.ts";
import type { DelegationRecord } from "../keys/delegations.ts";
import type { EndAhead } from "../keys/ends-ahead.ts";
import type { RevocationPlan } from "../keys/revoke.ts";
import type { RotationChoice, RotationPlan } from "../keys/rotation/rotation-plan.ts";
import type { RotationStatus, StepsTaken } from "../keys/rotation/take-rotation.ts";
import type { Spread } from "../keys/send-and-receive.ts";
import type { Archive } from "../publish/archive.ts";
import type { PublishResult } from "../publish/publish.ts";
import type { SignedIndex } from "../publish/sign-index.ts";
import type { Follower } from "../rehearse/followers.ts";
import type { SignedPackageFile } from "../signing/sign-package.ts";
import { hexDigits, requireFingerprint } from "../store/fingerprint.ts";
import { KeyStore } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type {
  ArchiveOptions,
  DelegateOptions,
  KeeperCallOptions,
  PublishOptions,
  RevokeOptions,
  RotateOptions,
  SignOptions,
  SignPackagesOptions,
  WarnOptions,
  WithdrawOptions,
} from "./keeper-options.ts";
import { KeyKeeper } from "./key-keeper.ts";
import { type Done, Opened } from "./opened.ts";

/**
 * An archive, or only a key store. Each call works like a separate command: it reads configuration and clock again. Calls may run
 * at the same time, even in other processes; a call that writes waits for the lock, or fails with `locked`.
 */
export class Keeper {
  readonly #opened: Opened;

  private constructor(opened: Opened) {
    this.#opened = opened;
  }

  /** Opens an archive; see {@link openArchive}. */
  static async open(options: ArchiveOptions): Promise<Keeper> {
    const opened = new Opened(await KeyStore.open(homeFolder(options.home)), options);
    // This call reports errors in the configuration to the caller now, not at the first use.
    await opened.found();
    const warning = await warnOfModes(opened.store.folder);
    if (warning !== undefined) options.reporter?.warn?.(escapeText(warning));
    return new Keeper(opened);
  }

  /** The keeper's key store. */
  get store(): KeyStore {
    return this.#opened.store;
  }

  /** Manages the keys in the key store. */
  get keys(): KeyKeeper {
    return new KeyKeeper(this.#opened);
  }

  /**
   * Reads the configuration and returns the archive, for tasks for which the keeper has no method.
   * @throws FeedkeyError as `openArchive` does; `usage` without a configuration
   */
  async archive(): Promise<Archive> {
    return await this.#opened.archive();
  }

  /**
   * Scans the packages, writes and signs the indexes and the key bundle, and puts all files in place together. If clients would
   * refuse an index that another program wrote, the keeper leaves this feed unchanged, publishes the others, and then fails.
   * @throws FeedkeyError `bad_package` for damaged packages; `not_listed` if `skipBad` left packages out of the published feeds;
   *   `usage`, `revoked`, `expired`, `untrusted_signer`..., `bad_config`, `bad_path`, `output`, `locked`
   */
  async publish(options: PublishOptions = {}): Promise<Report<PublishResult & { readonly page: string | undefined }>> {
    const { publishPlace } = await import("./publish-place.ts");
    return await this.#opened.run(options, async (reporter) => {
      return await publishPlace(this.#opened, options, reporter);
    });
  }

  /**
   * Signs indexes that another program wrote.
   * @throws FeedkeyError `usage`, `not_found`, `output`, or the reason why the key may not sign
   */
  async sign(
    indexes: readonly string[],
    options: SignOptions,
  ): Promise<Report<{ readonly key: Fingerprint; readonly signed: readonly SignedIndex[] }>> {
    const { signIndexes } = await import("./sign-indexes.ts");
    return await this.#opened.run({}, (reporter) => signIndexes(this.#opened, indexes, options, reporter));
  }

  /**
   * Signs pkgsrc packages for pkg_add. If one package can't be signed, the others are still signed.
   * @throws FeedkeyError the reason why the key may not sign; `bad_config` if pkg_add can't read the key; `output`; without
   * `partial` also `bad_package`, `not_found`, `bad_path`
   */
  async signPackages(
    files: readonly string[],
    options: SignPackagesOptions,
  ): Promise<Report<{ readonly key: Fingerprint; readonly packages: readonly SignedPackageFile[] }>> {
    const { signPackages } = await import("./sign-packages.ts");
    return await this.#opened.run(options, () => signPackages(this.#opened, files, options));
  }

  /**
   * Lists the archive's deadlines by date: the ends of its key, signing subkey and delegations, and of a rotation's overlap.
   * @param options.warnWithin how far ahead the keeper looks; by default 60 days
   * @throws FeedkeyError `usage` without a configuration; `not_found`, `bad_config`; `expired`, `revoked`... if clients refuse the key
   */
  async endsAhead(options: WarnOptions = {}): Promise<Report<{ readonly ends: readonly EndAhead[] }>> {
    const { endsOfArchive } = await import("./ends-ahead.ts");
    return await this.#opened.run({}, (reporter) => endsOfArchive(this.#opened, options, reporter));
  }

  /** Tells which keys each stock client must know to accept the published feeds. @throws FeedkeyError `bad_path`, `output` */
  async followers(): Promise<readonly Follower[]> {
    return await (await import("../rehearse/followers.ts")).followersOf(await this.#opened.archive());
  }

  /** Returns the state of the rotation of the archive's key. @throws FeedkeyError `not_found` */
  async status(): Promise<RotationStatus> {
    return await (await import("../keys/rotation/take-rotation.ts")).rotationStatus(await this.#opened.archive());
  }

  /** Warns about all that will soon stop the archive's key from signing. @throws FeedkeyError as `archive` does; `not_found` */
  async warnAhead(options: WarnOptions = {}): Promise<Report<object>> {
    const { warnOfArchive } = await import("./ends-ahead.ts");
    return await this.#opened.run({}, async (reporter) => {
      await warnOfArchive(this.#opened, options, reporter);
      return {};
    });
  }

  /**
   * Plans a step of a rotation, and changes nothing.
   * @throws FeedkeyError as `rotate` and `abandonRotation` do, but does not require a backup
   */
  async planRotation(choice: RotationChoice = {}): Promise<RotationPlan> {
    return await (await import("../keys/rotation/rotation-plan.ts")).planRotation(await this.#opened.archive(), choice);
  }

  /**
   * Takes a step of a rotation, or completes an interrupted step. Sends both keys to the key servers.
   * @throws FeedkeyError `usage` if there is no backup, if the overlap has not ended, or if no rotation is under way; `expired`,
   *   `revoked`, `weak_algorithm`, `fork`; without `partial` also the most serious error among the tasks that failed
   */
  async rotate(options: RotateOptions): Promise<Report<Omit<StepsTaken, "errors">>> {
    const { rotate } = await import("./rotating.ts");
    return await this.#opened.run(options, (reporter) => rotate(this.#opened, options, reporter));
  }

  /** Ends a rotation: withdraws and revokes the successor. @throws FeedkeyError as `rotate` does; `usage` if no rotation is under way */
  async abandonRotation(
    options: KeeperCallOptions = {},
  ): Promise<Report<Done & { readonly successor: Fingerprint; readonly sent: readonly string[] }>> {
    const { abandon } = await import("./rotating.ts");
    return await this.#opened.run(options, (reporter) => abandon(this.#opened, reporter));
  }

  /** Plans a revocation, and lists the clients that would lose their chain. Changes nothing. @throws FeedkeyError as `revoke` does */
  async planRevocation(fingerprint: string, { reason }: Pick<RevokeOptions, "reason">): Promise<RevocationPlan> {
    const { planKeyRevocation } = await import("../keys/revoke-key.ts");
    const terms = { fingerprint: await this.#opened.store.resolve(fingerprint), reason };
    return await planKeyRevocation(this.#opened.store, await this.#opened.found(), {
      ...terms,
      at: this.#opened.at,
      passphrase: this.#opened.passphrase,
    });
  }

  /**
   * Revokes a key, and sends the revocation to the key servers.
   * @throws FeedkeyError `usage` if clients would lose their trust chain; `not_found`, `bad_certificate`, `bad_config`; without
   *   `partial` also the reason why the bundle could not be written, or why a key server did not accept the revocation
   */
  async revoke(
    fingerprint: string,
    options: RevokeOptions,
  ): Promise<Report<Done & { readonly plan: RevocationPlan; readonly sent: readonly string[] }>> {
    const { carryOutRevocation } = await import("../keys/revoke-key.ts");
    return await this.#opened.run(options, async (reporter) => {
      const plan = await this.planRevocation(fingerprint, options);
      const archive = await this.#opened.found();
      const { done, errors } = await carryOutRevocation(this.#opened.store, archive, plan, options.force === true);
      const page = await this.#opened.refreshPage();
      const sent = await this.#opened.spread([plan.fingerprint], reporter);
      if (archive?.config.key.fingerprint === plan.fingerprint) {
        reporter.warn(
          "archive.ini still names this key, but clients refuse what it signs: name another key there, then publish",
        );
      }
      return {
        plan,
        done: [...done, ...page.done],
        sent: sent.done,
        errors: [...errors, ...page.errors, ...sent.errors],
      };
    });
  }

  /** Lists the delegations (issuer, delegate, expiry), and warns about those that end soon. @throws FeedkeyError `not_found` */
  async delegations(): Promise<Report<{ readonly delegations: readonly DelegationRecord[] }>> {
    const { listGiven } = await import("./delegating.ts");
    return await this.#opened.run({}, (reporter) => listGiven(this.#opened, reporter));
  }

  /** Plans a delegation, and changes nothing. @throws FeedkeyError as `delegate` does */
  async planDelegation(
    request: Uint8Array | string,
    options: Pick<DelegateOptions, "key" | "feeds" | "depth" | "expires">,
  ): Promise<Report<{ readonly plan: DelegationPlan }>> {
    const { planGiving } = await import("./delegating.ts");
    return await this.#opened.run({}, async (reporter) => ({
      plan: await planGiving(this.#opened, request, options, reporter),
    }));
  }

  /**
   * Lets another key sign some feeds for a time. Writes the delegate's certificate and path to key store, bundle and key
   * servers. @param request the delegate's certificate, its file, or its fingerprint if the key store has the certificate
   * @throws FeedkeyError as `rotate` does; also `bad_certificate`, `usage`, `revoked`, `expired`, `untrusted_signer`...
   */
  async delegate(
    request: Uint8Array | string,
    options: DelegateOptions,
  ): Promise<Report<Done & { readonly plan: DelegationPlan; readonly path: readonly Fingerprint[] }>> {
    const { give } = await import("./delegating.ts");
    return await this.#opened.run(options, (reporter) => give(this.#opened, request, options, reporter));
  }

  /** Plans the withdrawal of a delegation, and changes nothing. @throws FeedkeyError as `withdraw` does */
  async planWithdrawal(request: Uint8Array | string, { key }: Pick<WithdrawOptions, "key">): Promise<Withdrawal> {
    return await (await import("./delegating.ts")).planTaking(this.#opened, request, key);
  }

  /** Withdraws a delegation for ever. @throws FeedkeyError as `rotate` does; `not_found` if there is no delegation; `bad_config` */
  async withdraw(
    request: Uint8Array | string,
    options: WithdrawOptions,
  ): Promise<Report<Done & { readonly plan: Withdrawal }>> {
    const { take } = await import("./delegating.ts");
    return await this.#opened.run(options, (reporter) => take(this.#opened, request, options, reporter));
  }

  /** Adds keys from the key store to the bundle, and sends them to the configured key servers. @throws FeedkeyError as `rotate` does */
  async handOn(fingerprints: readonly Fingerprint[], options: KeeperCallOptions = {}): Promise<Report<Done>> {
    return await this.#opened.run(options, (reporter) => this.#opened.handOn(fingerprints, reporter));
  }

  /** Sends keys to key servers, and downloads them to check. @throws FeedkeyError as `rotate` does; `usage` without servers; `not_found` */
  async send(
    fingerprints: readonly string[],
    options: KeeperCallOptions = {},
  ): Promise<Report<Omit<Spread, "errors">>> {
    return await this.#opened.run(options, async (reporter) => {
      const names = await Promise.all(fingerprints.map((one) => this.#opened.store.resolve(one)));
      const spread = await this.#opened.spread(names, reporter);
      if (spread.sent.length === 0) throw noServer();
      return spread;
    });
  }

  /**
   * Downloads keys from the key servers into the key store. Stores only verified signatures.
   * @returns the keys' user IDs, by fingerprint
   * @throws FeedkeyError `usage` if there is no key server, or a fingerprint is not complete; `not_found`, `unavailable`
   */
  async receive(fingerprints: readonly string[]): Promise<ReadonlyMap<Fingerprint, string | undefined>> {
    const names = fingerprints.map((text) => requireFingerprint(hexDigits(text)));
    const servers = await this.#opened.servers();
    if (servers.urls.length === 0) throw noServer();
    return await (await import("../keys/send-and-receive.ts")).receive(this.#opened.store, names, servers);
  }
}

function noServer(): FeedkeyError {
  return new FeedkeyError("usage", "no key server given", {
    hint: "give --keyserver hkps://HOST, or an archive.ini (--config) or profile (--profile) that names key servers",
  });
}

/**
 * Opens an archive. Before its first call, the keeper opens no key, asks no server and writes nothing.
 * @throws FeedkeyError `not_found`, `bad_config`
 */
export async function openArchive(options: ArchiveOptions): Promise<Keeper> {
  return await Keeper.open(options);
}
