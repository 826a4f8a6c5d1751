/** `feedkey setup`: the configuration and the keyring of a stock program, as the installer of a system writes them. */

import { basename } from "node:path";
import { chosenFeeds } from "../../client/chosen-feeds.ts";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { Profile } from "../../index.ts";
import { warningsOf } from "../../stock/export.ts";
import { removeSetup, type SetupDone, setUp } from "../../stock/setup.ts";
import { inTarget, refuseName, type SetupProgram, setupPrograms } from "../../stock/setup-item.ts";
import type { Step } from "../../stock/setup-plan.ts";
import { steps as jobSteps, type Timer, timers, unitName } from "../../stock/setup-timer.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";

export interface SetupCommandOptions {
  readonly root: string;
  readonly remove?: boolean;
  readonly dryRun?: boolean;
  readonly timer?: string;
  /** False: the timer's first run writes it. */
  readonly keyring: boolean;
  readonly suite?: string[];
  readonly component?: string[];
  readonly prefix?: string;
  readonly feed?: string[];
  readonly feedkey?: string;
}

function choice<Word extends string>(text: string, words: readonly Word[], what: string): Word {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new FeedkeyError("usage", `there is no ${what} "${escapeText(text)}"`, {
    hint: `choose one of ${words.join(", ")}`,
  });
}

/** @throws FeedkeyError `usage` */
function refuseMisfits(context: Context, program: SetupProgram, options: SetupCommandOptions): void {
  if (context.options.state !== undefined) {
    throw new FeedkeyError("usage", "setup takes no --state", {
      hint: "what that system's client learns is kept in /var/lib/feedkey/state below the root",
    });
  }
  if (program !== "apt" && (options.suite !== undefined || options.component !== undefined)) {
    throw new FeedkeyError("usage", `--suite and --component are for apt, not for ${program}`);
  }
  if (program !== "pkg_install" && options.prefix !== undefined) {
    throw new FeedkeyError("usage", `--prefix is for pkg_install, not for ${program}`);
  }
}

const words: Readonly<Record<Step["action"], string>> = {
  create: "created",
  replace: "replaced",
  keep: "unchanged",
  later: "later",
  remove: "removed",
  leave: "left",
};
const futureWords = { ...words, create: "create", replace: "replace", keep: "keep", remove: "remove", leave: "leave" };

function changeLines(steps: readonly Step[], dryRun: boolean): string[] {
  return steps.map(({ action, path, reason }) => {
    const word = dryRun ? futureWords[action] : words[action];
    const why = action === "later" ? "the timer's first run writes it" : reason;
    return `${word.padEnd(10)}${escapeText(inTarget(path))}${why === undefined ? "" : ` (${why})`}`;
  });
}

function changesJson(steps: readonly Step[]) {
  return steps.map(({ action, kind, path, reason }) => ({
    action,
    kind,
    path: inTarget(path),
    reason: reason ?? null,
  }));
}

/** The name that a profile has, whether it is still there or not. */
function nameOf(context: Context): string {
  const { profile } = context.options;
  if (profile === undefined)
    throw new FeedkeyError("usage", "no profile is named", { hint: "say which with --profile" });
  const name = profile.includes("/") || profile.endsWith(".ini") ? basename(profile, ".ini") : profile;
  refuseName(name);
  return name;
}

async function remove(context: Context, program: SetupProgram, options: SetupCommandOptions): Promise<Outcome> {
  const profile = nameOf(context);
  const dryRun = options.dryRun === true;
  const { root, steps } = await removeSetup({ program, profile }, options.root, dryRun);
  for (const { action, path, reason } of steps) {
    if (action === "leave") context.reporter.warn(`${inTarget(path)} is left where it is: it ${reason ?? ""}`);
  }
  const head = `${program} for profile ${profile} below ${escapeText(root.folder)}:`;
  const kept = "what was learned about keys stays in /var/lib/feedkey/state";
  const gone = steps.find(({ action, path }) => action === "remove" && path.endsWith(".timer"));
  const timer = gone === undefined ? [] : [`systemctl daemon-reload && systemctl stop ${basename(gone.path)}`];
  const next = root.isOurs ? timer : [];
  return {
    text: [head, ...changeLines(steps, dryRun), kept, ...nextLines(next)].join("\n"),
    json: { program, profile, root: root.folder, dryRun, changes: changesJson(steps), next },
  };
}

function nextLines(next: readonly string[]): string[] {
  return next.length === 0 ? [] : ["", "next:", ...next.map((line) => `  ${line}`)];
}

/** What is left to do by hand. */
function nextOf({ root, steps, timer, timerTerms }: SetupDone): string[] {
  const { refresh: first, keep } = jobSteps(timerTerms);
  if (timer === "none") return [first, ...keep];
  const news = steps.some(({ action, path }) => action !== "keep" && /\.(service|timer)$/.test(path));
  if (timer === "cron" || !root.isOurs || !news) return [];
  return [`systemctl daemon-reload && systemctl start ${unitName(timerTerms)}.timer`];
}

function render(context: Context, profile: Profile, program: SetupProgram, done: SetupDone, dryRun: boolean): Outcome {
  const { root, steps, timer, keyrings, warnings, byHand } = done;
  for (const warning of warnings) context.reporter.warn(warning);
  for (const { exported, path } of keyrings) {
    for (const warning of exported === undefined ? [] : warningsOf(profile, program, exported)) {
      context.reporter.warn(keyrings.length === 1 ? warning : `${inTarget(path)}: ${warning}`);
    }
  }
  if (timer === "none") context.reporter.warn("nothing keeps the keyring current: run the two commands from a timer");
  const next = nextOf(done);
  const keys = keyrings.flatMap(({ path, exported }) => {
    const where = keyrings.length === 1 ? "" : ` in ${escapeText(inTarget(path))}`;
    const { added = [], removed = [] } = exported ?? {};
    return [...added.map((key) => `+ ${key}${where}`), ...removed.map((key) => `- ${key}${where}`)];
  });
  const head = `${program} for profile ${profile.name} below ${escapeText(root.folder)}:`;
  const lines = [head, ...changeLines(steps, dryRun), ...keys, ...(byHand.length === 0 ? [] : ["", ...byHand])];
  const keyringsJson = keyrings.map(({ path, feeds, exported }) => {
    const { keys: held, added, removed, left } = exported ?? {};
    return { path: inTarget(path), feeds, ...(exported && { keys: held, added, removed, left }) };
  });
  return {
    text: [...lines, ...nextLines(next)].join("\n"),
    json: {
      ...{ program, profile: profile.name, root: root.folder, dryRun, timer },
      changes: changesJson(steps),
      // The only one, or the first.
      keyring: { ...keyringsJson[0], feeds: undefined },
      keyrings: keyringsJson,
      ...{ configuration: byHand, next },
    },
  };
}

/** Sets a stock program up, or undoes that. @throws FeedkeyError as `setUp` and `removeSetup` */
export async function setup(context: Context, word: string, options: SetupCommandOptions): Promise<Outcome> {
  const program = choice(word, setupPrograms, "setup for");
  refuseMisfits(context, program, options);
  if (options.remove === true) return await remove(context, program, options);
  const timer = options.timer === undefined ? undefined : choice<Timer>(options.timer, timers, "timer");
  const profile = await context.profile();
  const dryRun = options.dryRun === true;
  const only = chosenFeeds(profile, options.feed ?? []).map(({ name }) => name);
  const planKeyring = async (stateFolder: string, path: string, feeds: readonly string[]) => {
    return await context.withClient((client) => client.planExport(path, { for: program, audit: dryRun, feeds }), {
      profile,
      stateFolder,
    });
  };
  const done = await setUp({
    ...{ program, profile, root: options.root, timer, feedkey: options.feedkey, dryRun },
    only: options.feed === undefined ? [] : only,
    suites: options.suite ?? [],
    components: options.component ?? [],
    prefix: options.prefix,
    planKeyring: options.keyring ? planKeyring : undefined,
  });
  return render(context, profile, program, done, dryRun);
}
