/** Names and order of keys in lists for people. */
import type { OwnCertificate } from "../signing/signing-key.ts";
import type { KeyFacts } from "../trust/facts.ts";

/** Returns a key's algorithm, under its name in `keygen --algorithm` if it has one. */
export function algorithmName({ algorithm, bits, curve, version }: KeyFacts): string {
  if (algorithm === "rsa" || algorithm === "dsa" || algorithm === "elgamal") return `${algorithm}${bits}`;
  if (algorithm === "eddsaLegacy") return "ed25519";
  if (algorithm === "ed25519") return version === 6 ? "ed25519-v6" : "ed25519";
  return algorithm === "ecdsa" && curve !== undefined ? curve.replace(/^nistP/, "p") : algorithm;
}

/** Compares keys for sorting: the newest last; keys of equal age by fingerprint, so that the order is always the same. */
export function byAge(a: OwnCertificate, b: OwnCertificate): number {
  const [first, second] = [a.facts.primary, b.facts.primary];
  return first.createdAt - second.createdAt || (first.fingerprint < second.fingerprint ? -1 : 1);
}
