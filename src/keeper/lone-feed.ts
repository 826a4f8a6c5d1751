/** Makes the settings of a feed for a folder that the user publishes without an archive.ini. */
import { basename, resolve } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { type SignatureForm, signatureForms, singleNames } from "../formats/formats.ts";
import { readSummaryForms } from "../profile/summary-forms.ts";
import type { ArchiveFeed, PublishedFormat, SummaryForm } from "../profile/types.ts";

/** The options for the feed, as texts from the command line. */
export interface LoneFeedOptions {
  /** The name of the feed; by default the folder's name. */
  readonly feed?: string;
  readonly format?: string;
  /** The compressed forms of pkg_summary to write in addition to .gz, separated by commas. */
  readonly compress?: string;
  /** The signature files to write: `both`, or `asc` alone. */
  readonly form?: string;
}

/** Reads the name of a feed format. @throws FeedkeyError `usage` if feedkey can't publish the format */
function formatOf(text: string): PublishedFormat {
  const format = singleNames.find((name) => name === text);
  if (format !== undefined) return format;
  throw new FeedkeyError("usage", `"${text}" is not a feed format`, {
    hint: `--format takes ${singleNames.join(" or ")}`,
  });
}

/** Reads the option for the signature files. @throws FeedkeyError `usage` if the text is not `both` or `asc` */
export function signatureForm(text: string): SignatureForm {
  const form = signatureForms.find((name) => name === text);
  if (form !== undefined) return form;
  throw new FeedkeyError("usage", `"${escapeText(text)}" is not a form of signatures`, {
    hint: `--form takes ${signatureForms.join(" or ")}`,
  });
}

/** Returns the settings for publishing a folder as one feed, which by default has the folder's name. @throws FeedkeyError `usage` */
export function loneFeed(folder: string, options: LoneFeedOptions): { root: string; feeds: ArchiveFeed[] } {
  const root = resolve(folder);
  const name = options.feed ?? basename(root);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new FeedkeyError("usage", `"${name}" can't be the name of a feed`, {
      hint: "choose another name with --feed: letters, digits, dots, hyphens and underscores, with a letter or digit first",
    });
  }
  const format = formatOf(options.format ?? "opkg");
  const feed = { name, format, path: "", packages: "", compress: formsOf(format, options.compress) };
  return { root, feeds: [options.form === undefined ? feed : { ...feed, signatures: signatureForm(options.form) }] };
}

/** Reads the compressed forms, separated by commas. @throws FeedkeyError `usage` if a form is unknown, or the format is not pkgsrc */
function formsOf(format: PublishedFormat, text: string | undefined): readonly SummaryForm[] {
  if (text !== undefined && format !== "pkgsrc") {
    throw new FeedkeyError("usage", "--compress is only for --format pkgsrc", {
      hint: "opkg reads Packages.gz and no other form",
    });
  }
  const words = text === undefined ? [] : text.split(",").map((word) => ({ text: word.trim() }));
  return readSummaryForms(words, (_, problem, hint) => {
    return new FeedkeyError("usage", `--compress: ${problem}`, hint === undefined ? {} : { hint });
  });
}
