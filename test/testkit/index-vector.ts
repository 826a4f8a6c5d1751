/** A vector of an index: a document as a client gets it once its signature was checked, and what must be said of it. */
import { gunzipSync } from "node:zlib";
import { FeedkeyError } from "../../src/error.ts";
import type { Wanted } from "../../src/formats/format.ts";
import { type FeedFormat, formatOf } from "../../src/formats/formats.ts";

/** What a list says of a package; null for what it does not say, or not in a way that a package could be verified by. */
export interface ListedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly path: string | null;
  readonly size: number | null;
  readonly sha256: string | null;
}

/** The format of `test/vectors/index/`, as its README explains it. */
export interface IndexVector {
  readonly about: string;
  readonly expect: string;
  readonly line?: number;
  readonly says?: string;
  readonly wanted?: Omit<Wanted, "index">;
  readonly packages?: readonly ListedPackage[];
  readonly signed?: string;
  readonly text?: string;
  readonly base64?: string;
  readonly gzip?: string;
}

export interface IndexVectors {
  readonly format: FeedFormat;
  readonly document: string;
  readonly vectors: readonly IndexVector[];
}

/** What the program says to a vector, as far as the vector says it. */
export type Answer = Pick<IndexVector, "expect" | "line" | "packages" | "signed"> & { readonly message?: string };

function bytesOf({ text, base64, gzip }: IndexVector): Uint8Array {
  if (gzip !== undefined) return gunzipSync(Buffer.from(gzip, "base64"));
  return base64 === undefined ? Buffer.from(text ?? "", "utf8") : Buffer.from(base64, "base64");
}

/** The documents that name others; all that are not taken apart either are lists of packages. */
const roots: ReadonlySet<string> = new Set(["Release", "repomd.xml"]);

export function answer({ format, document }: Omit<IndexVectors, "vectors">, vector: IndexVector): Answer {
  const { content, read, unframe } = formatOf(format);
  const bytes = bytesOf(vector);
  try {
    if (document === "InRelease") {
      const signed = unframe?.(bytes, document)?.signed ?? new Uint8Array(0);
      return { expect: "good", signed: Buffer.from(signed).toString("base64") };
    }
    if (roots.has(document)) {
      content?.(bytes, { index: undefined, ...vector.wanted });
      return { expect: "good" };
    }
    const packages = [...read(bytes)].map(({ name, version, architecture, filename, size, sha256 }) => {
      const path = filename ?? null;
      return { name, version, architecture, path, size: size ?? null, sha256: sha256 ?? null };
    });
    return { expect: "good", packages };
  } catch (error) {
    if (!(error instanceof FeedkeyError)) throw error;
    const { code, message, details } = error;
    return { expect: code, message, ...(typeof details.line === "number" ? { line: details.line } : {}) };
  }
}
