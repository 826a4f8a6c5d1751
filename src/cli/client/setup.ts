/**
 * Runs `feedkey setup`: writes the configuration and the keyring of a stock program, on the running system or below the root of
 * a system that is being installed.
 */

import { removeSetUp, type SetUp, type SetupChange, setUpProgram } from "../../client/stock/set-up.ts";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { chosenProfile } from "../../files/paths.ts";
import { type SetupProgram, setupPrograms } from "../../stock/setup-item.ts";
import { type Timer, timers } from "../../stock/setup-timer.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { oneOf } from "../usage-error.ts";

interface SetupCommandOptions {
  readonly root: string;
  readonly remove?: boolean;
  readonly dryRun?: boolean;
  readonly timer?: string;
  /** False for `--no-keyring`: setup writes no keyring now, and the first run of the timer writes the keyring. */
  readonly keyring: boolean;
  readonly suite?: string[];
  readonly component?: string[];
  readonly prefix?: string;
  readonly gpgcheck?: boolean;
  readonly feed?: string[];
  readonly feedkey?: string;
}

/** Refuses options that the stock program does not have. @throws FeedkeyError `usage` */
function refuseMisfits(context: Context, program: SetupProgram, options: SetupCommandOptions): void {
  if (context.options.state !== undefined) {
    throw new FeedkeyError("usage", "setup does not take --state", {
      hint: "leave the option out: setup keeps the client state in /var/lib/feedkey/state below --root",
    });
  }
  if (program !== "apt" && (options.suite !== undefined || options.component !== undefined)) {
    throw new FeedkeyError("usage", `--suite and --component are for apt, not for ${program}`);
  }
  if (program !== "pkg_install" && options.prefix !== undefined) {
    throw new FeedkeyError("usage", `--prefix is for pkg_install, not for ${program}`);
  }
  if (program !== "dnf" && program !== "zypper" && options.gpgcheck !== undefined) {
    throw new FeedkeyError("usage", `--gpgcheck is for dnf and zypper, not for ${program}`);
  }
}

const words: Readonly<Record<SetupChange["action"], string>> = {
  create: "created",
  replace: "replaced",
  keep: "unchanged",
  later: "later",
  remove: "removed",
  leave: "left",
};
const futureWords = { ...words, create: "create", replace: "replace", keep: "keep", remove: "remove", leave: "leave" };

function changeLines(changes: readonly SetupChange[], dryRun: boolean): string[] {
  return changes.map(({ action, path, reason }) => {
    const word = dryRun ? futureWords[action] : words[action];
    const why = action === "later" ? "the timer's first run writes it" : reason;
    return `${word.padEnd(10)}${escapeText(path)}${why === undefined ? "" : ` (${why})`}`;
  });
}

function changesJson(changes: readonly SetupChange[]) {
  return changes.map(({ action, kind, path, reason }) => ({ action, kind, path, reason: reason ?? null }));
}

async function remove(context: Context, program: SetupProgram, options: SetupCommandOptions): Promise<Outcome> {
  const named = chosenProfile(context.options.profile);
  if (named === undefined)
    throw new FeedkeyError("usage", "no profile given", { hint: "give a profile with --profile or $FEEDKEY_PROFILE" });
  const dryRun = options.dryRun === true;
  const terms = { program, profile: named, root: options.root, dryRun, reporter: context.reporter };
  const { profile, root, changes, next } = await removeSetUp(terms);
  const head = `${program} for profile ${profile} below ${escapeText(root)}:`;
  const kept = "the client state stays in /var/lib/feedkey/state: remove it yourself if you no longer need it";
  return {
    text: [head, ...changeLines(changes, dryRun), kept, ...nextLines(next)].join("\n"),
    json: { program, profile, root, dryRun, changes: changesJson(changes), next },
  };
}

function nextLines(next: readonly string[]): string[] {
  return next.length === 0 ? [] : ["", "next:", ...next.map((line) => `  ${line}`)];
}

function render(program: SetupProgram, done: SetUp, dryRun: boolean): Outcome {
  const { profile, root, changes, timer, keyrings, byHand, next } = done;
  const keys = keyrings.flatMap(({ path, exported }) => {
    const where = keyrings.length === 1 ? "" : ` in ${escapeText(path)}`;
    const { added = [], removed = [] } = exported ?? {};
    return [...added.map((key) => `+ ${key}${where}`), ...removed.map((key) => `- ${key}${where}`)];
  });
  const head = `${program} for profile ${profile} below ${escapeText(root)}:`;
  const lines = [head, ...changeLines(changes, dryRun), ...keys, ...(byHand.length === 0 ? [] : ["", ...byHand])];
  const keyringsJson = keyrings.map(({ path, feeds, exported }) => {
    const { keys: held, added, removed, left } = exported ?? {};
    return { path, feeds, ...(exported && { keys: held, added, removed, left }) };
  });
  return {
    text: [...lines, ...nextLines(next)].join("\n"),
    json: {
      ...{ program, profile, root, dryRun, timer },
      changes: changesJson(changes),
      // The first keyring, for scripts that expect only one; `keyrings` has all.
      keyring: { ...keyringsJson[0], feeds: undefined },
      keyrings: keyringsJson,
      ...{ configuration: byHand, next },
    },
  };
}

/** Sets up a stock program, or undoes the setup. @throws FeedkeyError as `setUpProgram` and `removeSetUp` do */
export async function setup(context: Context, word: string, options: SetupCommandOptions): Promise<Outcome> {
  const program = oneOf(word, setupPrograms, "setup for");
  refuseMisfits(context, program, options);
  if (options.remove === true) return await remove(context, program, options);
  const { root, feedkey, prefix, keyring, gpgcheck, feed: feeds, suite: suites, component: components } = options;
  const timer = options.timer === undefined ? undefined : oneOf<Timer>(options.timer, timers, "timer");
  const dryRun = options.dryRun === true;
  const { at, reporter } = context;
  const profile = await context.profile();
  const done = await setUpProgram({
    ...{ program, profile, root, feeds, timer, keyring, suites, components, prefix, gpgcheck, feedkey },
    ...{ at, offline: context.options.offline, dryRun, reporter },
  });
  return render(program, done, dryRun);
}
