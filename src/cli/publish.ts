/** `feedkey publish`: from a folder of packages to a signed feed. */

import { basename, resolve } from "node:path";
import { type PublishResult, publish as publishArchive } from "../archive/publish.ts";
import { changesAnything } from "../archive/publish-plan.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { formatNames, signatureFiles } from "../index-format/formats.ts";
import { readSummaryForms } from "../profile/summary-forms.ts";
import type { ArchiveFeed, FeedFormat, SummaryForm } from "../profile/types.ts";
import { KeyStore } from "../store/key-store.ts";
import { keyOf, readConfig } from "./archive-terms.ts";
import type { Context } from "./context.ts";
import { duration } from "./keygen.ts";
import { refuseOffProfile } from "./off-profile.ts";
import { type PassphraseOptions, passphraseSource } from "./passphrase.ts";
import type { Outcome } from "./run.ts";

export interface PublishCommandOptions extends PassphraseOptions {
  readonly config?: string;
  readonly key?: string;
  readonly validFor?: string;
  readonly feed?: string;
  readonly format?: string;
  readonly compress?: string;
  readonly skipBad?: boolean;
  readonly allowEmpty?: boolean;
  readonly dryRun?: boolean;
}

/** @throws FeedkeyError `usage` */
function formatOf(text: string): FeedFormat {
  const format = formatNames.find((name) => name === text);
  if (format !== undefined) return format;
  throw new FeedkeyError("usage", `"${text}" is no format of feeds`, {
    hint: `--format takes ${formatNames.join(" or ")}`,
  });
}

/** One folder as one feed named after it. */
function lone(folder: string, options: PublishCommandOptions): { root: string; feeds: ArchiveFeed[] } {
  const root = resolve(folder);
  const name = options.feed ?? basename(root);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new FeedkeyError("usage", `"${name}" can't be the name of a feed`, { hint: "choose one with --feed" });
  }
  const format = formatOf(options.format ?? "opkg");
  return { root, feeds: [{ name, format, path: "", packages: "", compress: formsOf(format, options.compress) }] };
}

/** @throws FeedkeyError `usage` */
function formsOf(format: FeedFormat, text: string | undefined): readonly SummaryForm[] {
  if (text !== undefined && format !== "pkgsrc") {
    throw new FeedkeyError("usage", "--compress goes with --format pkgsrc", {
      hint: "opkg reads Packages.gz and no other form",
    });
  }
  const words = text === undefined ? [] : text.split(",").map((word) => ({ text: word.trim() }));
  return readSummaryForms(words, (_, problem, hint) => {
    return new FeedkeyError("usage", `--compress: ${problem}`, hint === undefined ? {} : { hint });
  });
}

async function terms(folder: string | undefined, options: PublishCommandOptions) {
  const config = options.config === undefined ? undefined : await readConfig(options.config);
  if (config === undefined && folder === undefined) {
    throw new FeedkeyError("usage", "nothing to publish is named", {
      hint: "give a folder of packages, or --config archive.ini",
    });
  }
  for (const option of ["format", "compress"] as const) {
    if (config === undefined || options[option] === undefined) continue;
    throw new FeedkeyError("usage", `--${option} goes with a folder: archive.ini says it for each of its feeds`);
  }
  if (config !== undefined && folder !== undefined) {
    throw new FeedkeyError("usage", "give a folder or --config, not both", {
      hint: 'the configuration\'s "root" says which folder',
    });
  }
  const key = options.key === undefined ? config?.key : keyOf(options.key);
  if (key === undefined)
    throw new FeedkeyError("usage", "no key is named", { hint: "say which key signs with --key FINGERPRINT" });
  const validFor = duration(options.validFor ?? "14d", "--valid-for");
  const place = config ?? lone(folder ?? "", options);
  return {
    root: place.root,
    feeds: place.feeds,
    key,
    userId: config?.userId,
    validFor: options.validFor === undefined ? (config?.validFor ?? validFor) : validFor,
  };
}

function describe({ plans, bundle, applied }: PublishResult, dryRun: boolean): string {
  const lines = plans.flatMap((plan) => {
    const { feed, packages, changes, writes, removes, sign, folder, signed } = plan;
    const head = `feed "${feed.name}": ${packages} packages in ${escapeText(folder.path)}`;
    if (!changesAnything(plan)) return [`${head}: nothing changed`];
    const shown = changes.slice(0, 20).map((change) => `  ${change}`);
    const more = changes.length > shown.length ? [`  ... and ${changes.length - shown.length} more`] : [];
    const files = [
      ...writes.map(({ name }) => name),
      ...(sign === undefined ? [] : signed.flatMap(({ name }) => signatureFiles(name).toReversed())),
    ];
    const did = (verb: string, past: string) => (dryRun ? `would ${verb}` : past);
    const why = sign === undefined ? "" : ` (signed: ${sign})`;
    const written = files.length === 0 ? [] : [`  ${did("write", "wrote")} ${files.join(", ")}${why}`];
    const removed = removes.length === 0 ? [] : [`  ${did("remove", "removed")} ${removes.join(", ")}`];
    return [head, ...shown, ...more, ...written, ...removed];
  });
  const keys = bundle.map(({ path }) => `${dryRun ? "would write" : "wrote"} ${escapeText(path)}`);
  if (!applied && !dryRun) return "";
  return [...lines, ...keys].join("\n");
}

/** Publishes a folder or an archive. @throws FeedkeyError `usage`, and as the use case */
export async function publish(
  context: Context,
  folder: string | undefined,
  options: PublishCommandOptions,
): Promise<Outcome> {
  const dryRun = options.dryRun === true;
  const store = await KeyStore.open(context.home);
  const place = await terms(folder, options);
  await refuseOffProfile(
    context,
    place.key,
    place.feeds.map(({ name }) => name),
  );
  const bar = context.reporter.progress("reading packages", undefined);
  const result = await publishArchive({
    ...place,
    store,
    passphrase: passphraseSource(options),
    at: context.at,
    skipBad: options.skipBad === true,
    allowEmpty: options.allowEmpty === true,
    dryRun,
    onProgress: (_feed, done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
  for (const note of result.notes) context.reporter.warn(note);
  return {
    text: describe(result, dryRun),
    json: {
      applied: result.applied,
      feeds: result.plans.map((plan) => {
        const { feed, packages, changes, writes, removes, sign } = plan;
        return {
          name: feed.name,
          packages,
          changed: changesAnything(plan),
          changes,
          writes: writes.map(({ name }) => name),
          removes,
          signed: sign ?? null,
        };
      }),
      bundle: result.bundle.map(({ path }) => path),
      skipped: result.bad.map(({ code, message, details }) => ({ code, message, details })),
    },
    errors: result.bad.map((error) => (options.skipBad === true ? skipped(error) : error)),
  };
}

/** Skipped packages end the run with status 1, not 65: what was published is whole. */
function skipped(error: FeedkeyError): FeedkeyError {
  return new FeedkeyError("not_listed", `left out: ${error.message}`, {
    details: { ...error.details, code: error.code },
    cause: error,
  });
}
