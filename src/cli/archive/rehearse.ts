/** Runs `feedkey rehearse`: runs a planned command on a copy of the archive, and shows what clients would do. */
import { Command, CommanderError } from "commander";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { type RehearsalCopy, rehearse as rehearseStep } from "../../keeper/rehearse.ts";
import { breaks } from "../../rehearse/rehearsal.ts";
import type { Delegation } from "../../rehearse/republish.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import { Context } from "../context.ts";
import { CliReporter } from "../reporter.ts";
import type { Outcome } from "../run.ts";
import { usageError } from "../usage-error.ts";
import { keeperOf } from "./archive-terms.ts";
import type { DelegateCommandOptions } from "./delegate.ts";
import { defineDelegate, defineRevoke, defineRotate } from "./key-life-options.ts";
import { rehearsalJson, rehearsalText } from "./rehearse-view.ts";
import type { RevokeOptions } from "./revoke.ts";
import type { RotateOptions } from "./rotate.ts";

interface RehearseOptions {
  readonly config: string;
  readonly publishWith?: string;
  readonly failOnBreak?: boolean;
}

/** A planned command, parsed. */
interface Planned {
  /** The options that say where feedkey reads the command's passphrases. */
  readonly passphrase: PassphraseOptions;
  /** Runs the command on the copy. */
  take(context: Context, copy: RehearsalCopy): Promise<Outcome>;
  delegation(outcome: Outcome): Delegation | undefined;
}

type Shown = { readonly status?: boolean; readonly dryRun?: boolean };

/** Refuses a planned command that would change nothing. @throws FeedkeyError `usage` for `--status` and `--dry-run` */
function refuseShows({ status, dryRun }: Shown): void {
  if (status !== true && dryRun !== true) return;
  throw new FeedkeyError("usage", `there is nothing to rehearse with ${status === true ? "--status" : "--dry-run"}`, {
    hint: "leave the option out: a rehearsal changes only a copy of the archive",
  });
}

/** Returns the options that make a command work on the copy: the copy's configuration, and no key servers. */
function onCopy(copy: RehearsalCopy) {
  return { config: copy.config, keyserver: [] };
}

function planRotate(options: RotateOptions): Planned {
  refuseShows(options);
  const { backup, ...rest } = options;
  return {
    passphrase: options,
    async take(context, copy) {
      const { rotate } = await import("./rotate.ts");
      return await rotate(context, {
        ...rest,
        ...(backup === undefined ? {} : { backup: copy.safe }),
        ...onCopy(copy),
      });
    },
    delegation: () => undefined,
  };
}

function planRevoke(fingerprint: string, options: RevokeOptions): Planned {
  refuseShows(options);
  return {
    passphrase: options,
    async take(context, copy) {
      const { revoke } = await import("./revoke.ts");
      return await revoke(context, fingerprint, { ...options, ...onCopy(copy) });
    },
    delegation: () => undefined,
  };
}

function planDelegate(certificate: string | undefined, options: DelegateCommandOptions): Planned {
  refuseShows(options);
  const { output: _, ...rest } = options;
  return {
    passphrase: options,
    async take(context, copy) {
      const { delegate } = await import("./delegate.ts");
      return await delegate(context, certificate, { ...rest, ...onCopy(copy) });
    },
    delegation: ({ json }) => {
      return typeof json.delegate === "string" ? { delegate: json.delegate, feeds: rest.feeds.split(",") } : undefined;
    },
  };
}

/** Parses the planned command with its own options. @throws FeedkeyError `usage` */
function plan(words: readonly string[]): Planned {
  let planned: Planned | undefined;
  const program = new Command("feedkey rehearse").exitOverride().helpCommand(false);
  program.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  defineRotate(program.command("rotate")).action((options: RotateOptions) => {
    planned = planRotate(options);
  });
  defineRevoke(program.command("revoke <fingerprint>")).action((fingerprint: string, options: RevokeOptions) => {
    planned = planRevoke(fingerprint, options);
  });
  defineDelegate(program.command("delegate [certificate]")).action(
    (certificate: string | undefined, options: DelegateCommandOptions) => {
      planned = planDelegate(certificate, options);
    },
  );
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  try {
    program.parse([...words], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) throw usageError(error);
    throw error;
  }
  if (planned !== undefined) return planned;
  throw new FeedkeyError("usage", `"${escapeText(words[0] ?? "")}" can't be rehearsed`, {
    hint: "only rotate, revoke and delegate can be rehearsed, each with its own options",
  });
}

/** Returns the context for the command on the copy: the same time and options, but no network and no output. */
function contextOn(copy: RehearsalCopy, { options, at }: Context, reporter: CliReporter): Context {
  return new Context({ ...options, home: copy.home, json: true, offline: true }, reporter, at);
}

/** Refuses `--at`, because gpgv and the other programs use the system's clock. @throws FeedkeyError `usage` */
function refuseOtherTime({ options }: Context): void {
  if (options.at === undefined) return;
  throw new FeedkeyError("usage", "a rehearsal can't use --at: gpgv and the other programs use the system's clock");
}

/**
 * Rehearses a planned command.
 * @param words the planned command: its name, arguments and options
 * @throws FeedkeyError `usage`, `not_found`, and the errors of the command itself
 */
export async function rehearse(context: Context, words: readonly string[], options: RehearseOptions): Promise<Outcome> {
  refuseOtherTime(context);
  const planned = plan(words);
  const keeper = await keeperOf(context, { ...planned.passphrase, config: options.config });
  const reporter = new CliReporter({ json: true, quiet: true, verbose: false, color: false, stderr: process.stderr });
  const rehearsal = await rehearseStep(keeper, {
    take: (copy) => planned.take(contextOn(copy, context, reporter), copy),
    publishWith: options.publishWith,
    delegation: planned.delegation,
  });
  for (const warning of reporter.warnings) context.reporter.warn(rehearsal.translate(warning));
  const broken = rehearsal.rows.filter(breaks);
  const errors = [...(rehearsal.result.errors ?? []), ...rehearsal.errors];
  if (options.failOnBreak === true && broken.length > 0) {
    errors.push(
      new FeedkeyError("would_break", `${broken.length} of ${rehearsal.rows.length} clients would break`, {
        details: { breaks: broken.length },
        hint: "the table above shows which clients; the archive itself was not changed",
      }),
    );
  }
  const step = words.join(" ");
  return { text: rehearsalText(step, rehearsal), json: rehearsalJson(step, rehearsal), errors };
}
