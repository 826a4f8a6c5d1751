/** Runs `feedkey fetch`: downloads and verifies packages that verified indexes list. */

import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { FetchAllOptions } from "../../index.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";

interface FetchOptions extends Pick<FetchAllOptions, "resetState" | "all" | "latest"> {
  readonly output: string;
  readonly feed?: string[];
  readonly withDepends?: boolean;
  readonly cache?: string;
}

/** Fetches packages. If feedkey refuses a package, it still fetches the others. @throws FeedkeyError `usage`, `not_found` */
export async function fetch(context: Context, requests: readonly string[], given: FetchOptions): Promise<Outcome> {
  const { output: folder, feed: feeds, all, latest, withDepends, resetState } = given;
  if (requests.length === 0 && all !== true && latest !== true) {
    throw new FeedkeyError("usage", "no package given", {
      hint: "give packages as NAME or NAME=VERSION, or use --latest or --all",
    });
  }
  return await context.withClient(async (client) => {
    const cache = given.cache === undefined ? undefined : { folder: given.cache };
    const options = { folder, feeds, all, latest, withDependencies: withDepends, cache, resetState, partial: true };
    const { packages, errors } = await client.fetchAll(requests, options);
    return {
      text: packages.map(({ path, present }) => `${escapeText(path)}${present ? " (already there)" : ""}`).join("\n"),
      json: { packages },
      errors,
    };
  });
}
