/** A client that has an old state of an archive, while a new one is published with another key; faults come between them. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { loadProfile } from "../../src/client/profiles/load-profile.ts";
import { type FeedkeyError, orRefusal } from "../../src/error.ts";
import { type Client, openClient } from "../../src/index.ts";
import type { Profile } from "../../src/profile/types.ts";
import { ClientStateView } from "../../src/store/client-state-view.ts";
import type { Instant } from "../../src/time.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { finalNames, leftovers } from "../testkit/snapshot.ts";
import { sha256 } from "./soak-archive.ts";

export const commands = ["update", "fetch", "mirror"] as const;
export type Command = (typeof commands)[number];

/** The clients' time. */
export const at = published + 3 * hour;

/** How an attempt is made. */
export interface Terms {
  /** How the client's profile differs. */
  readonly change?: (profile: Profile) => Profile;
  /** The client's time during the fault. */
  readonly time?: Instant;
  /** Runs the command under a fault of the machine. */
  readonly fault?: (run: () => Promise<void>) => Promise<unknown>;
}

/** What became of an attempt. */
export interface Attempt {
  /** The error's code; undefined if the command succeeded. */
  readonly code: string | undefined;
  readonly reason: unknown;
  /** The index that the client then has. */
  readonly state: "old" | "new";
}

export class Story {
  readonly archive: TestArchive;
  /** The published tree, as it was and as it is. */
  readonly old: string;
  readonly new: string;
  readonly #profile: Profile;
  readonly #indexes: Readonly<Record<string, "old" | "new">>;
  #attempts = 0;

  private constructor(archive: TestArchive, profile: Profile, indexes: Readonly<Record<string, "old" | "new">>) {
    this.archive = archive;
    this.#profile = profile;
    this.#indexes = indexes;
    [this.old, this.new] = [join(archive.folder, "old"), archive.site];
  }

  static async make(): Promise<Story> {
    const archive = await TestArchive.make();
    const keyring = join(archive.folder, "shipped");
    await fs.cp(join(archive.home, "certs"), keyring, { recursive: true });
    await archive.writeProfile({ keyring });
    const old = await fs.readFile(archive.file("Packages"));
    await fs.cp(archive.site, join(archive.folder, "old"), { recursive: true });
    await using client = await openClient({ profile: archive.profile, stateFolder: archive.state, at });
    await client.update();
    await client.mirror("base", join(archive.folder, "mirror"));
    for (const name of ["gamma", "delta"]) await archive.addPackage(name);
    await archive.publish(published + hour);
    const rotate = ["rotate", "--at-once", "--config", archive.config, "--backup", join(archive.folder, "backup")];
    const ended = await runHere(archive.keeperArgs(published + 2 * hour, ...rotate));
    expect(ended.status, ended.stdout).to.equal(0);
    await archive.mirror.sync(archive.site);
    const now = await fs.readFile(archive.file("Packages"));
    const indexes = { [sha256(old)]: "old", [sha256(now)]: "new" } as const;
    return new Story(archive, await loadProfile(archive.profile), indexes);
  }

  /** A client with the old state, in a folder of its own. */
  async #client(folder: string, url: string, { change, time = at }: Terms = {}): Promise<Client> {
    const usual = { ...this.#profile, archive: { ...this.#profile.archive, url } };
    return await openClient({ profile: change?.(usual) ?? usual, stateFolder: join(folder, "state"), at: time });
  }

  /**
   * Runs a command under a fault, and checks what it leaves: the old or the new state, and no mixture of them; and without the
   * fault, the next run gets the new one.
   * @param url where the fault waits
   */
  async attempt(command: Command, url: string, terms: Terms = {}): Promise<Attempt> {
    const { fault = (action) => action() } = terms;
    const folder = join(this.archive.folder, `attempt-${this.#attempts++}`);
    for (const part of ["state", "mirror"]) {
      await fs.cp(join(this.archive.folder, part), join(folder, part), { recursive: true, verbatimSymlinks: true });
    }
    const run = async (client: Client) => {
      if (command === "update") await client.update();
      if (command === "fetch") await client.fetchAll([], { folder: join(folder, "out"), all: true });
      if (command === "mirror") await client.mirror("base", join(folder, "mirror"));
    };
    let error: FeedkeyError | undefined;
    {
      await using client = await this.#client(folder, url, terms);
      await fault(async () => {
        error = (await orRefusal(() => run(client))) ?? undefined;
      });
    }
    const state = await this.#state(folder);
    await this.#checkFiles(folder);
    await using client = await this.#client(folder, `file://${this.new}/`);
    if (command === "fetch") await client.update();
    await run(client);
    expect(await this.#state(folder), "after the next run").to.equal("new");
    await this.#checkFiles(folder);
    expect(await leftovers(folder)).to.deep.equal([]);
    await fs.rm(folder, { recursive: true });
    return { code: error?.code, reason: error?.details.reason, state };
  }

  async #state(folder: string): Promise<"old" | "new"> {
    const view = await ClientStateView.openReadOnly(join(folder, "state"), "example");
    const last = await view.lastIndex("base");
    const index = this.#indexes[last?.meta.sha256 ?? ""];
    if (index === undefined) throw new Error(`the client has an index that was never published: ${last?.meta.sha256}`);
    expect(last?.meta.signers.map(({ certificate }) => certificate === this.archive.key)).to.deep.equal([
      index === "old",
    ]);
    return index;
  }

  /** Packages are whole, and the mirror is of one piece. */
  async #checkFiles(folder: string): Promise<void> {
    for (const name of await finalNames(join(folder, "out"))) {
      const [got, right] = [await fs.readFile(join(folder, "out", name)), await fs.readFile(this.archive.file(name))];
      expect(got.equals(right), name).to.equal(true);
    }
    const mirror = join(folder, "mirror", "feeds", "base");
    const index = this.#indexes[sha256(await fs.readFile(join(mirror, "Packages")))];
    expect(index, "the mirror's index").to.be.oneOf(["old", "new"]);
    const right = join(index === "old" ? this.old : this.new, "feeds", "base");
    for (const name of await fs.readdir(right)) {
      const [got, expected] = [await fs.readFile(join(mirror, name)), await fs.readFile(join(right, name))];
      expect(got.equals(expected), `the mirror's ${name} is of the ${index} state`).to.equal(true);
    }
  }
}
