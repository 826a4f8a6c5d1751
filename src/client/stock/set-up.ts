/** Sets up a stock program (opkg, apt, dnf, ...) so that the program follows the archive's keys, and undoes this setup. */
import { basename } from "node:path";
import type { Profile } from "../../profile/types.ts";
import type { Reporter } from "../../refresh/session.ts";
import { warningsOf } from "../../stock/export.ts";
import { removeSetup, type SetupDone, type SetupOptions, setUp } from "../../stock/setup.ts";
import { inTarget, refuseName, type SetupProgram } from "../../stock/setup-item.ts";
import type { Step } from "../../stock/setup-plan.ts";
import { steps as jobSteps, unitName } from "../../stock/setup-timer.ts";
import { chosenFeeds } from "../chosen-feeds.ts";
import type { ClientOptions, Report } from "../client-options.ts";
import { openClient } from "../open-client.ts";
import { showProfile } from "../profiles/profiles.ts";
import { report } from "../with-warnings.ts";

/** The names of the settings that callers may leave out. */
type Optional = "timer" | "suites" | "components" | "prefix" | "gpgcheck" | "feedkey" | "dryRun";
type Settings = { readonly [Name in Optional]?: SetupOptions[Name] | undefined };

export interface SetUpOptions extends Pick<ClientOptions, "at" | "offline" | "reporter">, Settings {
  readonly program: SetupProgram;
  /** The root folder of the system to set up; `/` for the running system. */
  readonly root: string;
  /** A profile's name or file, or a profile that has already been read. */
  readonly profile: string | Profile;
  /** The names of the feeds to set up; by default all feeds in the profile. */
  readonly feeds?: readonly string[] | undefined;
  /** Whether to write the keyrings now, which is the default; otherwise the first run of the timer writes the keyrings. */
  readonly keyring?: boolean | undefined;
}

/** A file that the setup wrote, removed or left alone. */
export interface SetupChange extends Pick<Step, "action" | "kind" | "reason"> {
  /** The file's path in the system that was set up. */
  readonly path: string;
}

export interface SetUp extends Pick<SetupDone, "timer" | "byHand"> {
  readonly profile: string;
  /** The absolute path of the system's root folder. */
  readonly root: string;
  readonly changes: readonly SetupChange[];
  readonly keyrings: readonly {
    /** The keyring's path in the system that was set up. */
    readonly path: string;
    readonly feeds: readonly string[] | undefined;
    /** The result of writing the keyring; undefined if the first run of the timer writes the keyring. */
    readonly exported: SetupDone["keyrings"][number]["exported"];
  }[];
  /** The commands that the user must still run in the system that was set up. */
  readonly next: readonly string[];
}

function changesOf(steps: readonly Step[]): SetupChange[] {
  return steps.map(({ action, kind, path, reason }) => ({ action, kind, path: inTarget(path), reason }));
}

/** Returns the commands that the user must still run. */
function nextOf({ root, steps, timer, timerTerms }: SetupDone): string[] {
  const { refresh: first, keep } = jobSteps(timerTerms);
  if (timer === "none") return [first, ...keep];
  const news = steps.some(({ action, path }) => action !== "keep" && /\.(service|timer)$/.test(path));
  if (timer === "cron" || !root.isOurs || !news) return [];
  return [`systemctl daemon-reload && systemctl start ${unitName(timerTerms)}.timer`];
}

function warnOf(profile: Profile, program: SetupProgram, { warnings, keyrings, timer }: SetupDone, reporter: Reporter) {
  for (const warning of warnings) reporter.warn(warning);
  for (const { exported, path } of keyrings) {
    for (const warning of exported === undefined ? [] : warningsOf(profile, program, exported)) {
      reporter.warn(keyrings.length === 1 ? warning : `${inTarget(path)}: ${warning}`);
    }
  }
  if (timer === "none")
    reporter.warn(
      "no timer was set up, so nothing keeps the keyring current: run the commands shown from your own timer",
    );
}

/**
 * Sets up a stock program: its configuration, its keyrings, and a timer that keeps the keyrings current. Stores the client's
 * state in the system that is set up.
 * @throws FeedkeyError `usage`, `output`, `bad_state`, `bad_config`, and as `openClient` and its exports
 */
export async function setUpProgram(options: SetUpOptions): Promise<Report<SetUp>> {
  const { program, root: where, timer, feedkey, prefix, at, offline, reporter: to, dryRun = false } = options;
  const profile = typeof options.profile === "string" ? await showProfile(options.profile) : options.profile;
  const only = options.feeds === undefined ? [] : chosenFeeds(profile, options.feeds).map(({ name }) => name);
  return await report(to, true, async (reporter) => {
    const planKeyring = async (stateFolder: string, path: string, feeds: readonly string[]) => {
      await using client = await openClient({ profile, stateFolder, at, offline, reporter });
      return await client.planExport(path, { for: program, audit: dryRun, feeds });
    };
    const done = await setUp({
      ...{ program, profile, root: where, timer, feedkey, dryRun, only, prefix },
      gpgcheck: options.gpgcheck ?? false,
      suites: options.suites ?? [],
      components: options.components ?? [],
      planKeyring: options.keyring === false ? undefined : planKeyring,
    });
    warnOf(profile, program, done, reporter);
    const keyrings = done.keyrings.map(({ path, feeds, exported }) => ({ path: inTarget(path), feeds, exported }));
    return {
      ...{ profile: profile.name, root: done.root.folder, changes: changesOf(done.steps), keyrings },
      ...{ timer: done.timer, byHand: done.byHand, next: nextOf(done) },
    };
  });
}

/**
 * Returns the name of a profile from its name or file; the file may be missing.
 * @throws FeedkeyError `usage` if the name is not valid
 */
function nameOf(profile: string): string {
  const name = profile.includes("/") || profile.endsWith(".ini") ? basename(profile, ".ini") : profile;
  refuseName(name);
  return name;
}

/**
 * Undoes what `setUpProgram` did. Leaves alone each file that somebody changed since then, and warns.
 * @param options.profile the name or file of the profile that was set up
 * @throws FeedkeyError `usage`, `not_found`, `output`, `bad_state`
 */
export async function removeSetUp(
  options: Pick<SetUpOptions, "program" | "root" | "dryRun" | "reporter"> & { readonly profile: string },
): Promise<Report<Pick<SetUp, "profile" | "root" | "changes" | "next">>> {
  const { program, dryRun = false } = options;
  const profile = nameOf(options.profile);
  return await report(options.reporter, true, async (reporter) => {
    const { root, steps } = await removeSetup({ program, profile }, options.root, dryRun);
    for (const { action, path, reason } of steps) {
      if (action === "leave") reporter.warn(`${inTarget(path)} is left alone: it ${reason ?? ""}`);
    }
    const gone = steps.find(({ action, path }) => action === "remove" && path.endsWith(".timer"));
    const timer = gone === undefined ? [] : [`systemctl daemon-reload && systemctl stop ${basename(gone.path)}`];
    return { profile, root: root.folder, changes: changesOf(steps), next: root.isOurs ? timer : [] };
  });
}
