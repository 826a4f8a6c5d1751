/** The numbers of the secret keys under `keys/`. */
import { readFileSync } from "node:fs";

export interface KeyNumbers {
  /** `n e` of RSA, `p q g y` of DSA. */
  readonly open: readonly Uint8Array[];
  /** `d p q u` of RSA, `x` of DSA. */
  readonly secret: readonly Uint8Array[];
}

/** Reads the unlocked version 4 secret key in `test/testkit/keys/NAME.asc`. */
export function keyNumbers(name: string, count: { readonly open: number; readonly secret: number }): KeyNumbers {
  const text = readFileSync(`test/testkit/keys/${name}.asc`, "latin1");
  const base64 = /\n\n([A-Za-z0-9+/=\n]+)\n=/.exec(text)?.[1] ?? "";
  const bytes = Buffer.from(base64, "base64");
  // GnuPG writes an old-format header with a two-octet length, then version, date and algorithm.
  let at = 3 + 6;
  const read = (numbers: number): Uint8Array[] =>
    Array.from({ length: numbers }, () => {
      const length = (bytes.readUInt16BE(at) + 7) >> 3;
      const number = bytes.subarray(at + 2, at + 2 + length);
      at += 2 + length;
      return number;
    });
  const open = read(count.open);
  if (bytes[at] !== 0) throw new Error(`${name}.asc is locked`);
  at += 1;
  return { open, secret: read(count.secret) };
}
