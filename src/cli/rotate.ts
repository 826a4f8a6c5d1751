/** `feedkey rotate`: a key transition in two steps. */

import { type Archive, knownCertificates, refreshBundle } from "../archive/archive.ts";
import { describeGenerations } from "../archive/orphans.ts";
import { abandonRotation, applyRevocation, planRevocation, refuseOrphans } from "../archive/revoke.ts";
import { findRivals } from "../archive/rivals.ts";
import {
  finishRotation,
  type RotationStep,
  readRotation,
  startRotation,
  wasCutOffFinishing,
} from "../archive/rotate.ts";
import { FeedkeyError } from "../error.ts";
import { iso } from "../time.ts";
import { openArchive, type ServerOptions, spread } from "./archive-terms.ts";
import type { Context } from "./context.ts";
import { algorithmOf, duration } from "./keygen.ts";
import { givenPassphrase, newPassphrase, type PassphraseOptions } from "./passphrase.ts";
import type { Outcome } from "./run.ts";

export interface RotateOptions extends PassphraseOptions, ServerOptions {
  readonly config: string;
  readonly algorithm: string;
  readonly expires: string;
  readonly overlap: string;
  readonly to?: string;
  readonly backup?: string;
  readonly finish?: boolean;
  readonly atOnce?: boolean;
  readonly abandon?: boolean;
  readonly status?: boolean;
  readonly retire?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

async function status(archive: Archive): Promise<Outcome> {
  const { present, successor, overlapEnds, predecessor } = await readRotation(archive);
  const names = {
    present: present.raw.fingerprint,
    successor: successor?.raw.fingerprint ?? null,
    predecessor: predecessor?.raw.fingerprint ?? null,
    overlapEnds: overlapEnds === undefined ? null : iso(overlapEnds),
  };
  const lines = [`present key  ${names.present}`];
  if (names.predecessor !== null) lines.push(`it followed  ${names.predecessor}`);
  if (names.successor === null) lines.push("no rotation is under way");
  else {
    lines.push(`successor    ${names.successor}`);
    lines.push(
      `finish it    ${names.overlapEnds === null ? "now" : `after ${names.overlapEnds}`}: feedkey rotate --finish`,
    );
  }
  return { text: lines.join("\n"), json: names };
}

async function plan(archive: Archive, options: RotateOptions): Promise<Outcome> {
  const { present, successor, overlapEnds } = await readRotation(archive);
  const from = present.raw.fingerprint;
  const rivals = await findRivals(archive, from, successor?.raw.fingerprint ?? options.to);
  const to = successor?.raw.fingerprint ?? options.to ?? `a new ${options.algorithm} key`;
  const start = [
    ...(successor === undefined && options.to === undefined ? [`make ${to}, called "${archive.config.userId}"`] : []),
    ...(successor === undefined ? [`let ${from} certify ${to}`] : []),
    ...(overlapEnds === undefined ? [`let ${to} certify ${from} for ${options.overlap}`] : []),
    ...rivals.map(({ certificate }) => `let ${certificate.raw.fingerprint} and ${to} acknowledge each other`),
    "write both into the key bundle, send both to the key servers and read them back",
  ];
  const finish = [
    `archive.ini: key = ${to}`,
    `sign every published index with ${to}`,
    ...(options.retire === true ? [`revoke ${from} as superseded, unless clients lose their chain`] : []),
  ];
  const steps = options.atOnce === true ? [...start, ...finish] : options.finish === true ? finish : start;
  return { text: steps.map((step, place) => `${place + 1}. ${step}`).join("\n"), json: { dryRun: true, steps } };
}

async function start(context: Context, archive: Archive, options: RotateOptions): Promise<RotationStep> {
  // The new key is locked like the old one: with the passphrase that the options give, or one asked for.
  const given = await givenPassphrase(options);
  return await startRotation(archive, {
    algorithm: algorithmOf(options.algorithm),
    lifetime: options.expires === "never" ? undefined : duration(options.expires, "--expires"),
    overlap: duration(options.overlap, "--overlap"),
    to: options.to === undefined ? undefined : await archive.store.resolve(options.to),
    backup: options.backup,
    force: options.force === true,
    passphrase:
      given ?? (options.to === undefined && context.options.json !== true ? await newPassphrase(options) : undefined),
  });
}

function stockClients({ successor }: RotationStep, { config }: Archive): string[] {
  return [
    "clients with feedkey follow by themselves; stock clients need the new certificate before you finish:",
    `  gpgv, opkg, apt: import ${config.root}/keys/archive-keyring.pgp (holds ${successor})`,
  ];
}

interface Retired {
  readonly lines: readonly string[];
  readonly errors: readonly FeedkeyError[];
}

/**
 * Retiring comes last and only if nobody is orphaned: the chain of fresh clients runs through the old key. What the
 * rotation did before stands, and the key servers must hear of it, whatever is said against this.
 */
async function retire(archive: Archive, step: RotationStep, force: boolean): Promise<Retired> {
  if (step.left.length > 0) {
    return { lines: [`${step.present} was not revoked: feeds are left that its successor did not sign`], errors: [] };
  }
  const { store, config, at, passphrase } = archive;
  const key = { where: "store", fingerprint: step.successor } as const;
  const finished = { ...archive, config: { ...config, key } };
  try {
    const { certificates: known } = await knownCertificates(finished);
    const terms = {
      fingerprint: step.present,
      reason: "superseded",
      userId: config.userId,
      at,
      passphrase,
      known,
    } as const;
    const revocation = await planRevocation(store, terms);
    refuseOrphans(revocation, force);
    const done = [...(await applyRevocation(revocation, store)), ...(await refreshBundle(finished))];
    return { lines: [...describeGenerations(revocation.generations), ...done], errors: [] };
  } catch (error) {
    if (error instanceof FeedkeyError) return { lines: [], errors: [error] };
    throw error;
  }
}

/** Takes the step that the options name, or shows where things stand. @throws FeedkeyError `usage`, and as the use case */
export async function rotate(context: Context, options: RotateOptions): Promise<Outcome> {
  const chosen = [options.finish, options.atOnce, options.abandon, options.status].filter((one) => one === true).length;
  if (chosen > 1) throw new FeedkeyError("usage", "--finish, --at-once, --abandon and --status exclude each other");
  const archive = await openArchive(context, options.config, options);
  if (options.status === true) return await status(archive);
  if (options.dryRun === true) return await plan(archive, options);
  if (options.abandon === true) {
    const { successor, done } = await abandonRotation(archive);
    const { lines, errors } = await spread(context, options, [successor]);
    return { text: [...done, ...lines].join("\n"), json: { abandoned: successor, done }, errors };
  }
  const lines: string[] = [];
  let step: RotationStep | undefined;
  const cutOff = options.atOnce === true && (await wasCutOffFinishing(archive));
  if (options.finish !== true && !cutOff) {
    step = await start(context, archive, options);
    for (const line of step.done) lines.push(line);
  }
  if (options.finish === true || options.atOnce === true) {
    const finished = await finishRotation(archive, options.force === true || options.atOnce === true);
    for (const line of finished.done) lines.push(line);
    step = finished;
  }
  if (step === undefined) throw new FeedkeyError("internal", "no step of the rotation was taken");
  const finished = options.finish === true || options.atOnce === true;
  const errors = [...step.left];
  if (finished && options.retire === true) {
    const retired = await retire(archive, step, options.force === true);
    for (const line of retired.lines) lines.push(line);
    for (const error of retired.errors) errors.push(error);
  }
  const sent = await spread(context, options, [step.present, step.successor]);
  for (const line of sent.lines) lines.push(line);
  if (!finished) {
    for (const line of stockClients(step, archive)) lines.push(line);
    lines.push(`finish after ${iso(step.overlapEnds)} with: feedkey rotate --finish --config ${options.config}`);
  }
  return {
    text: lines.join("\n"),
    json: {
      present: step.present,
      successor: step.successor,
      overlapEnds: iso(step.overlapEnds),
      finished,
      done: lines,
    },
    errors: [...errors, ...sent.errors],
  };
}
