/** Runs `feedkey rotate`: replaces the archive's key in two steps. */

import { FeedkeyError } from "../../error.ts";
import type { Archive, RotationStatus, StepsTaken } from "../../index.ts";
import type { Keeper } from "../../keeper/open-archive.ts";
import { iso } from "../../time.ts";
import { givenPassphrase, newPassphrase, type PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { keeperOf, type ServerOptions, type WarnOptions, warningTime } from "./archive-terms.ts";
import { algorithmOf, duration } from "./keygen.ts";

export interface RotateOptions extends PassphraseOptions, ServerOptions, WarnOptions {
  readonly config: string;
  readonly algorithm?: string;
  readonly expires: string;
  readonly overlap: string;
  readonly to?: string;
  readonly backup?: string;
  readonly finish?: boolean;
  readonly atOnce?: boolean;
  readonly abandon?: boolean;
  readonly status?: boolean;
  readonly svg?: boolean;
  readonly retire?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

async function status(context: Context, keeper: Keeper, options: RotateOptions): Promise<Outcome> {
  const found = await keeper.status();
  const { present, successor = null, successorHere, predecessor = null, overlapEnds: ends, feeds } = found;
  const overlapEnds = ends === undefined ? null : iso(ends);
  const lines = [`present key  ${present}`];
  if (predecessor !== null) lines.push(`predecessor  ${predecessor}`);
  if (successor === null) lines.push("no rotation is under way");
  else {
    lines.push(`successor    ${successor}`);
    lines.push(
      successorHere
        ? `finish it    ${overlapEnds === null ? "now" : `after ${overlapEnds}`}: feedkey rotate --finish`
        : "its secret   is not in this key store: bring it back with feedkey key restore DIR, or withdraw it with --abandon",
    );
  }
  const isShown = successor !== null || feeds.some(({ signedBy }) => signedBy.length > 1);
  for (const line of isShown ? feeds.flatMap(feedLines) : []) lines.push(line);
  await keeper.warnAhead({ warnWithin: warningTime(options) });
  const keys = found.keys.map(({ fingerprint, createdAt, expiresAt, revokedAt }) => {
    const [end, revoked] = [expiresAt, revokedAt].map((at) => (at === undefined ? null : iso(at)));
    return { fingerprint, createdAt: iso(createdAt), expiresAt: end, revokedAt: revoked };
  });
  const json = { present, successor, successorHere, predecessor, overlapEnds, keys, feeds };
  if (options.svg !== true) return { text: lines.join("\n"), json };
  const { timeline } = await import("../../picture/timeline.ts");
  const text = timeline(found, context.at);
  return { text, quiet: text, json };
}

const readers = {
  any: "clients need to know only one of the signers",
  last: "some clients check only the last signature",
  one: "its index can have only one signature",
} as const;

function feedLines({ name, several, signedBy, needs }: RotationStatus["feeds"][number]): string[] {
  const signers = signedBy.length === 0 ? "not signed by the archive's keys" : `signed by ${signedBy.join(" and ")}`;
  return [
    `feed "${name}": ${signers}; ${readers[several]}`,
    `  before the new key signs alone, its stock clients need ${needs}`,
  ];
}

/** Returns the step of the rotation that the options select. */
function stepOf({ finish, atOnce, abandon }: RotateOptions): "begin" | "finish" | "at-once" | "abandon" {
  if (abandon === true) return "abandon";
  return atOnce === true ? "at-once" : finish === true ? "finish" : "begin";
}

async function plan(context: Context, keeper: Keeper, options: RotateOptions): Promise<Outcome> {
  const { to, backup, retire, force } = options;
  const step = stepOf(options);
  const { lifetime: _, ...terms } = step === "abandon" ? {} : termsOf(options);
  const { steps, errors } = await keeper.planRotation({ step, to, backup, retire, force, ...terms });
  if ((step === "begin" || step === "at-once") && backup === undefined && force !== true)
    context.reporter.warn("without --dry-run, the command will be refused unless it has --backup DIR or --force");
  const text = steps.map((line, place) => `${place + 1}. ${line}`).join("\n");
  return { text, json: { dryRun: true, steps }, errors };
}

/**
 * Returns the passphrase for the new key: the passphrase from the options, which then also opens the old key; otherwise the
 * answer to a prompt.
 */
async function passphraseOfNew(context: Context, options: RotateOptions): Promise<string | undefined> {
  const given = await givenPassphrase(options);
  if (given !== undefined || options.to !== undefined || context.options.json === true) return given;
  return await newPassphrase(options);
}

/** Returns the algorithm, lifetime and overlap for the new key; empty if the step is `--finish`, which makes no key. */
function termsOf({ algorithm, expires, overlap, finish }: RotateOptions) {
  if (finish === true) return {};
  return {
    algorithm: algorithm === undefined ? undefined : algorithmOf(algorithm),
    lifetime: expires === "never" ? undefined : duration(expires, "--expires"),
    overlap: duration(overlap, "--overlap"),
  };
}

function stockClients(
  { successor }: Pick<StepsTaken, "successor">,
  { config }: Archive,
  feeds: RotationStatus["feeds"],
): string[] {
  return [
    "clients with feedkey learn the new key by themselves; stock clients need the new certificate before you finish:",
    `  gpgv, opkg, apt: import ${config.root}/keys/archive-keyring.pgp (holds ${successor})`,
    ...feeds.map(({ name, needs }) => `  feed "${name}": ${needs}`),
  ];
}

/**
 * Takes the selected step of the rotation, or shows the state of the rotation.
 * @throws FeedkeyError `usage`, and the errors of the library
 */
export async function rotate(context: Context, options: RotateOptions): Promise<Outcome> {
  const chosen = [options.finish, options.atOnce, options.abandon, options.status].filter((one) => one === true).length;
  if (chosen > 1)
    throw new FeedkeyError("usage", "--finish, --at-once, --abandon and --status can't be combined: give only one");
  const keeper = await keeperOf(context, options);
  if (options.status === true) return await status(context, keeper, options);
  if (options.svg === true) throw new FeedkeyError("usage", "--svg needs --status");
  if (options.dryRun === true) return await plan(context, keeper, options);
  const step = stepOf(options);
  if (step === "abandon") {
    const { successor, done, sent, errors } = await keeper.abandonRotation({ partial: true });
    return { text: [...done, ...sent].join("\n"), json: { abandoned: successor, done }, errors };
  }
  const { to, backup, retire, force } = options;
  const taken = await keeper.rotate({
    step,
    ...termsOf(options),
    ...{ to, backup, retire, force, partial: true },
    newPassphrase: () => passphraseOfNew(context, options),
  });
  const { present, successor, finished, errors } = taken;
  const overlapEnds = iso(taken.overlapEnds);
  const next = finished
    ? []
    : [
        ...stockClients(taken, await keeper.archive(), (await keeper.status()).feeds),
        `finish after ${overlapEnds} with: feedkey rotate --finish --config ${options.config}`,
      ];
  const done = [...taken.done, ...next];
  return { text: done.join("\n"), json: { present, successor, overlapEnds, finished, done }, errors };
}
