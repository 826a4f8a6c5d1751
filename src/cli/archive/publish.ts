/** Runs `feedkey publish`: makes a signed feed from a folder of packages. */

import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { PublishOptions, PublishResult } from "../../index.ts";
import { type LoneFeedOptions, loneFeed } from "../../keeper/lone-feed.ts";
import { changesAnything, told } from "../../keeper/words.ts";
import type { PassphraseOptions } from "../asking/passphrase.ts";
import type { Context } from "../context.ts";
import { counted } from "../counted.ts";
import type { Outcome } from "../run.ts";
import { folded } from "../table.ts";
import { keeperOf, type WarnOptions, warningTime } from "./archive-terms.ts";
import { duration } from "./keygen.ts";

/** The options that the command line passes to the library unchanged. */
type Passed = "key" | "notationDomain" | "force" | "page" | "skipBad" | "allowEmpty" | "dryRun";

interface PublishCommandOptions extends PassphraseOptions, WarnOptions, LoneFeedOptions, Pick<PublishOptions, Passed> {
  readonly config?: string;
  readonly validFor?: string;
}

type Published = PublishResult & { readonly page: string | undefined };

/** Refuses options that can't be combined with `--config`. @throws FeedkeyError `usage` if there is such an option, or a folder */
function refuseMisfits(folder: string | undefined, options: PublishCommandOptions): void {
  if (options.config === undefined) return;
  for (const option of ["format", "compress", "form"] as const) {
    if (options[option] === undefined) continue;
    throw new FeedkeyError(
      "usage",
      `--${option} is only for publishing a folder: archive.ini has this setting for each feed`,
      {
        hint: `leave the option out, and write "${option === "form" ? "signatures" : option}" into the feed's section of archive.ini`,
      },
    );
  }
  if (folder !== undefined) {
    throw new FeedkeyError("usage", "give a folder or --config, not both", {
      hint: 'the line "root" in archive.ini says which folder is published',
    });
  }
}

function describe({ plans, bundle, applied, upload, page }: Published, dryRun: boolean): string {
  const lines = plans.flatMap((plan) => {
    const { feed, packages, changes, writes, removes, sign, folder, signed } = plan;
    const what = packages === undefined ? `${escapeText(signed[0].name)}` : counted(packages, "package");
    const head = `feed "${feed.name}": ${what} in ${escapeText(folder.path)}`;
    if (!changesAnything(plan)) return [`${head}: nothing changed`];
    const shown = changes.slice(0, 20).map((change) => `  ${change}`);
    const more = changes.length > shown.length ? [`  ... and ${changes.length - shown.length} more`] : [];
    const files = [
      ...writes.map(({ name }) => name),
      ...(sign === undefined ? [] : signed.flatMap(({ signatures }) => signatures.map(({ name }) => name))),
    ];
    const did = (verb: string, past: string) => (dryRun ? `would ${verb}` : past);
    const why = sign === undefined ? "" : ` (signed: ${sign})`;
    const list = (names: readonly string[], verb: string, past: string, reason = "") =>
      names.length === 0 ? [] : [folded(`  ${did(verb, past)}`, names) + reason];
    const written = list(files, "write", "wrote", why);
    const removed = list(removes, "remove", "removed");
    return [head, ...shown, ...more, ...written, ...removed];
  });
  const keys = bundle.map(({ path }) => `${dryRun ? "would write" : "wrote"} ${escapeText(path)}`);
  if (!applied && !dryRun) return "";
  if (page !== undefined) keys.push(page);
  const uploaded = upload === undefined ? [] : told(upload);
  if (lines.length + keys.length + uploaded.length === 0) {
    return "the key bundle is unchanged; archive.ini lists no feed";
  }
  return [...lines, ...keys, ...uploaded].join("\n");
}

function objectStore({ upload }: PublishResult) {
  if (upload === undefined) return {};
  const { place, uploaded, bytes, removed } = upload;
  return { objectStore: { place, uploaded, bytes, removed } };
}

/** Publishes a folder or an archive. @throws FeedkeyError `usage`, and the errors of the library */
export async function publish(
  context: Context,
  folder: string | undefined,
  options: PublishCommandOptions,
): Promise<Outcome> {
  const { key, skipBad, allowEmpty, notationDomain, force, page } = options;
  const dryRun = options.dryRun === true;
  const keeper = await keeperOf(context, options);
  refuseMisfits(folder, options);
  const place = folder === undefined ? undefined : loneFeed(folder, options);
  const validFor = options.validFor === undefined ? undefined : duration(options.validFor, "--valid-for");
  const warnWithin = warningTime(options);
  const terms = { place, key, warnWithin, validFor, notationDomain, skipBad, allowEmpty, force, page, dryRun };
  const result = await keeper.publish({ ...terms, partial: true });
  return {
    text: describe(result, dryRun),
    json: {
      applied: result.applied,
      feeds: result.plans.map((plan) => {
        const { feed, packages, changes, writes, removes, sign } = plan;
        return {
          name: feed.name,
          packages: packages ?? null,
          changed: changesAnything(plan),
          changes,
          writes: writes.map(({ name }) => name),
          removes,
          signed: sign ?? null,
        };
      }),
      bundle: result.bundle.map(({ path }) => path),
      page: result.page !== undefined,
      ...objectStore(result),
      skipped: result.bad.map(({ code, message, details }) => ({ code, message, details })),
    },
    errors: result.errors,
  };
}
