/** What the vectors are made of: everything in them differs from a good one by a word or two. */
import { archiveId, type CertificateOptions, certificate } from "./certificate.ts";
import { day } from "./dates.ts";
import { framed, type Packet } from "./framing.ts";
import { ed25519Key, type TestKey } from "./keys.ts";
import { certification, dataSignature, keyRevocation, type SignatureOptions } from "./signature.ts";
import * as sub from "./subpackets.ts";
import type { Vector } from "./vector.ts";

export const [seed, next, stranger, signer] = ["seed", "next", "stranger", "signer"].map((name) =>
  ed25519Key(`vector ${name}`),
) as [TestKey, TestKey, TestKey, TestKey];
export const index = Buffer.from("Package: a\nVersion: 1\nFilename: a_1_all.ipk\n");
export const days = (n: number) => n * 86_400;

export interface Case {
  readonly about: string;
  readonly own?: Partial<CertificateOptions>;
  readonly signed?: Partial<SignatureOptions> & {
    readonly type?: number;
    readonly feed?: string;
    readonly data?: Uint8Array;
  };
  /** Instead of the one signature by the seed. */
  readonly file?: Uint8Array;
  readonly others?: readonly { readonly bytes: Uint8Array }[];
  readonly profile?: Partial<Pick<Vector, "threshold" | "requireFeedName" | "requireExpiry" | "seeds">>;
}

export const sign = (options: Case["signed"] = {}): Packet =>
  dataSignature({ by: seed, at: day(50), data: index, feed: "base", ...options });
export const revoked = (
  reason: number,
  at = day(60),
  more: Partial<SignatureOptions> = {},
): Partial<CertificateOptions> => ({
  signatures: [keyRevocation({ by: seed, of: seed, at, hashed: [sub.reason(reason)], ...more })],
});
export const successor = (more: Partial<SignatureOptions> = {}, own: Partial<CertificateOptions> = {}) =>
  certificate({
    key: next,
    ...own,
    certifiedBy: [
      certification({ by: seed, of: next, userId: archiveId, at: day(10), ...more }),
      ...(own.certifiedBy ?? []),
    ],
  });
export const byNext = framed(sign({ by: next }));
export const good = framed(sign());
export const damaged = Uint8Array.from(good);
damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;

/** By expected code, then by name. */
export type Cases = Readonly<Record<string, Readonly<Record<string, Case>>>>;
