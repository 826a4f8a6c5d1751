/** Use case: delete a key from the store, unless the key is still needed. */
import { resolve } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { revocationPart } from "../../openpgp/certificate/revocation-part.ts";
import type { ArchiveConfig } from "../../profile/types.ts";
import type { Own } from "../../signing/delegate-check.ts";
import { rotationState } from "../../signing/rotation-state.ts";
import { ownCertificates, resolveKey } from "../../signing/signing-key.ts";
import type { KeyStore } from "../../store/key-store.ts";
import type { Instant } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { refusePrimary } from "../../trust/key-state.ts";
import { listDelegations } from "../delegations.ts";
import { copiedTo } from "./copy-check.ts";
import { certifiersOf } from "./describe-key.ts";

interface DeleteTerms {
  /** The configuration of the archive for which the key may sign; undefined if the caller gave no configuration. */
  readonly config: ArchiveConfig | undefined;
  /** The folder of a backup or another key store that also has the key. */
  readonly backup: string | undefined;
  /** Whether to delete the key despite all objections. */
  readonly force: boolean;
  readonly at: Instant;
}

/** The plan of a deletion: which files of a key are deleted, and which files stay. */
export interface DeletionPlan {
  readonly fingerprint: Fingerprint;
  readonly secret: "goes" | "none";
  /** The certificate stays if other certificates in the store depend on it, or if the backup lacks a part of it. */
  readonly certificate: "goes" | "stays";
  /** The reason why the certificate stays; undefined if the certificate does not stay. */
  readonly staysFor: string | undefined;
  /** Keys that certified this key, and keys that this key certified. With such keys, clients may still need the certificate. */
  readonly connected: readonly Fingerprint[];
  /** The objections to the deletion; empty if the deletion needs no `force`. */
  readonly against: readonly string[];
}

const onlyRevocation = "the certificate has a revocation, and no complete backup was given";
const noConfig =
  "feedkey publishes archives with this key store, and without --config feedkey does not know whether this key signs for these archives";

/** Returns the reasons why a secret key is still needed. */
async function usesOf(store: KeyStore, own: Own, key: Fingerprint, { config, at }: DeleteTerms): Promise<string[]> {
  const certificate = own.get(key);
  const present = config && own.get(config.key.fingerprint);
  const uses: string[] = [];
  if (config?.key.fingerprint === key) uses.push(`the key signs for the archive of ${config.file}`);
  if (config !== undefined && present !== undefined) {
    const { successor } = rotationState(own, present, config.userId, at);
    if (successor?.raw.fingerprint === key) uses.push("the key is the successor in a rotation that is in progress");
  }
  const inForce = certificate !== undefined && refusePrimary(certificate.facts, at) === undefined;
  if (config === undefined && inForce && (await store.hasPublished())) uses.push(noConfig);
  const given = listDelegations(own, undefined, at).filter((one) => one.issuer === key && one.refused === undefined);
  for (const { delegate } of given) uses.push(`only this key can renew or withdraw its delegation to ${delegate}`);
  return uses;
}

/**
 * Plans a deletion, and changes nothing.
 * @throws FeedkeyError `usage`: when the fingerprint is malformed; `not_found`: when the store does not have the key; `bad_config`:
 * when the store can't be read
 */
export async function planDeletion(store: KeyStore, text: string, terms: DeleteTerms): Promise<DeletionPlan> {
  const fingerprint = await resolveKey(store, text);
  const own = await ownCertificates(store);
  const certificate = own.get(fingerprint);
  const connected = [...own.values()].filter((one) => {
    if (one.raw.fingerprint === fingerprint) return false;
    const isAbove = certificate !== undefined && certifiersOf(certificate, terms.at).includes(one.raw.fingerprint);
    return isAbove || certifiersOf(one, terms.at).includes(fingerprint);
  });
  const names = connected.map(({ raw }) => raw.fingerprint);
  const isPresent = terms.config?.key.fingerprint === fingerprint;
  const { backup } = terms;
  const copied = backup === undefined ? undefined : await copiedTo(store, fingerprint, resolve(backup));
  if (!(await store.hasPrivate(fingerprint))) {
    const against = names.map((one) => `this key certified ${one}, or ${one} certified this key`);
    if (isPresent) against.unshift("the key is the archive's present key");
    const isRevoked = certificate !== undefined && revocationPart(certificate.raw) !== undefined;
    if (isRevoked && copied?.certificate !== true) against.push(onlyRevocation);
    return { fingerprint, secret: "none", certificate: "goes", staysFor: undefined, connected: names, against };
  }
  const uses = await usesOf(store, own, fingerprint, terms);
  const isSaved = copied?.secret === true;
  const staysFor =
    names.length > 0
      ? `clients find ${names.join(", ")} through this certificate`
      : isPresent
        ? "the key is the archive's present key"
        : copied?.certificate === false
          ? `${escapeText(backup ?? "")} does not contain the complete certificate: for example, a revocation may be missing`
          : undefined;
  return {
    fingerprint,
    secret: "goes",
    certificate: staysFor === undefined ? "goes" : "stays",
    staysFor,
    connected: names,
    against: [...uses, ...(isSaved ? [] : [withoutCopy(terms)])],
  };
}

/** Returns the objection that no backup contains the secrets. */
function withoutCopy({ backup }: DeleteTerms): string {
  return backup === undefined
    ? "no backup of the key was given"
    : `${escapeText(backup)} does not contain all secrets of the key as they are now`;
}

/** Returns the hint for a user whose secret key is not deleted because of objections. */
function hintFor(against: readonly string[], terms: DeleteTerms): string {
  const others = against.filter((one) => one !== noConfig);
  const steps = [
    ...(others.length < against.length
      ? ["give --config FILE, where FILE is the archive.ini of the archive that you publish with this key store"]
      : []),
    ...(against.includes(withoutCopy(terms))
      ? ["give a current copy of the key store with --backup DIR (feedkey key backup DIR makes a copy)"]
      : []),
    "--force deletes the secret key anyway, and this can't be undone",
  ];
  return steps.join("; ");
}

function hintForCertificate(against: readonly string[]): string {
  const onlyCopy = against.every((one) => one === onlyRevocation);
  const why = onlyCopy
    ? "clients may not have received the revocation yet: give a copy of the key store with --backup DIR (feedkey key backup DIR makes a copy)"
    : "feedkey makes the key bundle from these certificates: without this certificate, clients could not follow the chain of keys";
  return `${why}; --force deletes the certificate anyway`;
}

/** Refuses to delete a key that is still needed. @throws FeedkeyError `usage`: when there are objections */
function refuseNeeded({ fingerprint, secret, against }: DeletionPlan, terms: DeleteTerms): void {
  if (against.length === 0) return;
  const what = secret === "goes" ? "the secret key" : "the certificate";
  throw new FeedkeyError("usage", `${what} ${fingerprint} is not deleted: ${against.join("; ")}`, {
    details: { fingerprint, against },
    hint: secret === "goes" ? hintFor(against, terms) : hintForCertificate(against),
  });
}

/**
 * Deletes a key. The secret is deleted first. The revocation certificates stay, because somebody may still find or steal another
 * copy of the key.
 * @throws FeedkeyError `usage`: when the key is still needed; `not_found`, `output` or `locked`: when the key store refuses
 */
export async function deleteKey(store: KeyStore, text: string, terms: DeleteTerms): Promise<DeletionPlan> {
  return await store.exclusive(async (writer) => {
    const plan = await planDeletion(store, text, terms);
    if (!terms.force) refuseNeeded(plan, terms);
    if (plan.secret === "goes") await writer.removePrivate(plan.fingerprint);
    if (plan.certificate === "goes") await writer.removeCertificate(plan.fingerprint);
    return plan;
  });
}
