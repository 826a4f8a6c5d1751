import { join } from "node:path";
import { refuseWritableByOthers } from "../files/folder.ts";
import { FeedFolder } from "./feed-folder.ts";
import type { FeedMeta } from "./feed-meta.ts";
import { type CertificateRecord, emptyLedger, type FeedRecord, type LedgerFile, parseLedger } from "./ledger.ts";
import { badState, fileNameFor, namesIn, readSmallFile, readStateFile, sha256 } from "./state-file.ts";
import type { StatePlaces } from "./state-places.ts";

/** The state of a profile, as it was read from the disk and found undamaged. */
export interface StateSnapshot {
  /** Whether something was ever saved. */
  readonly initialised: boolean;
  readonly ledger: LedgerFile;
  /** The binary certificates, by fingerprint. */
  readonly certificates: ReadonlyMap<string, Uint8Array>;
  /** The content of the revocation file; undefined if the file does not exist. */
  readonly revocations: Uint8Array | undefined;
  /** Whether an earlier run was killed between two writes, so that the ledger on the disk must be replaced by `ledger`. */
  readonly healed: boolean;
}

/**
 * Refuses folders to which other users can write.
 * @throws FeedkeyError `bad_state` if other users can write to a folder
 */
export async function refuseUnsafeFolders(places: StatePlaces): Promise<void> {
  for (const folder of [places.root, places.folder]) {
    await refuseWritableByOthers(folder, (problem, hint) => badState(folder, `is not safe: ${problem}`, hint));
  }
}

/**
 * Reads the state and checks that nothing in it is damaged, lost, or older than the ledger says.
 * @param known the state that the same run read before: certificates with the same digest are reused
 * @throws FeedkeyError `bad_state` if the check fails
 */
export async function readSnapshot(places: StatePlaces, known?: StateSnapshot): Promise<StateSnapshot> {
  const bytes = await readStateFile(places.ledger);
  if (bytes === undefined) {
    await refuseIfGone(places);
    return { initialised: false, ledger: emptyLedger, certificates: new Map(), revocations: undefined, healed: false };
  }
  const ledger = parseLedger(bytes, places.ledger, places.profile);
  const certificates = new Map<string, Uint8Array>();
  const settled = new Map<string, CertificateRecord>();
  for (const [fingerprint, record] of ledger.certificates) {
    const isKnown =
      record.previous === undefined && known?.ledger.certificates.get(fingerprint)?.sha256 === record.sha256;
    const certificate =
      (isKnown ? known?.certificates.get(fingerprint) : undefined) ??
      readRecorded(join(places.certificates, `${fingerprint}.pgp`), record);
    if (certificate === undefined) continue;
    certificates.set(fingerprint, certificate);
    settled.set(fingerprint, { sha256: isKnown ? record.sha256 : sha256(certificate) });
  }
  const feeds = await readFeeds(places, ledger.feeds);
  const revocations = ledger.revocations && readRecorded(places.revocations, ledger.revocations);
  const records = [...ledger.certificates.values(), ...(ledger.revocations === undefined ? [] : [ledger.revocations])];
  const inDoubt = records.some((record) => record.previous !== undefined);
  const behind = [...feeds].some(([feed, found]) => {
    const record = ledger.feeds.get(feed);
    return record?.createdAt !== found.createdAt || record.sha256 !== found.sha256;
  });
  const { revocations: _, ...others } = ledger;
  return {
    initialised: true,
    ledger: {
      ...others,
      certificates: settled,
      feeds,
      ...(revocations === undefined ? {} : { revocations: { sha256: sha256(revocations) } }),
    },
    certificates,
    revocations,
    healed: inDoubt || behind,
  };
}

/**
 * Compares a feed's index on the disk with the ledger. The index may be newer than the ledger says, because a run writes the index first
 * and may be killed before it writes the ledger. The index may never be older.
 * @returns the record that belongs in the ledger
 * @throws FeedkeyError `bad_state` if the index is older than the ledger says, or has the same date but is another index
 */
export function compareWithLedger(path: string, meta: FeedMeta, record: FeedRecord | undefined): FeedRecord {
  const found = { createdAt: meta.createdAt, sha256: meta.sha256 };
  if (record === undefined || meta.createdAt > record.createdAt) return found;
  if (meta.createdAt < record.createdAt)
    throw badState(path, "is older than the ledger says: somebody may have restored an old copy");
  if (meta.sha256 !== record.sha256) throw badState(path, "is not the index that the ledger names");
  return found;
}

/** Refuses a state that lost its ledger. Every first write begins with the ledger, so if other files exist, the ledger existed too. */
async function refuseIfGone(places: StatePlaces): Promise<void> {
  const marked = (await readStateFile(places.marker)) !== undefined;
  const certificates = (await namesIn(places.certificates)).filter((name) => name.endsWith(".pgp"));
  const feeds = await namesIn(places.feeds);
  const revocations = await readStateFile(places.revocations);
  if (marked || certificates.length > 0 || feeds.length > 0 || revocations !== undefined) {
    throw badState(places.ledger, `is missing, although profile "${places.profile}" was in use here`);
  }
}

async function readFeeds(
  places: StatePlaces,
  records: ReadonlyMap<string, FeedRecord>,
): Promise<ReadonlyMap<string, FeedRecord>> {
  const folder = new FeedFolder(places.feeds);
  const found = new Map<string, FeedRecord>();
  for (const feed of new Set([...records.keys(), ...(await folder.names())])) {
    const path = join(places.feeds, fileNameFor(feed));
    const accepted = await folder.read(feed);
    if (accepted === undefined) throw badState(path, "is missing, although the ledger says that an index was accepted");
    found.set(feed, compareWithLedger(path, accepted.meta, records.get(feed)));
  }
  return found;
}

function readRecorded(path: string, record: CertificateRecord): Uint8Array | undefined {
  const bytes = readSmallFile(path);
  if (bytes === undefined) {
    if (record.previous === null) return undefined;
    throw badState(path, "is gone");
  }
  const digest = sha256(bytes);
  if (digest === record.sha256 || digest === record.previous) return bytes;
  throw badState(path, "is damaged: it does not match the digest in the ledger");
}
