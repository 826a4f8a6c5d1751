/** The vectors, by name: one file, one failure. Each differs from `good` in what its name says. */
import { iso } from "../../src/time.ts";
import { certificate } from "./certificate.ts";
import { day } from "./dates.ts";
import { allFramed, concat } from "./framing.ts";
import type { Vector } from "./vector.ts";
import { index, seed, sign } from "./vector-parts.ts";
import { keyCases } from "./vectors-of-keys.ts";
import { signatureCases } from "./vectors-of-signatures.ts";

/** Makes all vectors: file name without `.json`, and contents. */
export function makeVectors(): Map<string, Vector> {
  const vectors = new Map<string, Vector>();
  for (const [code, named] of Object.entries({ ...signatureCases, ...keyCases })) {
    for (const [name, { about, own = {}, signed, file, others = [], profile = {} }] of Object.entries(named)) {
      const first = certificate({ key: seed, ...own });
      const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
      vectors.set(name, {
        expect: code,
        about,
        at: iso(day(100)),
        feed: "base",
        userEmail: "archive@example.org",
        seeds: [first.fingerprint],
        threshold: 1,
        requireFeedName: false,
        requireExpiry: false,
        ...profile,
        certificates: base64(concat(first.bytes, ...others.map(({ bytes }) => bytes))),
        index: base64(index),
        signature: base64(file ?? allFramed([sign(signed)])),
      });
    }
  }
  return vectors;
}
