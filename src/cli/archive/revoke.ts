/** Runs `feedkey revoke`, `send` and `receive`. */

import { escapeText } from "../../escape.ts";
import type { RevokeReason } from "../../index.ts";
import type { Keeper } from "../../keeper/open-archive.ts";
import { describeGenerations } from "../../keeper/words.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { oneOf } from "../usage-error.ts";
import { keeperOf, type ServerOptions } from "./archive-terms.ts";

export interface RevokeOptions extends PassphraseOptions, ServerOptions {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

const reasons: readonly RevokeReason[] = ["compromised", "superseded", "retired", "unspecified"];

/** Revokes a subkey. Clients keep their trust chains, because chains lead over primary keys. */
async function revokeSubkey(keeper: Keeper, subkey: string, reason: RevokeReason, dryRun: boolean): Promise<Outcome> {
  if (dryRun) {
    return { text: `would revoke the subkey ${subkey} as ${reason}`, json: { subkey, reason, dryRun: true } };
  }
  const revoked = await keeper.keys.revokeSubkey(subkey, { reason, partial: true });
  const json = { fingerprint: revoked.fingerprint, subkey: revoked.subkey, reason, done: revoked.done };
  return { text: revoked.done.join("\n"), json, errors: revoked.errors };
}

/**
 * Revokes a key. Without `--force`, refuses if clients would lose their trust chain.
 * @throws FeedkeyError `usage`, `not_found`, `bad_certificate`, `bad_config`
 */
export async function revoke(context: Context, fingerprint: string, options: RevokeOptions): Promise<Outcome> {
  const reason = oneOf(options.reason, reasons, "reason");
  const keeper = await keeperOf(context, options);
  if ((await keeper.keys.ownerOf(fingerprint)) !== undefined) {
    return await revokeSubkey(keeper, fingerprint, reason, options.dryRun === true);
  }
  if (options.dryRun === true) {
    const { fingerprint: name, generations } = await keeper.planRevocation(fingerprint, { reason });
    const text = [`would revoke ${name} as ${reason}`, ...describeGenerations(generations)].join("\n");
    return { text, json: { fingerprint: name, reason, generations, dryRun: true } };
  }
  const terms = { reason, force: options.force, partial: true };
  const { plan, done, sent, errors } = await keeper.revoke(fingerprint, terms);
  const { fingerprint: name, generations } = plan;
  return {
    text: [...describeGenerations(generations), ...done, ...sent].join("\n"),
    json: { fingerprint: name, reason, generations, done },
    errors,
  };
}

/** Sends keys to key servers, and checks that the servers return these keys. @throws FeedkeyError `usage`, `not_found` */
export async function send(
  context: Context,
  fingerprints: readonly string[],
  options: ServerOptions,
): Promise<Outcome> {
  const { sent, done, errors } = await (await keeperOf(context, options)).send(fingerprints, { partial: true });
  const json = sent.map(({ server, fingerprint, error }) => ({ server, fingerprint, ok: error === undefined }));
  return { text: done.join("\n"), json: { sent: json }, errors };
}

/** Downloads keys from the key servers into the key store. Stores only verified packets. */
export async function receive(
  context: Context,
  fingerprints: readonly string[],
  options: ServerOptions,
): Promise<Outcome> {
  const keeper = await keeperOf(context, options);
  const received = await keeper.receive(fingerprints);
  const lines = [...received].map(([name, userId]) => `${name}  ${escapeText(userId ?? "(no user ID)")}`);
  return { text: lines.join("\n"), json: { received: [...received.keys()] } };
}
