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

/** Those whose indexes feedkey writes itself; of the others it signs what another program wrote. */
export const publishedNames = ["opkg", "pkgsrc", "apt"] as const satisfies readonly FeedFormat[];

export type PublishedFormat = (typeof publishedNames)[number];

/** Of those, the ones whose index is one text: a folder by itself can be such a feed. */
export const singleNames = publishedNames.filter((name) => formatOf(name).content === undefined);

/** Those of an archive's feeds. */
export const archiveNames = formatNames.filter((name) => isPublished(name) || formatOf(name).signing !== undefined) as [
  FeedFormat,
  ...FeedFormat[],
];

/** Whether feedkey writes indexes of this format itself. */
export function isPublished(name: FeedFormat): name is PublishedFormat {
  return publishedNames.some((one) => one === name);
}

/** What a format says of itself, with all that others may say. */
export function formatOf(name: FeedFormat): Format {
  return formats[name];
}

/** The format that signs a file of this name in a way of its own. */
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

/** An index larger than this is refused: no archive has one, and it would not fit into a small machine. Bytes. */
export const maxIndexBytes = 512 * 1024 * 1024;

/** Bytes of an index that clients take where neither their profile nor an earlier index allows more: half as many again as Debian's largest have. */
export const usualIndexBytes = 96 * 1024 * 1024;
export const maxSignatureBytes = 256 * 1024;
