/** The formats of feeds, each told once. */

import { type CompressedForm, type Compression, compressionOf, type Format } from "./format.ts";
import { readPackages } from "./opkg/packages-text.ts";
import { compareVersions } from "./opkg/version.ts";
import { compareDewey } from "./pkgsrc/dewey.ts";
import { readSummaryPackages } from "./pkgsrc/summary-text.ts";

/** opkg's, and Debian's: `Packages`. */
const opkg: Format = {
  index: "Packages",
  // No bz2: it is decompressed before its signature can be verified, and a small one that means harm would take a minute.
  forms: ["gz", "xz", "zst"],
  published: "Packages",
  asked: ["Packages.gz", "Packages"],
  signs: "text",
  packageName: /\.(ipk|opk|deb)$/,
  compareVersions,
  read: readPackages,
};

/** NetBSD's pkgsrc: pkg_summary(5). */
const pkgsrc: Format = {
  index: "pkg_summary",
  forms: ["gz", "bz2", "xz", "zst"],
  published: "pkg_summary.gz",
  // Always there: other forms are asked for only where the profile names one.
  asked: ["pkg_summary.gz"],
  // So nothing unverified is ever decompressed.
  signs: "file",
  packageName: /\.(tgz|tbz|txz|tzst)$/,
  compareVersions: compareDewey,
  read: readSummaryPackages,
};

export const formats = { opkg, pkgsrc } as const;

export type FeedFormat = keyof typeof formats;

/** Their names, as profiles and commands give them. */
export const formatNames = ["opkg", "pkgsrc"] as const satisfies readonly FeedFormat[];

/** The form that a name ends as; undefined for one that is not compressed. */
export function formOf({ forms }: Format, name: string): CompressedForm | undefined {
  return forms.find((form) => name.endsWith(`.${form}`));
}

/** What the file of this name must be compressed with; undefined if an index of the format is never called so. */
export function compressionNamed(format: Format, name: string): Compression | undefined {
  if (name === format.index) return "none";
  const form = format.forms.find((one) => name === `${format.index}.${one}`);
  return form === undefined ? undefined : compressionOf[form];
}

/** Every name that an index of the format may have. */
export function indexFileNames({ index, forms }: Format): readonly string[] {
  return [index, ...forms.map((form) => `${index}.${form}`)];
}

/** The detached signatures of a file: binary, which is looked for first, and armored. */
export const signatureEnding = { binary: ".sig", armored: ".asc" } as const;

/** Which of the two are published: both, or `.asc` alone where the name `.sig` belongs to another program, as to OpenWrt's usign. */
export const signatureForms = ["both", "asc"] as const;
export type SignatureForm = (typeof signatureForms)[number];

/** The signature files that are published beside a file, in the order in which they are written. */
export function publishedSignatures(name: string, form: SignatureForm = "both"): readonly string[] {
  const [binary, armored] = signatureFiles(name);
  return form === "asc" ? [armored] : [armored, binary];
}

/** The signature file that is always right: the one that gets its final name last. */
export function mainSignature(name: string, form: SignatureForm = "both"): string {
  return publishedSignatures(name, form).at(-1) ?? name;
}

/** The files that may hold a file's signatures, the best first. */
export function signatureFiles(name: string): readonly [string, string] {
  return [`${name}${signatureEnding.binary}`, `${name}${signatureEnding.armored}`];
}

/** An index larger than this is refused: no archive has one, and it would not fit into a small machine. Bytes. */
export const maxIndexBytes = 512 * 1024 * 1024;

/** Bytes of an index that clients take where neither their profile nor an earlier index allows more: half as many again as Debian's largest have. */
export const usualIndexBytes = 96 * 1024 * 1024;
export const maxSignatureBytes = 256 * 1024;
