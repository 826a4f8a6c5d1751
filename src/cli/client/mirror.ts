/** Runs `feedkey mirror`: makes a verified copy of a feed for other clients. */
import type { MirrorOptions } from "../../index.ts";
import type { Context } from "../context.ts";
import { counted } from "../counted.ts";
import type { Outcome } from "../run.ts";

interface MirrorCommandOptions extends Pick<MirrorOptions, "latest" | "resetState"> {
  readonly withDepends?: boolean;
}

/** Brings the mirror up to date, or leaves the mirror unchanged. @throws FeedkeyError as `Client.mirror` does */
export async function mirror(
  context: Context,
  feed: string,
  folder: string,
  packages: readonly string[],
  { withDepends, ...options }: MirrorCommandOptions,
): Promise<Outcome> {
  return await context.withClient(async (client) => {
    const terms = { ...options, packages, withDependencies: withDepends, partial: true };
    const { errors, warnings: _, ...mirrored } = await client.mirror(feed, folder, terms);
    const { changed, packages: count, fetched, removed } = mirrored;
    const news = changed ? `${fetched} new, ${counted(removed, "file")} removed` : "unchanged";
    return { text: `${feed}: ${counted(count, "package")}, ${news}`, json: { ...mirrored }, errors };
  });
}
