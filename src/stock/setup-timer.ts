/** Makes the timer that keeps the system's keyring up to date: a systemd timer, or a line for cron. */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { FeedkeyError } from "../error.ts";
import type { TargetRoot } from "../files/target-root.ts";
import {
  type Item,
  inTarget,
  profileName,
  type SetupKeyring,
  type SetupProgram,
  stateName,
  textFile,
  written,
} from "./setup-item.ts";

export const timers = ["systemd", "cron", "none"] as const;
export type Timer = (typeof timers)[number];

export interface TimerTerms {
  readonly program: SetupProgram;
  readonly profile: string;
  readonly keyrings: readonly SetupKeyring[];
  /** The path of feedkey in the system that is set up. */
  readonly feedkey: string;
}

const units = "etc/systemd/system";

/** Returns the default kind of timer for a system: a systemd timer if the system has systemd, else cron. */
export async function likelyTimer(root: TargetRoot): Promise<Timer> {
  const places = ["usr/lib/systemd/systemd", "lib/systemd/systemd"];
  for (const place of places) if (await root.exists(place)) return "systemd";
  return "cron";
}

/**
 * Returns the path of feedkey in the system that is set up.
 * @param given the path that the caller chose; if undefined, the first usual path at which feedkey exists
 * @throws FeedkeyError `usage` if a unit or a crontab would have to quote the path
 */
export async function feedkeyPath(root: TargetRoot, given: string | undefined): Promise<string> {
  const usual = ["/usr/local/bin/feedkey", "/usr/bin/feedkey", "/usr/pkg/bin/feedkey"];
  for (const path of given === undefined ? usual : []) if (await root.exists(path.slice(1))) return path;
  const path = given ?? "/usr/bin/feedkey";
  if (/^(\/[A-Za-z0-9_+@][A-Za-z0-9._+@-]*)+$/.test(path)) return path;
  throw new FeedkeyError("usage", `"${path}" can't be the path of feedkey in a systemd unit or crontab`, {
    hint: "give an absolute path of letters, digits and . _ + @ -, for example /usr/bin/feedkey",
  });
}

/**
 * Returns the timer's commands: a refresh, and one export for each keyring. The commands need no quotes, because setup has checked all
 * names and paths.
 */
export function steps({ program, profile, keyrings, feedkey }: TimerTerms): { refresh: string; keep: string[] } {
  const client = `${feedkey} --profile ${inTarget(profileName(profile))} --state ${inTarget(stateName)}`;
  return {
    refresh: `${client} --quiet refresh`,
    keep: keyrings.map(({ path, feeds }) => {
      const only = feeds.length === 0 ? "" : ` --feed ${feeds.join(" ")}`;
      return `${client} export --for ${program} --no-refresh ${inTarget(path)}${only}`;
    }),
  };
}

/** Returns the name of the systemd units. */
export function unitName({ program, profile }: TimerTerms): string {
  return `feedkey-${program}-${profile}`;
}

/** Joins all commands into one shell command, because systemd would skip the commands after a failed command. */
function all(commands: readonly string[]): string {
  if (commands.length < 2) return commands.join();
  const each = commands.map((command) => `${command} || failed=1; `);
  return `/bin/sh -c 'failed=0; ${each.join("")}exit $$failed'`;
}

function service(terms: TimerTerms): string[] {
  const { refresh, keep } = steps(terms);
  const kept = [stateName, ...terms.keyrings.map(({ path }) => dirname(path))];
  const also = new Set(terms.keyrings.flatMap(({ alsoWrites = [] }) => alsoWrites));
  const description = `Description=Keys of the archive ${terms.profile} for ${terms.program}`;
  return [
    written(terms.program, terms.profile),
    "[Unit]",
    description,
    "Wants=network-online.target",
    "After=network-online.target",
    "",
    "[Service]",
    "Type=oneshot",
    "# If no key server answers, the keys of the last run may still be used: the export in the next step decides this.",
    `ExecStart=-${refresh}`,
    `ExecStart=${all(keep)}`,
    "NoNewPrivileges=yes",
    "PrivateTmp=yes",
    "ProtectHome=read-only",
    "ProtectSystem=strict",
    `ReadWritePaths=${[...new Set(kept.map(inTarget)), ...[...also].map((path) => `-${inTarget(path)}`)].join(" ")}`,
  ];
}

function systemdItems(terms: TimerTerms): Item[] {
  const unit = unitName(terms);
  const timer = [
    written(terms.program, terms.profile),
    "[Unit]",
    `Description=Keys of the archive ${terms.profile} for ${terms.program}, four times a day`,
    "",
    "[Timer]",
    "OnCalendar=*-*-* 00/6:00:00",
    "RandomizedDelaySec=1h",
    "Persistent=true",
    "",
    "[Install]",
    "WantedBy=timers.target",
  ];
  return [
    textFile(`${units}/${unit}.service`, service(terms)),
    textFile(`${units}/${unit}.timer`, timer),
    // This link is what `systemctl enable` would make.
    { kind: "link", path: `${units}/timers.target.wants/${unit}.timer`, target: `../${unit}.timer` },
  ];
}

/**
 * Returns the minute at which cron starts the job. It depends on the machine, so that not all machines ask the archive at the same time.
 */
async function minuteFor(root: TargetRoot, unit: string): Promise<number> {
  const machine = `${await root.text("etc/machine-id")}${await root.text("etc/hostname")}${await root.text("etc/myname")}`;
  return createHash("sha256").update(`${machine} ${unit}`).digest().readUInt16BE(0) % 60;
}

async function cronItems(root: TargetRoot, terms: TimerTerms): Promise<Item[]> {
  const { refresh, keep } = steps(terms);
  const unit = unitName(terms);
  const job = [refresh, ...keep.map((line) => line.replace(" export ", " --quiet export "))].join("; ");
  const line = `${await minuteFor(root, unit)} */6 * * * root ${job}`;
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/pkg/bin";
  // Debian's cron ignores files with a dot in their name.
  return [textFile(`etc/cron.d/${unit.replaceAll(".", "_")}`, [written(terms.program, terms.profile), path, line])];
}

/** Returns the items for a timer of this kind. */
export async function timerItems(timer: Timer, root: TargetRoot, terms: TimerTerms): Promise<Item[]> {
  if (timer === "none") return [];
  return timer === "systemd" ? systemdItems(terms) : await cronItems(root, terms);
}
