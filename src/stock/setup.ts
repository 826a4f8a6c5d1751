/**
 * Use case: sets up a system's stock program, as an installer does, so that the program follows the archive's keys; and undoes such a
 * setup.
 */
import { dirname } from "node:path";
import { FeedkeyError } from "../error.ts";
import { acquireLock } from "../files/lock.ts";
import { TargetRoot } from "../files/target-root.ts";
import type { Feed, Profile } from "../profile/types.ts";
import { refuseUnverified } from "../refresh/session.ts";
import { applyExport, type ExportPlan } from "./export.ts";
import { isSpareHome } from "./gnupg-home.ts";
import { applySetup } from "./setup-apply.ts";
import { configureApt } from "./setup-apt.ts";
import {
  type Configured,
  type Item,
  profileName,
  refuseName,
  type SetupKeyring,
  type SetupProgram,
  stateName,
  type Terms,
} from "./setup-item.ts";
import { foreignKeyring } from "./setup-keyring.ts";
import {
  isSameSetup,
  manifestFolder,
  manifestName,
  readManifest,
  type SetupId,
  type SetupManifest,
} from "./setup-manifest.ts";
import { configureOpkg } from "./setup-opkg.ts";
import { configurePacman } from "./setup-pacman.ts";
import { configurePkgInstall } from "./setup-pkg-install.ts";
import { planSetup, type SetupPlan, type Spent, type Step, type Wanted } from "./setup-plan.ts";
import { profileItems } from "./setup-profile.ts";
import { configureDnf, configureZypper } from "./setup-rpm-md.ts";
import { feedkeyPath, likelyTimer, type Timer, type TimerTerms, timerItems } from "./setup-timer.ts";

export interface SetupOptions extends Omit<Terms, "root"> {
  readonly program: SetupProgram;
  /** The root of the system to set up. */
  readonly root: string;
  /** The kind of timer to install; undefined stands for the system's default. */
  readonly timer: Timer | undefined;
  /** The path of feedkey in the system; undefined stands for the first usual path at which feedkey exists. */
  readonly feedkey: string | undefined;
  readonly dryRun: boolean;
  /**
   * Plans the export of the keys that may sign now, from the state of the system's client. If this field is undefined, the timer's first
   * run writes the keyrings.
   */
  readonly planKeyring:
    | ((stateFolder: string, path: string, feeds: readonly string[]) => Promise<ExportPlan>)
    | undefined;
}

/** A keyring with the plan of its export; the plan is undefined if the timer's first run writes the keyring. */
interface PlannedKeyring extends SetupKeyring {
  readonly exported: ExportPlan | undefined;
}

export interface SetupDone {
  readonly root: TargetRoot;
  readonly steps: readonly Step[];
  readonly timer: Timer;
  readonly timerTerms: TimerTerms;
  readonly keyrings: readonly PlannedKeyring[];
  readonly warnings: readonly string[];
  readonly byHand: readonly string[];
}

const configure = {
  apt: configureApt,
  opkg: configureOpkg,
  pkg_install: configurePkgInstall,
  dnf: configureDnf,
  zypper: configureZypper,
  pacman: configurePacman,
};

/**
 * Runs an action under a lock, so that no other run sets up a system below the same root. Afterwards, removes folders that are still empty.
 */
async function alone<T>(
  root: TargetRoot,
  dryRun: boolean,
  action: (made: readonly string[]) => Promise<T>,
): Promise<T> {
  if (dryRun) return await action([]);
  const made = await root.missingFolders(manifestName);
  try {
    await root.makeFolder(manifestFolder);
    const lock = await acquireLock(await root.hostPath(manifestFolder));
    try {
      // A run that was killed before it wrote a record may have left temporary files in this folder.
      await root.removeLeftovers(manifestFolder);
      return await action(made);
    } finally {
      await lock.release();
    }
  } finally {
    await removeFolders(root, [manifestFolder, ...made]);
  }
}

/** Removes empty folders, the deepest first. */
async function removeFolders(root: TargetRoot, folders: readonly string[]): Promise<void> {
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) await root.removeIfEmpty(folder);
}

async function look(root: TargetRoot, items: readonly Item[]): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for (const item of items) {
    const found = await root.look(item.path);
    const isHome = item.kind === "export" && found.kind === "folder";
    wanted.push({ item, found, isSpare: isHome && (await isSpareHome(await root.hostPath(item.path))) });
  }
  return wanted;
}

/** Finds a setup's items in the record that are no longer wanted. */
async function findSpent(
  root: TargetRoot,
  id: SetupId,
  items: readonly Item[],
  manifest: SetupManifest,
): Promise<Spent[]> {
  const spent: Spent[] = [];
  for (const [path, { kind, by }] of manifest.entries) {
    if (!by.some((one) => isSameSetup(one, id)) || items.some((item) => item.path === path)) continue;
    const found = await root.look(path);
    const foreign = kind === "export" ? await foreignKeyring(root, path, found, id.profile) : undefined;
    spent.push({ path, found, foreign });
  }
  return spent;
}

async function missingFor(root: TargetRoot, names: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const name of names) for (const folder of await root.missingFolders(name)) missing.push(folder);
  return [...new Set(missing)];
}

/** Throws if none of the keyrings would have a key. If the system was set up before, its keyrings may become empty. */
function refuseEmpty(
  keyrings: readonly PlannedKeyring[],
  { program, profile }: Pick<SetupOptions, "program" | "profile">,
  again: boolean,
): void {
  const planned = keyrings.flatMap(({ exported }) => exported ?? []);
  if (planned.length === 0 || planned.some(({ keys }) => keys.length > 0) || again) return;
  const left = planned.flatMap((exported) => exported.left);
  const [first] = left;
  const why = first === undefined ? "none may sign now" : `${first.fingerprint} can't be used: ${first.reason}`;
  throw new FeedkeyError("bad_profile", `profile "${profile.name}" has no key for ${program}: ${why}`, {
    details: { left },
    hint: `run feedkey --profile ${profile.name} chain to see why each key is refused`,
  });
}

/**
 * Sets up a system; with `dryRun`, only plans the setup. Unless the disk is full, errors occur before the first file is written.
 * @throws FeedkeyError `usage`, `not_found`, `bad_profile`, `bad_config`, `bad_path`, `output`, `locked`, `bad_state`,
 * `unchecked_revocation`
 */
export async function setUp(options: SetupOptions): Promise<SetupDone> {
  const { program, only, dryRun } = options;
  const isWanted = ({ name }: Feed) => only.length === 0 || only.includes(name);
  const profile: Profile = { ...options.profile, feeds: options.profile.feeds.filter(isWanted) };
  refuseName(profile.name);
  refuseUnverified(profile);
  const id: SetupId = { program, profile: profile.name };
  const root = await TargetRoot.open(options.root);
  return await alone(root, dryRun, async (made) => {
    const manifest = await readManifest(root);
    const configured: Configured = await configure[program]({ ...options, profile, root });
    const { keyrings } = configured;
    const feedkey = await feedkeyPath(root, options.feedkey);
    const timer = options.timer ?? (await likelyTimer(root));
    const timerTerms = { program, profile: profile.name, keyrings, feedkey };
    const items = [
      ...(await profileItems(profile, root, manifest.entries.has(profileName(profile.name)))),
      ...configured.items,
      ...(await timerItems(timer, root, timerTerms)),
    ];
    const again = [...manifest.entries.values()].some(({ by }) => by.some((one) => isSameSetup(one, id)));
    const paths = [...items, ...keyrings].map(({ path }) => path);
    const folders = [...made, ...(await missingFor(root, [...paths, `${stateName}/x`]))];
    const spent = await findSpent(root, id, items, manifest);
    const plan = planSetup(id, await look(root, items), spent, folders, manifest);
    const planned = await planKeyrings(options, root, keyrings);
    refuseEmpty(planned, { program, profile }, again);
    const settled = settleExports(plan, planned);
    let warnings = configured.warnings;
    if (!dryRun) {
      for (const { path } of keyrings) await root.makeFolder(dirname(path));
      await root.makeFolder(stateName);
      await applySetup(root, settled, program, async (path) => {
        const exported = planned.find((one) => one.path === path)?.exported;
        if (exported !== undefined) warnings = [...warnings, ...(await applyExport(exported))];
      });
      await configured.check?.();
    }
    const absent = (await root.exists(feedkey.slice(1)))
      ? []
      : [`${feedkey} does not exist yet: until feedkey is installed there, nothing keeps the keyring current`];
    if (timer !== "none") warnings = [...warnings, ...absent];
    const { byHand } = configured;
    return { root, steps: settled.steps, timer, timerTerms, keyrings: planned, warnings, byHand };
  });
}

async function planKeyrings(
  { planKeyring, dryRun }: SetupOptions,
  root: TargetRoot,
  keyrings: readonly SetupKeyring[],
): Promise<PlannedKeyring[]> {
  if (planKeyring === undefined) return keyrings.map((keyring) => ({ ...keyring, exported: undefined }));
  if (!dryRun) await root.makeFolder(stateName);
  await root.refuseLinksOut(stateName);
  const planned: PlannedKeyring[] = [];
  for (const keyring of keyrings) {
    const [state, path] = [await root.hostPath(stateName), await root.hostPath(keyring.path)];
    const exported = await planKeyring(state, path, keyring.feeds);
    if (exported.refusal !== undefined) throw outage(exported.refusal);
    planned.push({ ...keyring, exported });
  }
  return planned;
}

function outage({ code, message, details }: FeedkeyError): FeedkeyError {
  return new FeedkeyError(code, message, {
    details,
    hint: "make sure that a key server of the profile can be reached; or, with --no-keyring, let the timer write the keyring later",
  });
}

/** Completes a setup's plan with the plans for its keyrings' exports. */
function settleExports(plan: SetupPlan, keyrings: readonly PlannedKeyring[]): SetupPlan {
  const steps = plan.steps.map((step): Step => {
    if (step.item?.kind !== "export") return step;
    const exported = keyrings.find(({ path }) => path === step.path)?.exported;
    const same = exported === undefined || exported.added.length + exported.removed.length === 0;
    if (exported === undefined && step.action === "create") return { ...step, action: "later" };
    return step.action === "replace" && same ? { ...step, action: "keep" } : step;
  });
  return { ...plan, steps };
}

/** Returns the recorded setups, each as `program profile`. */
function setupsIn({ entries }: SetupManifest): string[] {
  const all = [...entries.values()].flatMap(({ by }) => by.map(({ program, profile }) => `${program} ${profile}`));
  return [...new Set(all)].sort();
}

/**
 * Undoes a setup: removes everything that nobody has changed since, and reports what it leaves in place.
 * @throws FeedkeyError `not_found` if the record has no such setup; `bad_path`, `output`, `locked` or `bad_state` if a file can't be
 * removed
 */
export async function removeSetup(
  id: SetupId,
  rootFolder: string,
  dryRun: boolean,
): Promise<Pick<SetupDone, "root" | "steps">> {
  const root = await TargetRoot.open(rootFolder);
  const plan = await alone(root, dryRun, async () => {
    const manifest = await readManifest(root);
    const setups = setupsIn(manifest);
    if (!setups.includes(`${id.program} ${id.profile}`)) {
      const message = `${id.program} is not set up for profile "${id.profile}" below ${root.folder}`;
      const hint = `the setups there are: ${setups.join(", ")}`;
      throw new FeedkeyError("not_found", message, {
        details: { ...id, root: root.folder, setups },
        ...(setups.length === 0 ? {} : { hint }),
      });
    }
    const planned = planSetup(id, [], await findSpent(root, id, [], manifest), [], manifest);
    if (!dryRun) await applySetup(root, planned, id.program, undefined);
    return planned;
  });
  if (!dryRun && plan.settled.entries.size === 0) await removeFolders(root, plan.settled.folders);
  return { root, steps: plan.steps.filter(({ found }) => found.kind !== "absent") };
}
