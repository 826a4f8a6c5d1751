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

/** Their names, as profiles and commands give them. */
export const formatNames = Object.keys(formats) as [FeedFormat, ...FeedFormat[]];

/** Formats whose indexes feedkey writes itself; for the others it signs what another program wrote. */
export const publishedNames = ["opkg", "pkgsrc", "apt"] as const satisfies readonly FeedFormat[];

export type PublishedFormat = (typeof publishedNames)[number];

/** Those of them whose index is one text, so that a single folder can be a feed. */
export const singleNames = publishedNames.filter((name) => formatOf(name).content === undefined);

/** The formats that a feed in archive.ini may have. */
export const archiveNames = formatNames.filter((name) => isPublished(name) || formatOf(name).signing !== undefined) as [
  FeedFormat,
  ...FeedFormat[],
];

/** Whether feedkey writes indexes of this format itself. */
export function isPublished(name: FeedFormat): name is PublishedFormat {
  return publishedNames.some((one) => one === name);
}

/** A format, with all optional properties visible. */
export function formatOf(name: FeedFormat): Format {
  return formats[name];
}

/** The format that has its own way to sign a file of this name. */
export function formatOfRoot(name: string): Format | undefined {
  return Object.values<Format>(formats).find(({ signing }) => signing?.isRoot(name));
}

/** The compression that a file of this name must have; undefined if no index of the format has this name. */
export function compressionNamed(format: Format, name: string): Compression | undefined {
  if (name === format.index) return "none";
  const form = format.forms.find((one) => name === `${format.index}.${one}`);
  return form === undefined ? undefined : compressionOf[form];
}

/** Every name that an index of the format may have. */
export function indexFileNames({ index, forms }: Format): readonly string[] {
  return [index, ...forms.map((form) => `${index}.${form}`)];
}

/** An index larger than this is refused: no archive has one, and a small machine has too little memory for it. Bytes. */
export const maxIndexBytes = 512 * 1024 * 1024;

/**
 * The largest index, in bytes, that clients accept if neither their profile nor an earlier index allows more: one and a half
 * times Debian's largest.
 */
export const usualIndexBytes = 96 * 1024 * 1024;
export const maxSignatureBytes = 256 * 1024;
