/** `feedkey chain` and `feedkey refresh`: what is known about the archive's keys, and asking for news. */
import { refresh as refreshKeys } from "../client/refresh.ts";
import { FeedkeyError } from "../error.ts";
import { chainDot, chainJson, chainTree } from "./chain-view.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";

export interface ChainOptions {
  readonly dot?: boolean;
  readonly resetState?: boolean;
}

/** Asks for news, then shows the chain. @throws FeedkeyError as `Context.withSession` */
export async function chain(context: Context, options: ChainOptions): Promise<Outcome> {
  return await context.withSession({ resetState: options.resetState === true }, async (session) => {
    const { trust } = await refreshKeys(session);
    return { text: options.dot === true ? chainDot(trust) : chainTree(trust), json: chainJson(trust) };
  });
}

/** Asks about every key, however recent its last check. @throws FeedkeyError as `Context.withSession` */
export async function refresh(context: Context, options: Pick<ChainOptions, "resetState">): Promise<Outcome> {
  return await context.withSession({ resetState: options.resetState === true }, async (session) => {
    const before = new Set(session.known.keys());
    const { trust } = await refreshKeys(session, true);
    const added = [...trust.trusted.keys()].filter((key) => !before.has(key));
    const dropped = [...before].filter((key) => !trust.trusted.has(key));
    // What is known to be bad, from the archive's bundle perhaps, was not asked about: no answer could change it.
    const unchecked = [...trust.rejected].filter(([, { code }]) => code === "unchecked_revocation");
    const inQuestion = [...trust.trusted.keys(), ...unchecked.map(([key]) => key)];
    const unanswered = session.checkPolicy.required ? inQuestion.filter((key) => !session.answered.has(key)) : [];
    const lines = [
      `${trust.trusted.size} keys trusted, ${session.answered.size} checked with the key servers`,
      ...added.map((key) => `+ ${key}`),
      ...dropped.map((key) => `- ${key}`),
    ];
    return {
      text: lines.join("\n"),
      json: { ...chainJson(trust), added, dropped, checked: Object.fromEntries(session.answered) },
      errors: unanswered.map((key) => {
        return new FeedkeyError("unavailable", `no key server gave a proper answer about ${key}`, {
          details: { fingerprint: key },
          hint: "check the network and the profile's key servers; until then grace applies",
        });
      }),
    };
  });
}
