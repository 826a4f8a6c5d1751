/** A vector: everything that a verifier needs, and what it must say. */
import { FeedkeyError } from "../../src/error.ts";
import { parseTime } from "../../src/time.ts";
import { codeOf, judged, verdict } from "./judging.ts";

/** The format of `test/vectors/signature/`, as its README explains it. Base64 for bytes, upper-case hex for fingerprints. */
export interface Vector {
  /** `good`, or the code of the refusal. */
  readonly expect: string;
  readonly about: string;
  readonly at: string;
  readonly feed: string;
  readonly userEmail: string;
  readonly seeds: readonly string[];
  readonly threshold: number;
  readonly requireFeedName: boolean;
  readonly requireExpiry: boolean;
  readonly certificates: string;
  readonly index: string;
  readonly signature: string;
}

/** What the program says to a vector. @param by `library`: with no signature checked by Node's own cryptography */
export async function answer(vector: Vector, by?: "library"): Promise<string> {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
  const { feed, threshold, requireFeedName, requireExpiry } = vector;
  try {
    const trust = await judged({
      certificates: [{ bytes: bytes(vector.certificates) }],
      seeds: vector.seeds.map((fingerprint) => ({ fingerprint })),
      identity: { kind: "user-email", email: vector.userEmail },
      at: parseTime(vector.at),
      ...(by === undefined ? {} : { by }),
    });
    const policy = { feed, threshold, requireFeedName, requireExpiry };
    return codeOf(await verdict(trust, bytes(vector.index), bytes(vector.signature), policy));
  } catch (error) {
    if (error instanceof FeedkeyError) return error.code;
    throw error;
  }
}
