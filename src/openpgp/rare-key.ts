/**
 * ECDSA and DSA over keys and user IDs, checked by Node's own cryptography: it takes a hundredth of the library's time for
 * DSA, and knows curves that the library lacks here. Over documents, whose digest alone is at hand, the library does.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { LoadedKey } from "./key-packet.ts";
import { readInteger } from "./mpi.ts";
import { type NativeKey, plainNumbers } from "./native-key.ts";

/** Public-key algorithms (RFC 9580 section 9.1). */
const algorithm = { dsa: 17, ecdsa: 19 } as const;

export type RareKey = Pick<NativeKey, "question">;

const made = new WeakMap<LoadedKey, RareKey | undefined>();

/** @returns undefined for any other algorithm, and for a key that node refuses */
export function rareKey(key: LoadedKey): RareKey | undefined {
  if (!made.has(key)) made.set(key, make(key));
  return made.get(key);
}

function make({ facts, algorithm: octet, body }: LoadedKey): RareKey | undefined {
  const material = body.subarray(facts.version === 6 ? 10 : 6);
  try {
    if (octet === algorithm.ecdsa) return elliptic(material);
    return octet === algorithm.dsa ? digitalSignature(material) : undefined;
  } catch {
    // A point that is not on its curve, a curve that this machine doesn't know.
    return undefined;
  }
}

function asking(object: KeyObject, octets: number): RareKey {
  return {
    question({ hash, bytes: data }, numbers) {
      const value = plainNumbers(numbers, 2, octets);
      return value && { hash, data, key: object, value };
    },
  };
}

/** The integers of a key. @throws Error unless they are as many, and nothing else */
function integers(bytes: Uint8Array, count: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const integer = readInteger(bytes, at, "exact");
    if (integer === undefined) throw new Error("no such integer");
    found.push(integer.bytes);
    at = integer.end;
  }
  if (at !== bytes.length) throw new Error("something stands behind them");
  return found;
}

const ecPublicKey = Buffer.from("06072a8648ce3d0201", "hex");

/** Of any curve, as its object identifier names it (RFC 9580 section 5.5.5.4; RFC 5480 section 2). */
function elliptic(material: Uint8Array): RareKey | undefined {
  const curve = material.subarray(1, 1 + (material[0] ?? 0));
  const [point] = integers(material.subarray(1 + curve.length), 1);
  // Uncompressed.
  if (point?.[0] !== 4) return undefined;
  return asking(publicKey([ecPublicKey, der(0x06, [curve])], point), (point.length - 1) / 2);
}

const dsaPublicKey = Buffer.from("06072a8648ce380401", "hex");

/** RFC 3279 section 2.3.2. */
function digitalSignature(material: Uint8Array): RareKey | undefined {
  const [p, q, g, y] = integers(material, 4);
  if (p === undefined || q === undefined || g === undefined || y === undefined) return undefined;
  return asking(publicKey([dsaPublicKey, der(0x30, [p, q, g].map(derInteger))], derInteger(y)), q.length);
}

function publicKey(identifier: readonly Uint8Array[], bits: Uint8Array): KeyObject {
  const key = der(0x30, [der(0x30, identifier), der(0x03, [Buffer.of(0), bits])]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

/** DER (X.690): a tag, the length, the content. */
function der(tag: number, parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}

/** With a zero before it where it would look negative. */
function derInteger(number: Uint8Array): Buffer {
  return der(0x02, [(number[0] ?? 0) < 0x80 ? number : Buffer.concat([Buffer.of(0), number])]);
}
