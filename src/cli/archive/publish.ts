/** `feedkey publish`: from a folder of packages to a signed feed. */

import { basename, resolve } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { formatNames, publishedSignatures, type SignatureForm, signatureForms } from "../../formats/formats.ts";
import type { PublishResult } from "../../index.ts";
import { readSummaryForms } from "../../profile/summary-forms.ts";
import type { ArchiveFeed, FeedFormat, SummaryForm } from "../../profile/types.ts";
import { changesAnything } from "../../publish/publish-plan.ts";
import type { Context } from "../context.ts";
import type { PassphraseOptions } from "../passphrase.ts";
import type { Outcome } from "../run.ts";
import { keeperOf, type WarnOptions, warningTime } from "./archive-terms.ts";
import { duration } from "./keygen.ts";

export interface PublishCommandOptions extends PassphraseOptions, WarnOptions {
  readonly config?: string;
  readonly key?: string;
  readonly validFor?: string;
  readonly feed?: string;
  readonly notationDomain?: string;
  readonly format?: string;
  readonly compress?: string;
  readonly form?: string;
  readonly force?: boolean;
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

/** @throws FeedkeyError `usage` */
export function signatureForm(text: string): SignatureForm {
  const form = signatureForms.find((name) => name === text);
  if (form !== undefined) return form;
  throw new FeedkeyError("usage", `"${escapeText(text)}" is not a form of signatures`, {
    hint: `--form takes ${signatureForms.join(" or ")}`,
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
  const feed = { name, format, path: "", packages: "", compress: formsOf(format, options.compress) };
  return { root, feeds: [options.form === undefined ? feed : { ...feed, signatures: signatureForm(options.form) }] };
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

/** @throws FeedkeyError `usage` */
function refuseMisfits(folder: string | undefined, options: PublishCommandOptions): void {
  if (options.config === undefined) return;
  for (const option of ["format", "compress", "form"] as const) {
    if (options[option] === undefined) continue;
    throw new FeedkeyError("usage", `--${option} goes with a folder: archive.ini says it for each of its feeds`, {
      hint: `write ${option === "form" ? "signatures" : option} into the section of the feed`,
    });
  }
  if (folder !== undefined) {
    throw new FeedkeyError("usage", "give a folder or --config, not both", {
      hint: 'the configuration\'s "root" says which folder',
    });
  }
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
      ...(sign === undefined ? [] : signed.flatMap(({ name }) => publishedSignatures(name, feed.signatures))),
    ];
    const did = (verb: string, past: string) => (dryRun ? `would ${verb}` : past);
    const why = sign === undefined ? "" : ` (signed: ${sign})`;
    const written = files.length === 0 ? [] : [`  ${did("write", "wrote")} ${files.join(", ")}${why}`];
    const removed = removes.length === 0 ? [] : [`  ${did("remove", "removed")} ${removes.join(", ")}`];
    return [head, ...shown, ...more, ...written, ...removed];
  });
  const keys = bundle.map(({ path }) => `${dryRun ? "would write" : "wrote"} ${escapeText(path)}`);
  if (!applied && !dryRun) return "";
  if (lines.length + keys.length === 0) return "the key bundle is as it was; archive.ini lists no feed";
  return [...lines, ...keys].join("\n");
}

/** Publishes a folder or an archive. @throws FeedkeyError `usage`, and as the use case */
export async function publish(
  context: Context,
  folder: string | undefined,
  options: PublishCommandOptions,
): Promise<Outcome> {
  const { key, skipBad, allowEmpty, notationDomain, force } = options;
  const dryRun = options.dryRun === true;
  const keeper = await keeperOf(context, options);
  refuseMisfits(folder, options);
  const place = folder === undefined ? undefined : lone(folder, options);
  const validFor = options.validFor === undefined ? undefined : duration(options.validFor, "--valid-for");
  const warnWithin = warningTime(options);
  const terms = { place, key, warnWithin, validFor, notationDomain, skipBad, allowEmpty, force, dryRun };
  const result = await keeper.publish({ ...terms, partial: true });
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
    errors: result.errors,
  };
}
