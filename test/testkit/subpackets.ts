/** Signature subpackets (RFC 9580 section 5.2.3), right ones and, by `raw`, any others. */
import type { Instant } from "../../src/time.ts";
import { concat, octets } from "./framing.ts";
import type { TestKey } from "./keys.ts";

export interface Subpacket {
  readonly type: number;
  readonly critical: boolean;
  readonly body: Uint8Array;
}

const text = (value: string) => new TextEncoder().encode(value);
const fingerprintBytes = (fingerprint: string) => new Uint8Array(Buffer.from(fingerprint, "hex"));

export function raw(type: number, body: Uint8Array | readonly number[] = []): Subpacket {
  return { type, critical: false, body: Uint8Array.from(body) };
}

/** The same subpacket, marked as one that must be understood. */
export function critical(subpacket: Subpacket): Subpacket {
  return { ...subpacket, critical: true };
}

export const created = (at: Instant) => raw(2, octets(at / 1000, 4));
/** The signature's own end, in seconds after its making. */
export const expiresAfter = (seconds: number) => raw(3, octets(seconds, 4));
export const exportable = (yes: boolean) => raw(4, [yes ? 1 : 0]);
export const trustLevel = (level: number, amount: number) => raw(5, [level, amount]);
/** The key's end, in seconds after its making. */
export const keyExpiresAfter = (seconds: number) => raw(9, octets(seconds, 4));
export const revoker = (key: TestKey) => raw(12, [0x80, key.algorithm, ...fingerprintBytes(key.fingerprint)]);
export const issuerKeyId = (key: Pick<TestKey, "keyId">) => raw(16, fingerprintBytes(key.keyId));
export const reason = (code: number, words = "") => raw(29, [code, ...text(words)]);
export const embedded = (signature: Uint8Array) => raw(32, signature);

export function issuerFingerprint({ version, fingerprint }: Pick<TestKey, "version" | "fingerprint">): Subpacket {
  return raw(33, [version, ...fingerprintBytes(fingerprint)]);
}

export function notation(name: string, value: string): Subpacket {
  const [nameBytes, valueBytes] = [text(name), text(value)];
  const lengths = concat(octets(nameBytes.length, 2), octets(valueBytes.length, 2));
  return raw(20, concat(Uint8Array.of(0x80, 0, 0, 0), lengths, nameBytes, valueBytes));
}

const flagBits = { certify: 1, sign: 2, encrypt: 0x0c } as const;
export type Flag = keyof typeof flagBits;

export function flags(...names: readonly Flag[]): Subpacket {
  return raw(27, [names.reduce((bits, name) => bits | flagBits[name], 0)]);
}

/** Subpackets one after the other, without the area's length. */
export function area(subpackets: readonly Subpacket[]): Uint8Array {
  return concat(
    ...subpackets.map(({ type, critical, body }) => {
      const length = body.length + 1;
      const size = length < 192 ? [length] : [255, ...octets(length, 4)];
      return concat(Uint8Array.of(...size, type | (critical ? 0x80 : 0)), body);
    }),
  );
}
