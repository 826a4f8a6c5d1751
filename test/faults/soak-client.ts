/** A client of a soak: it runs one command after another, and what it accepts is compared with what was ever right. */
import * as fs from "node:fs/promises";
import { basename, join } from "node:path";
import { loadProfile } from "../../src/client/profiles/load-profile.ts";
import { type Client, FeedkeyError, openClient } from "../../src/index.ts";
import { ClientStateView } from "../../src/store/client-state-view.ts";
import type { FeedMeta } from "../../src/store/feed-meta.ts";
import { iso } from "../../src/time.ts";
import type { Dice } from "../testkit/dice.ts";
import { finalNames } from "../testkit/snapshot.ts";
import { type SoakArchive, sha256 } from "./soak-archive.ts";

/** What servers and connections that fail may lead to; anything else is wrong. */
export const expectedCodes: ReadonlySet<string> = new Set([
  "unavailable",
  "unchecked_revocation",
  "no_signature",
  "bad_signature",
  "bad_signature_data",
  "bad_index",
  "untrusted_signer",
  "revoked",
  "rollback",
  "digest_mismatch",
  "size_mismatch",
  "not_found",
  "locked",
]);

/** What a soak counts, for all its clients together. */
export class Tally {
  runs = 0;
  readonly accepted: Record<string, number> = { update: 0, fetch: 0, mirror: 0 };
  readonly errors: Record<string, number> = {};
  /** What must never happen, in words. */
  readonly wrong: string[] = [];
}

/** An index that a client accepted. */
interface Acceptance {
  readonly who: string;
  readonly digest: string;
  readonly signers: FeedMeta["signers"];
  /** When the command began. */
  readonly began: number;
}

/** URLs that a client may ask. */
export interface Addresses {
  /** The archive and its mirrors. */
  readonly archive: readonly string[];
  readonly keyserver: string;
}

export class SoakClient {
  readonly #name: string;
  readonly #state: string;
  readonly #isAlone: boolean;
  readonly #addresses: Addresses;
  readonly #archive: SoakArchive;
  readonly #tally: Tally;
  readonly #dice: Dice;
  /** Accepted indexes that were not compared yet: the archive may not have noted them. */
  #pending: Acceptance[] = [];
  /** Packages that an accepted index listed, as `NAME DIGEST`. */
  readonly #listed = new Set<string>();

  /** @param state clients with one state share its folders; empty: the client has a state of its own */
  constructor(name: string, state: string, addresses: Addresses, archive: SoakArchive, tally: Tally, dice: Dice) {
    this.#name = name;
    this.#state = state === "" ? name : state;
    this.#isAlone = state === "";
    this.#addresses = addresses;
    this.#archive = archive;
    this.#tally = tally;
    this.#dice = dice;
  }

  #folder(what: string): string {
    return join(this.#archive.live.folder, `${this.#state}-${what}`);
  }

  #wrong(what: string): void {
    this.#tally.wrong.push(`${this.#name}: ${what}`);
  }

  async #open(): Promise<Client> {
    const profile = await loadProfile(this.#archive.live.profile);
    const { archive, keyserver } = this.#addresses;
    // As behind a name with several addresses, each run may ask another server first, or one alone.
    const [url = "", ...mirrors] = this.#dice.chance(0.5) ? archive : archive.toReversed();
    const asked = { ...profile.archive, url, mirrors: this.#dice.chance(0.5) ? mirrors : [] };
    const trust = { ...profile.trust, keyservers: [keyserver] };
    return await openClient({ profile: { ...profile, archive: asked, trust }, stateFolder: this.#folder("state") });
  }

  /** The last accepted index, as the disk has it. */
  async #remembered(): Promise<FeedMeta | undefined> {
    const view = await ClientStateView.openReadOnly(this.#folder("state"), "example");
    return (await view.lastIndex("base"))?.meta;
  }

  /** One command, of a process of its own as far as connections go. */
  async run(): Promise<void> {
    // A machine that is new has nothing to compare with.
    if (this.#isAlone && this.#dice.chance(0.15)) await fs.rm(this.#folder("state"), { recursive: true, force: true });
    const command = this.#dice.pick(["update", "update", "update", "fetch", "fetch", "mirror"] as const);
    const before = await this.#remembered();
    const began = Date.now();
    let failed: FeedkeyError | undefined;
    this.#tally.runs += 1;
    try {
      await using client = await this.#open();
      if (command === "update") await client.update();
      else if (command === "fetch") await client.fetchAll([], { folder: this.#folder("out"), latest: true });
      else await client.mirror("base", this.#folder("mirror"));
      this.#tally.accepted[command] = (this.#tally.accepted[command] ?? 0) + 1;
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      failed = error;
      this.#tally.errors[error.code] = (this.#tally.errors[error.code] ?? 0) + 1;
      if (!expectedCodes.has(error.code)) this.#wrong(`${command}: ${error.code}: ${error.message}`);
    }
    await this.#compare(command, before, began, failed);
  }

  async #compare(
    command: string,
    before: FeedMeta | undefined,
    began: number,
    failed: FeedkeyError | undefined,
  ): Promise<void> {
    const after = await this.#remembered();
    if (before !== undefined && (after?.createdAt ?? 0) < before.createdAt) this.#wrong(`${command} went back in time`);
    const changed = after?.sha256 !== before?.sha256 || after?.createdAt !== before?.createdAt;
    if (this.#isAlone && changed && failed !== undefined && command === "update") {
      this.#wrong(`update failed (${failed.code}), but replaced the last good index`);
    }
    // What a command relied on must have been right when it began, whether or not it was new.
    const relied = failed === undefined || changed;
    if (after !== undefined && relied && this.#isAlone) {
      this.#pending.push({ who: `${this.#name} ${command}`, digest: after.sha256, signers: after.signers, began });
    }
    if (command === "mirror") await this.#compareMirror();
  }

  /** What has its final name was listed by an index that this client accepted. */
  async #comparePackages(): Promise<void> {
    for (const name of await finalNames(this.#folder("out"))) {
      const digest = sha256(await fs.readFile(join(this.#folder("out"), name)));
      const isRight = this.#isAlone ? this.#listed.has(`${name} ${digest}`) : this.#archive.isPackage(name, digest);
      if (!isRight) this.#wrong(`no accepted index listed ${name} as it was fetched`);
    }
  }

  /** Whatever came of the run, the mirror has one index with all its packages. */
  async #compareMirror(): Promise<void> {
    const folder = join(this.#folder("mirror"), "feeds/base");
    const index = await fs.readFile(join(folder, "Packages")).catch(() => undefined);
    if (index === undefined) return;
    const listed = [...index.toString().matchAll(/^Filename: (.*)$(?:.|\n)*?^SHA256sum: (.*)$/gm)];
    for (const [, name = "", digest] of listed) {
      const bytes = await fs.readFile(join(folder, basename(name))).catch(() => undefined);
      if (bytes === undefined || sha256(bytes) !== digest)
        this.#wrong(`mirror without the ${name} that its index lists`);
    }
    this.#pending.push({ who: `${this.#name}'s mirror`, digest: sha256(index), signers: [], began: 0 });
  }

  /** Compares what was accepted with what was published; called when no publication is under way. */
  async examine(): Promise<void> {
    for (const { who, digest, signers, began } of this.#pending) {
      const published = this.#archive.indexes.get(digest);
      if (published === undefined) {
        this.#wrong(`${who}: ${digest} was never published`);
        continue;
      }
      for (const [file, sha] of published.packages) this.#listed.add(`${file} ${sha}`);
      for (const { certificate, createdAt } of signers) {
        const revoked = this.#archive.revoked.get(certificate) ?? Number.POSITIVE_INFINITY;
        const isPair = published.signatures.has(`${certificate} ${createdAt}`);
        if (!isPair) this.#wrong(`${who}: ${digest} was never signed by ${certificate} at ${iso(createdAt)}`);
        if (began > revoked) this.#wrong(`${who}: accepted although ${certificate} was revoked`);
      }
    }
    this.#pending = [];
    await this.#comparePackages();
  }

  /** With all servers in order, everything succeeds, and the newest index is accepted. */
  async recover(): Promise<void> {
    try {
      await using client = await this.#open();
      await client.update();
      await client.fetchAll([], { folder: this.#folder("out"), latest: true });
      await client.mirror("base", this.#folder("mirror"));
    } catch (error) {
      this.#wrong(`failed although all servers are in order: ${error}`);
    }
    const last = await this.#remembered();
    if (last?.sha256 !== (await this.#archive.current())) this.#wrong("did not accept the newest index in the end");
    await this.#compareMirror();
  }
}
