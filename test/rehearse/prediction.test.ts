// What a rehearsal shows is what then happens: each step is rehearsed, then taken, and every client asked by itself.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { needing } from "../testkit/programs/programs.ts";
import { RealClient, stockVerdicts } from "./real-clients.ts";
import { type RowJson, Story, type Table, tableOf } from "./story.ts";

interface Step {
  readonly name: string;
  /** Its own words; what would be refused without `--force` is forced: what is predicted is what comes of it. */
  readonly command: (story: Story) => Promise<readonly string[]>;
  /** What comes after the step itself, as the keepers would do it. */
  readonly afterwards?: (story: Story) => Promise<void>;
  /** The key that is named in archive.ini then. */
  readonly publishWith?: (story: Story) => string;
}

let updates = 0;

/**
 * Asks every client of every generation, each in use since before.
 * @param keys those that there were before the step
 * @param present the key that those were set up with
 */
async function ask(
  story: Story,
  keys: readonly string[],
  bundles: Readonly<Record<string, string>>,
  inUse: string,
  present: string,
): Promise<Table> {
  const feed = story.archive.file("");
  const table: Table = {};
  updates += 1;
  const fresh = `fresh-${updates}`;
  await Promise.all([
    ...keys.map(async (key) => {
      const file = story.shipped.get(key) ?? "";
      const client = await RealClient.make(story.archive.folder, story.site, key, file);
      const stock = await stockVerdicts(file, feed);
      const [young, old] = [await client.update(`${fresh}-${key}`), await client.update(`${inUse}-${key}`)];
      table[key] = { ...stock, feedkey: young, "feedkey, in use": old };
      if (key === present) table["set-up"] = await stockVerdicts(await client.timer(`${inUse}-set-up`), feed);
    }),
    ...Object.entries(bundles).map(async ([name, file]) => {
      table[name] = await stockVerdicts(file, feed);
    }),
  ]);
  return table;
}

async function revokePresent(story: Story): Promise<string[]> {
  return ["revoke", await story.present(), "--reason", "compromised", "--force", "--config", story.archive.config];
}

const steps: readonly Step[] = [
  { name: "rotate", command: async ({ rotate }) => rotate },
  { name: "rotate --abandon", command: async ({ rotate }) => [...rotate, "--abandon"] },
  { name: "rotate --at-once", command: async ({ rotate }) => [...rotate, "--at-once"] },
  {
    name: "rotate --finish --retire, after a rotation that was begun",
    command: async (story) => {
      await story.archive.keep(...story.rotate);
      await story.ship();
      return [...story.rotate, "--finish", "--retire"];
    },
  },
  {
    name: "revoke the present key as compromised, before anything else is published",
    command: async (story) => await revokePresent(story),
  },
  {
    name: "the same, and publish with another",
    command: async (story) => await revokePresent(story),
    publishWith: ({ shipped }) => [...shipped.keys()][0] ?? "",
    afterwards: async (story) => {
      const [first = ""] = story.shipped.keys();
      await story.archive.writeConfig(first);
      await story.archive.keep("publish", "--config", story.archive.config);
    },
  },
  {
    name: "delegate",
    command: async (story) => {
      const { home, folder, config } = story.archive;
      const machine = await addKey(home, { userId: "Machine <machine@example.org>", at: Date.now() - 5000 });
      const request = join(folder, "request.asc");
      await fs.copyFile(join(home, "certs", `${machine}.asc`), request);
      return [
        "delegate",
        request,
        "--key",
        await story.present(),
        "--feeds",
        "ba*",
        "--expires",
        "90d",
        "--config",
        config,
      ];
    },
    afterwards: async ({ archive }) => {
      const { keys } = await archive.keep("key", "list");
      const machine = (keys as { fingerprint: string; userId: string }[]).find(({ userId }) =>
        userId.includes("machine@"),
      );
      await archive.keep("sign", archive.file("Packages"), "--feed", "base", "--key", machine?.fingerprint ?? "");
    },
  },
];

describe("rehearse: what it predicts is what then happens", function () {
  this.timeout(120_000);
  let story: Story;

  before(async function () {
    needing("gpgv", "gpg", "sqv").call(this);
    const archive = await LiveArchive.make();
    story = new Story(archive);
    await archive.publish(await archive.keygen());
    await story.ship();
  });

  after(() => story?.archive.remove());

  for (const [place, step] of steps.entries()) {
    it(step.name, async () => {
      const { archive } = story;
      const command = await step.command(story);
      const keys = [...story.shipped.keys()];
      const present = await story.present();
      const inUse = `in-use-${place}`;
      const bundle = await story.keepBundle(`bundle-${place}`);
      const with_ = step.publishWith === undefined ? [] : ["--publish-with", step.publishWith(story)];
      const predicted = await archive.keep("rehearse", ...with_, ...command);
      const rows = predicted.rows as readonly RowJson[];

      const now = await ask(story, keys, { bundle }, inUse, present);
      expect(tableOf(rows, "before"), "now").to.deep.equal({ ...now, "new-bundle": now.bundle });

      await archive.keep(...command);
      await step.afterwards?.(story);
      await story.ship();
      const imported = await story.keepBundle(`bundle-after-${place}`);
      const then = await ask(story, keys, { bundle, "new-bundle": imported }, inUse, present);
      expect(tableOf(rows, "after"), "afterwards").to.deep.equal(then);
      const broken = rows.filter(({ before, after }) => before === "accepts" && after !== "accepts");
      expect(predicted.breaks).to.equal(broken.length);
    });
  }
});
