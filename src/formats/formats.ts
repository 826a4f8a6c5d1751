/** The feed formats. */

import { apt } from "./apt/format.ts";
import { type Compression, compressionOf, type Format } from "./format.ts";
import { opkg } from "./opkg/format.ts";
import { pacman } from "./pacman/format.ts";
import { pkgsrc } from "./pkgsrc/format.ts";
import { rpmMd } from "./rpm-md/format.ts";
import { sums } from "./sums/format.ts";

export {
  publishedSignatures,
  type SignatureForm,
  signatureEnding,
  signatureFiles,
  signatureForms,
} from "./signature-files.ts";

export const formats = { opkg, pkgsrc, sums, apt, pacman, "rpm-md": rpmMd } as const;

export type FeedFormat = keyof typeof formats;

/** The names of the formats in profiles and commands. */
export const formatNames = Object.keys(formats) as [FeedFormat, ...FeedFormat[]];

/** The formats whose indexes feedkey writes itself. In the other formats, feedkey signs an index that another program wrote. */
export const publishedNames = ["opkg", "pkgsrc", "apt"] as const satisfies readonly FeedFormat[];

export type PublishedFormat = (typeof publishedNames)[number];

/** The published formats whose index is one text. In these formats, a single folder can be a feed. */
export const singleNames = publishedNames.filter((name) => formatOf(name).content === undefined);

/** The formats that a feed in archive.ini may have. */
export const archiveNames = formatNames.filter((name) => isPublished(name) || formatOf(name).signing !== undefined) as [
  FeedFormat,
  ...FeedFormat[],
];

/** Whether feedkey itself writes indexes in this format. */
export function isPublished(name: FeedFormat): name is PublishedFormat {
  return publishedNames.some((one) => one === name);
}

/** Returns a format by its name. */
export function formatOf(name: FeedFormat): Format {
  return formats[name];
}

/** Returns the format that has its own way to sign a root with this name; undefined if there is no such format. */
export function formatOfRoot(name: string): Format | undefined {
  return Object.values<Format>(formats).find(({ signing }) => signing?.isRoot(name));
}

/** Returns the compression that a file with this name must have; undefined if no index in the format has this name. */
export function compressionNamed(format: Format, name: string): Compression | undefined {
  if (name === format.index) return "none";
  const form = format.forms.find((one) => name === `${format.index}.${one}`);
  return form === undefined ? undefined : compressionOf[form];
}

/** Returns every name that an index in the format may have. */
export function indexFileNames({ index, forms }: Format): readonly string[] {
  return [index, ...forms.map((form) => `${index}.${form}`)];
}

/** The size limit for an index, in bytes. No real index is larger, and larger ones would not fit into a small machine's memory. */
export const maxIndexBytes = 512 * 1024 * 1024;

/**
 * The usual size limit for an index, in bytes: one and a half times the size of Debian's largest index. The client's profile or
 * an earlier index may allow more.
 */
export const usualIndexBytes = 96 * 1024 * 1024;
export const maxSignatureBytes = 256 * 1024;
