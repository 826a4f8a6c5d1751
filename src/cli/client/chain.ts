/**
 * Runs `feedkey chain` and `feedkey refresh`: both ask servers for news of the archive's keys, and show which keys the client trusts.
 */

import { FeedkeyError } from "../../error.ts";
import type { Context } from "../context.ts";
import { counted } from "../counted.ts";
import type { Outcome } from "../run.ts";
import { chainJson, chainTree } from "./chain-view.ts";

interface ChainOptions {
  readonly dot?: boolean;
  readonly svg?: boolean;
  readonly resetState?: boolean;
}

/**
 * Asks servers for news of keys, then shows which keys the client trusts and why.
 * @throws FeedkeyError `usage`, and as `Context.withClient`
 */
export async function chain(context: Context, { dot, svg, resetState }: ChainOptions): Promise<Outcome> {
  if (dot === true && svg === true) throw new FeedkeyError("usage", "--dot and --svg can't be combined: give only one");
  return await context.withClient(async (client) => {
    const { trust } = await client.chain({ resetState });
    if (dot !== true && svg !== true) return { text: chainTree(trust), json: chainJson(trust) };
    const draw = async () => {
      const { chainPicture } = await import("../../picture/chain-picture.ts");
      return await chainPicture(trust, client.profile.archive.name);
    };
    const text = svg === true ? await draw() : (await import("../../picture/chain-graph.ts")).chainGraph(trust);
    return { text, quiet: text, json: chainJson(trust) };
  });
}

/** Asks the servers about every key, even if the client checked the key recently. @throws FeedkeyError as `Context.withClient` does */
export async function refresh(context: Context, { resetState }: Pick<ChainOptions, "resetState">): Promise<Outcome> {
  return await context.withClient(async (client) => {
    const { trust, added, dropped, checked, errors } = await client.refresh({ resetState, partial: true });
    const lines = [
      `${counted(trust.trusted.size, "key")} trusted, ${checked.size} checked with the key servers`,
      ...added.map((key) => `+ ${key}`),
      ...dropped.map((key) => `- ${key}`),
    ];
    return {
      text: lines.join("\n"),
      json: { ...chainJson(trust), added, dropped, checked: Object.fromEntries(checked) },
      errors,
    };
  });
}
