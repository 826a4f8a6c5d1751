/** A suite in an archive.ini, beside two checksum files in one folder: feeds whose index another program writes. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../src/time.ts";
import { hex } from "../sums/release.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { type Suite, withSuite } from "./suite.ts";

export interface Keeper {
  /** Runs a command with the archive.ini. */
  (at: Instant, command: string, ...args: readonly string[]): Promise<JsonDocument>;
  /** One that must succeed. */
  done(at: Instant, command: string, ...args: readonly string[]): Promise<JsonDocument>;
}

/** Gives an action an archive of its own: feed `stable` of apt, `v1` and `tools` of checksum files; nothing is signed yet. */
export async function withArchive(action: (suite: Suite, keeper: Keeper) => Promise<void>): Promise<void> {
  await withSuite(async (suite) => {
    const config = join(suite.folder, "archive.ini");
    const lines = ["[archive]", "root = site", `user-id = ${archiveUserId}`, `key = ${suite.key}`];
    lines.push("[feed stable]", "format = apt", "path = debian/dists/stable");
    lines.push("[feed v1]", "format = sums", "path = v1", "[feed tools]", "format = sums", "path = v1");
    lines.push("index = CHECKSUMS");
    await fs.writeFile(config, `${lines.join("\n")}\n`);
    await suite.release();
    for (const name of ["SHA256SUMS", "CHECKSUMS"]) {
      await suite.write(join(suite.folder, "site/v1", name), `${hex("tool")}  tool\n`);
    }
    const run = async (at: Instant, command: string, ...args: readonly string[]) => {
      const home = ["--home", join(suite.folder, "home"), "--json", "--at", iso(at)];
      return documentOf(await runHere([...home, command, ...args, "--config", config]));
    };
    const done: Keeper["done"] = async (at, ...args) => {
      const document = await run(at, ...args);
      expect(document.error, JSON.stringify(document)).to.equal(undefined);
      return document;
    };
    await action(suite, Object.assign(run, { done }));
  });
}
