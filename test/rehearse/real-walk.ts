/** Real machines on the way through a rotation, asked where an answer can change. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { machines } from "./real-machines.ts";
import { type SetUpMachine, setUpMachine, shipProfile } from "./set-up-machines.ts";
import { commandOf, finish, revoke, rotate, type Step, steps } from "./steps.ts";
import type { Story } from "./story.ts";
import type { Generation } from "./who-accepts.ts";

/** What a machine did. */
export interface Found {
  /** As a rehearsal calls it, with `, in use` for one that updated before. */
  readonly client: string;
  readonly generation: Generation;
  readonly word: "accepts" | "refuses";
}

export const clients: readonly string[] = Object.keys(machines);

export class RealWalk {
  readonly #story: Story;
  /** By client: one whose timer runs after every step, and one that sleeps through the overlap. */
  readonly #followers = new Map<string, SetUpMachine>();
  readonly #sleepers = new Map<string, SetUpMachine>();

  private constructor(story: Story) {
    this.#story = story;
  }

  /** Sets machines up by the archive's first key, and has them update. @throws Error if one refuses */
  static async begin(story: Story, first: string): Promise<RealWalk> {
    const { archive, shipped } = story;
    await shipProfile(archive, first, shipped.get(first) ?? "");
    const walk = new RealWalk(story);
    const begin = async (client: string) => {
      for (const [kind, all] of [
        ["f", walk.#followers],
        ["s", walk.#sleepers],
      ] as const) {
        const machine = await setUpMachine(archive, client, `${kind}-${client}`);
        all.set(client, machine);
        const { status, stdout, stderr } = await machine.refresh();
        if (status !== 0) throw new Error(`${client} refuses before anything has changed:\n${stdout}\n${stderr}`);
      }
    };
    await Promise.all(clients.map(begin));
    return walk;
  }

  /** Takes a step, and asks each client. */
  async take(step: Step): Promise<Found[]> {
    await this.#story.archive.keep(...(await commandOf(step, this.#story)));
    await this.#story.ship();
    const bundle = await this.#story.keepBundle(`bundle-${steps.indexOf(step)}`);
    const found = await Promise.all(clients.map((client) => this.#ask(step, client, bundle)));
    return found.flat();
  }

  async #ask(step: Step, client: string, bundle: string): Promise<Found[]> {
    const [follower, sleeper] = [this.#followers.get(client), this.#sleepers.get(client)];
    const found: Found[] = [];
    const note = (generation: Generation, accepts: boolean | undefined, use = ", in use") => {
      found.push({ client: client + use, generation, word: accepts === true ? "accepts" : "refuses" });
    };
    const accepts = async (machine: SetUpMachine | undefined) => (await machine?.refresh())?.status === 0;
    await follower?.ticks();
    note("set-up", await accepts(follower));
    if (step === finish) {
      note("old", await accepts(sleeper));
      // Too late: feedkey does not follow a key that is retired.
      await sleeper?.ticks();
      note("old", await accepts(sleeper));
    }
    if (step === rotate) note("new", await this.#anew(client, "new", [...this.#story.shipped.values()].at(-1)), "");
    if (step === revoke) note("new-bundle", await this.#anew(client, "bundle", bundle), "");
    return found;
  }

  /** What one says that gets a keyring by hand now, and has never updated. */
  async #anew(client: string, name: string, keyring = ""): Promise<boolean | undefined> {
    const { archive } = this.#story;
    const root = join(archive.folder, `${name}-${client}`);
    await fs.mkdir(root);
    return await machines[client]?.({ root, keyring, url: archive.url });
  }

  async remove(): Promise<void> {
    for (const one of [...this.#followers.values(), ...this.#sleepers.values()]) await one.remove();
  }
}
