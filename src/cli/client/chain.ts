/** `feedkey chain` and `feedkey refresh`: what is known about the archive's keys, and asking for news. */

import type { Context } from "../context.ts";
import { counted } from "../counted.ts";
import type { Outcome } from "../run.ts";
import { chainDot, chainJson, chainTree } from "./chain-view.ts";

export interface ChainOptions {
  readonly dot?: boolean;
  readonly resetState?: boolean;
}

/** Asks for news, then shows the chain. @throws FeedkeyError as `Context.withClient` */
export async function chain(context: Context, { dot, resetState }: ChainOptions): Promise<Outcome> {
  return await context.withClient(async (client) => {
    const { trust } = await client.chain({ resetState });
    return { text: dot === true ? chainDot(trust) : chainTree(trust), json: chainJson(trust) };
  });
}

/** Asks about every key, however recent its last check. @throws FeedkeyError as `Context.withClient` */
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
