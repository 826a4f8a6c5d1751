/** The steps of a rotation that ends with a theft, each rehearsed and then taken. */
import { join } from "node:path";
import type { LiveArchive } from "../testkit/archives/live-archive.ts";
import { opkg, pkgAdmin, standIn, withEnvironment } from "./stand-ins.ts";
import type { RowJson, Story } from "./story.ts";

export interface Step {
  readonly name: string;
  /** What is so after it. */
  readonly result: string;
  words(present: string): readonly string[];
}

export const rotate: Step = {
  name: "rotate",
  result: "A rotation has begun, and both keys sign where they can: `rotate`",
  words: () => ["rotate"],
};

export const finish: Step = {
  name: "rotate --finish --retire",
  result: "The successor signs alone, and the old key is retired: `rotate --finish --retire`",
  words: () => ["rotate", "--finish", "--retire"],
};

export const revoke: Step = {
  name: "revoke --reason compromised",
  result: "The successor was stolen, before anything else is published: `revoke NEW --reason compromised`",
  words: (present) => ["revoke", present, "--reason", "compromised"],
};

export const steps: readonly Step[] = [rotate, finish, revoke];

/** A step's command line for an archive, which goes ahead whoever breaks. */
export async function commandOf(step: Step, story: Story): Promise<readonly string[]> {
  return [...step.words(await story.present()), "--config", story.archive.config, "--force"];
}

/** What the rehearsal of a step foretells: by the programs that are installed, and the stand-ins for opkg and pkg_admin. */
export async function foretold(step: Step, story: Story): Promise<readonly RowJson[]> {
  const { archive }: { readonly archive: LiveArchive } = story;
  const folder = join(archive.folder, "bin");
  const path = await standIn(folder, "opkg", opkg);
  await standIn(folder, "pkg_admin", pkgAdmin);
  const command = await commandOf(step, story);
  return await withEnvironment({ PATH: path }, async () => {
    return (await archive.keep("rehearse", ...command)).rows as readonly RowJson[];
  });
}
