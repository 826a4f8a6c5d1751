/** How detached signatures are called. */

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
