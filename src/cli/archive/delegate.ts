/** Runs `feedkey delegate`: lets build machines sign feeds. Clients follow the delegation without a change in their profiles. */

import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { DelegateOptions, DelegationPlan } from "../../index.ts";
import type { Keeper } from "../../keeper/open-archive.ts";
import { iso } from "../../time.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { keeperOf, type ServerOptions } from "./archive-terms.ts";
import { duration } from "./keygen.ts";

export interface DelegateCommandOptions
  extends PassphraseOptions,
    ServerOptions,
    Pick<DelegateOptions, "notationDomain" | "output"> {
  readonly key?: string;
  readonly feeds: string;
  readonly depth: string;
  readonly expires?: string;
  readonly withdraw?: boolean;
  readonly status?: boolean;
  readonly dryRun?: boolean;
}

/** Reads a delegation's feeds, depth and expiry. @throws FeedkeyError `usage` if an option is missing or not valid */
function termsOf({ depth, expires, feeds }: DelegateCommandOptions) {
  if (expires === undefined) {
    throw new FeedkeyError("usage", "a delegation must have an expiry, and no --expires was given", {
      hint: "for example --expires 90d",
    });
  }
  if (!/^\d$/.test(depth)) {
    throw new FeedkeyError("usage", `"${escapeText(depth)}" is not a depth`, {
      hint: "give --depth a number from 0 to 8",
    });
  }
  return { feeds: feeds.split(","), depth: Number(depth), expires: duration(expires, "--expires") };
}

async function take(keeper: Keeper, subject: string, key: string, { output, dryRun }: DelegateCommandOptions) {
  const words = (below: readonly string[]) =>
    below.map((one) => `${one}, to which this key delegated in turn, loses its rights too`);
  if (dryRun === true) {
    const { subject: one, userIds, below } = await keeper.planWithdrawal(subject, { key });
    const head = `would withdraw the delegation of ${one.fingerprint} (${userIds.map(escapeText).join(", ")}) for good`;
    const json = { withdrawn: one.fingerprint, below, dryRun: true };
    return { text: [head, ...words(below)].join("\n"), json };
  }
  const { plan, done, errors } = await keeper.withdraw(subject, { key, output, partial: true });
  const { fingerprint } = plan.subject;
  const head = `${fingerprint} is no longer a delegate of ${key}`;
  const json = { withdrawn: fingerprint, below: plan.below };
  return { text: [head, ...words(plan.below), ...done].join("\n"), json, errors };
}

async function give(keeper: Keeper, subject: string, key: string, options: DelegateCommandOptions) {
  const { output, dryRun, notationDomain } = options;
  const wanted = { ...termsOf(options), key, notationDomain };
  const who = ({ subject: one, userId }: DelegationPlan) => `${one.fingerprint} (${escapeText(userId)})`;
  const json = ({ subject: one, userId, terms, expiresAt }: DelegationPlan) => {
    return { delegate: one.fingerprint, userId, terms, expiresAt: iso(expiresAt) };
  };
  if (dryRun === true) {
    const { plan } = await keeper.planDelegation(subject, wanted);
    const text = `would let ${who(plan)} sign: ${plan.terms}; until ${iso(plan.expiresAt)}`;
    return { text, json: { ...json(plan), dryRun: true } };
  }
  const { plan, path, done, errors } = await keeper.delegate(subject, { ...wanted, output, partial: true });
  const head = `${who(plan)} may sign: ${plan.terms}; until ${iso(plan.expiresAt)}`;
  return { text: [head, ...done].join("\n"), json: { ...json(plan), path }, errors };
}

/** Makes, withdraws or lists delegations. @throws FeedkeyError `usage`, `not_found`, `bad_certificate`, `revoked`... */
export async function delegate(
  context: Context,
  subject: string | undefined,
  options: DelegateCommandOptions,
): Promise<Outcome> {
  if (options.status === true) {
    return await (await import("./delegate-status.ts")).delegateStatus(context, subject, options);
  }
  const { key } = options;
  if (subject === undefined || key === undefined) {
    throw new FeedkeyError("usage", `no ${key === undefined ? "key" : "certificate"} given`, {
      hint: "write feedkey delegate CERTIFICATE --key FINGERPRINT --expires 90d; --status shows what has been delegated",
    });
  }
  const keeper = await keeperOf(context, options);
  return await (options.withdraw === true ? take : give)(keeper, subject, key, options);
}
