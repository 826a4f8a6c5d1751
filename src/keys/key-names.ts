/** The names of key algorithms in lists for people. */
import type { KeyFacts } from "../trust/facts.ts";

/** Returns the name of a key's algorithm: the name in `keygen --algorithm`, if the algorithm has a name there. */
export function algorithmName({ algorithm, bits, curve, version }: KeyFacts): string {
  if (algorithm === "rsa" || algorithm === "dsa" || algorithm === "elgamal") return `${algorithm}${bits}`;
  if (algorithm === "eddsaLegacy") return "ed25519";
  if (algorithm === "ed25519") return version === 6 ? "ed25519-v6" : "ed25519";
  return algorithm === "ecdsa" && curve !== undefined ? curve.replace(/^nistP/, "p") : algorithm;
}
