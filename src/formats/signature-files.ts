/** Builds the names of detached signatures. */
import type { SignatureFile, Signing } from "./format.ts";

/** The extensions of a file's detached signatures. Clients request the binary signature first. */
export const signatureEnding = { binary: ".sig", armored: ".asc" } as const;

/** Which signature files to publish: both, or only `.asc` if another program, such as OpenWrt's usign, uses `.sig`. */
export const signatureForms = ["both", "asc"] as const;
export type SignatureForm = (typeof signatureForms)[number];

/** Returns the names of the files that may contain a file's signatures, the best first. */
export function signatureFiles(name: string): readonly [string, string] {
  return [`${name}${signatureEnding.binary}`, `${name}${signatureEnding.armored}`];
}

/**
 * Returns a file's published signature files, in the order in which feedkey writes them.
 * @param signing the format's own way to sign, if the format has one
 * @param framed whether to write a file that contains both text and signature
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
  // If the format has only a binary signature, no other program uses the signature file's name.
  return form === "both" || others.length === 0 ? all : others;
}
