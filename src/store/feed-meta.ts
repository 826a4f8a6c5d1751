import type { Data } from "../content.ts";
import { type Instant, iso } from "../time.ts";
import { type FileVersion, fileVersionDocument, parseFileVersion } from "./file-version.ts";
import { StateReader } from "./state-reader.ts";

/** The signer of one good signature over an accepted index. */
interface SignerRecord {
  readonly certificate: string;
  readonly signingKey: string;
  readonly createdAt: Instant;
}

/** The server's validators (ETag or Last-Modified) of an index and of its detached signature, for conditional requests. */
export interface IndexVersions {
  readonly index?: FileVersion | undefined;
  readonly signature?: FileVersion | undefined;
}

/** What the caller records about an index that it accepts. */
export interface AcceptedIndex {
  /**
   * The date of the index's signature. With a threshold above one, the latest date such that enough signers signed at this date or later.
   */
  readonly createdAt: Instant;
  /** The digest of the bytes that the signature covers, in lower-case hex. */
  readonly sha256: string;
  /** When these bytes were first accepted. */
  readonly acceptedAt: Instant;
  readonly signers: readonly SignerRecord[];
  /** The URL or file that the index came from. */
  readonly source: string;
  /** The number of packages that the index lists. */
  readonly entries: number;
  /** A digest of feedkey's release and of the settings with which the index was read; undefined in states from older releases. */
  readonly readAs?: string | undefined;
  /** The servers' validators; undefined if no server gave any validator, or no server was asked. */
  readonly versions?: IndexVersions | undefined;
}

/** A package list that an accepted index names. */
export interface AcceptedPart {
  readonly text: Data;
  /** Whether the state has a damaged text of this part, which the new text replaces. */
  readonly mends: boolean;
}

/** The contents of a feed's `meta.json`. */
export interface FeedMeta extends AcceptedIndex {
  readonly feed: string;
  /** The size of the index in bytes. */
  readonly size: number;
  readonly signatureSha256: string;
}

const version = 1;

/**
 * Reads a feed's `meta.json`.
 * @throws FeedkeyError `bad_state` if the file is damaged
 */
export function parseFeedMeta(bytes: Uint8Array, path: string): FeedMeta {
  const read = new StateReader(path);
  const names = [
    "feed",
    "createdAt",
    "sha256",
    "signatureSha256",
    "acceptedAt",
    "signers",
    "source",
    "size",
    "entries",
  ];
  // States from older releases lack the optional fields.
  const meta = read.document(bytes, version, [...names, "versions?", "readAs?"]);
  const versions = meta.get("versions");
  return {
    feed: read.text(meta.get("feed"), "feed"),
    createdAt: read.instant(meta.get("createdAt"), "createdAt"),
    sha256: read.digest(meta.get("sha256"), "sha256"),
    signatureSha256: read.digest(meta.get("signatureSha256"), "signatureSha256"),
    acceptedAt: read.instant(meta.get("acceptedAt"), "acceptedAt"),
    signers: read.list(meta.get("signers"), "signers", (value) => {
      const signer = read.object(value, "signers", ["certificate", "signingKey", "createdAt"]);
      return {
        certificate: read.fingerprint(signer.get("certificate"), "signers"),
        signingKey: read.fingerprint(signer.get("signingKey"), "signers"),
        createdAt: read.instant(signer.get("createdAt"), "signers"),
      };
    }),
    source: read.text(meta.get("source"), "source"),
    size: read.count(meta.get("size"), "size"),
    entries: read.count(meta.get("entries"), "entries"),
    readAs: meta.has("readAs") ? read.digest(meta.get("readAs"), "readAs") : undefined,
    versions: versions === undefined ? undefined : parseVersions(versions, read),
  };
}

function parseVersions(value: unknown, read: StateReader): IndexVersions {
  const found = read.object(value, "versions", ["index?", "signature?"]);
  const of = (name: string) => (found.has(name) ? parseFileVersion(found.get(name), "versions", read) : undefined);
  return { index: of("index"), signature: of("signature") };
}

/** Returns the text of `meta.json`; times are precise to the second. */
export function serializeFeedMeta(meta: FeedMeta): string {
  const document = {
    version,
    feed: meta.feed,
    createdAt: iso(meta.createdAt),
    sha256: meta.sha256,
    signatureSha256: meta.signatureSha256,
    acceptedAt: iso(meta.acceptedAt),
    signers: meta.signers.map(({ certificate, signingKey, createdAt }) => {
      return { certificate, signingKey, createdAt: iso(createdAt) };
    }),
    source: meta.source,
    size: meta.size,
    entries: meta.entries,
    versions: meta.versions && {
      index: meta.versions.index && fileVersionDocument(meta.versions.index),
      signature: meta.versions.signature && fileVersionDocument(meta.versions.signature),
    },
    readAs: meta.readAs,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
