/**
 * A toy instead of OpenPGP, so that the server's tests show its own part alone: a key is lines `NAME:ADDRESS`,
 * a bare revocation is `NAME!REASON`, and merging makes the sorted union of the lines.
 */
import { createHash } from "node:crypto";
import { FeedkeyError } from "../../src/error.ts";
import type { KeyMerger, ParsedKey } from "../../src/keyserver/key-database.ts";
import { armor, dearmor } from "../../src/openpgp/packet/armor.ts";

export function fingerprintOf(name: string): string {
  return createHash("sha1").update(name).digest("hex").toUpperCase();
}

export function armored(text: string): string {
  return armor(Buffer.from(text.endsWith("\n") ? text : `${text}\n`), "PUBLIC KEY BLOCK");
}

function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes)
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

function keyOf(name: string, lines: readonly string[]): ParsedKey {
  const emails = lines.flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1)] : []));
  return {
    fingerprint: fingerprintOf(name),
    keyIds: [fingerprintOf(name).slice(-16)],
    emails,
    bytes: Buffer.from(`${lines.join("\n")}\n`),
    bare: emails.length === 0,
  };
}

export const merger: KeyMerger = {
  parse(text) {
    const byName = new Map<string, string[]>();
    for (const line of dearmor(text, "PUBLIC KEY BLOCK").flatMap(linesOf)) {
      const name = /^(\w+)[:!]/.exec(line)?.[1];
      if (name === undefined) throw new FeedkeyError("bad_certificate", `"${line}" is no key`);
      byName.set(name, [...(byName.get(name) ?? []), line]);
    }
    return [...byName].map(([name, lines]) => keyOf(name, lines));
  },
  merge: (old, fresh) => Buffer.from(`${[...new Set([...linesOf(old), ...linesOf(fresh)])].sort().join("\n")}\n`),
  settle: (bytes) => ({ bytes, certifiedBy: [] }),
  armor: (bytes) => armor(bytes, "PUBLIC KEY BLOCK"),
};
