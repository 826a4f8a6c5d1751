/** Machines that `feedkey setup` set up for one of the stock clients each, and whose timer runs when a test says so. */
import * as fs from "node:fs/promises";
import { AptMachine } from "../export/apt-repository.ts";
import { PacmanMachine } from "../pacman/machine.ts";
import { DnfMachine, ZypperMachine } from "../rpm-md/live.ts";
import type { LiveArchive } from "../testkit/archives/live-archive.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import type { Ended } from "../testkit/programs/command-line.ts";

export interface SetUpMachine {
  /** Reads its feed once more; it accepts the feed if it ends with status 0. */
  refresh(): Promise<Ended>;
  ticks(): Promise<void>;
  remove(): Promise<void>;
}

/** The feeds of `archiveOfAll` as a client's profile has them. */
const sections = [
  ["[feed stable]", "format = apt", "path = .", "suite = stable", "components = main", "architectures = amd64"],
  ["[feed core]", "format = rpm-md", "path = rpm"],
  ["[feed extra]", "format = pacman", "path = arch"],
];

/** Ships a profile with one seed, by the certificate that the archive had then; it learns of others from the archive alone. */
export async function shipProfile({ profile, url }: LiveArchive, seed: string, certificate: string): Promise<void> {
  const head = ["[archive]", "name = Example", `url = ${url}`, `user-id = ${archiveUserId}`];
  const trust = ["[trust]", `keyring = ${certificate}`, `seeds = ${seed}`, "keyservers = none"];
  await fs.writeFile(profile, `${[...head, ...trust, ...sections.flat()].join("\n")}\n`);
}

const nothing = async () => undefined;

/** Sets a machine up for a client by the profile that was shipped last. @param name of its folder */
export async function setUpMachine(live: LiveArchive, client: string, name: string): Promise<SetUpMachine> {
  if (client === "apt-get") {
    const machine = await AptMachine.make(live, name);
    return { refresh: () => machine.update(), ticks: () => machine.ticks(), remove: nothing };
  }
  if (client === "pacman") {
    const machine = await PacmanMachine.make({ live }, name);
    await machine.setUp({ live });
    await machine.ticks();
    return { refresh: () => machine.pacman("-Syy"), ticks: () => machine.ticks(), remove: () => machine.stop() };
  }
  const machine = client === "dnf" ? new DnfMachine({ live }, name) : new ZypperMachine({ live }, name);
  await machine.setUp({ live });
  return { refresh: () => machine.refresh(), ticks: () => machine.ticks(), remove: nothing };
}
