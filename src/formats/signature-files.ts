/** How detached signatures are called. */
import type { SignatureFile, Signing } from "./format.ts";

/** The detached signatures of a file: binary, which is looked for first, and armored. */
export const signatureEnding = { binary: ".sig", armored: ".asc" } as const;

/** Which of the two are published: both, or `.asc` alone where the name `.sig` belongs to another program, as to OpenWrt's usign. */
export const signatureForms = ["both", "asc"] as const;
export type SignatureForm = (typeof signatureForms)[number];

/** The files that may hold a file's signatures, the best first. */
export function signatureFiles(name: string): readonly [string, string] {
  return [`${name}${signatureEnding.binary}`, `${name}${signatureEnding.armored}`];
}

/**
 * The files with a file's signatures that are published, in the order in which they are written: the last one is always right.
 * @param signing of the format, where it has a way of its own
 * @param framed whether one that holds the text too is asked for
 */
export function publishedSignatures(
  name: string,
  signing: Signing | undefined,
  form: SignatureForm = "both",
  framed = false,
): readonly SignatureFile[] {
  const [binary, armored] = signatureFiles(name);
  const all = signing?.files(name, framed) ?? [
    { name: armored, holds: "armored" },
    { name: binary, holds: "binary" },
  ];
  const others = all.filter(({ holds }) => holds !== "binary");
  // Where there is nothing but a binary one, its name belongs to no other program.
  return form === "both" || others.length === 0 ? all : others;
}
