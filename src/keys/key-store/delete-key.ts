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
  /** The configuration of the archive for which the key may sign, if known. */
  readonly config: ArchiveConfig | undefined;
  /** The folder of a backup or another key store that also has the key. */
  readonly backup: string | undefined;
  /** Whether to delete the key despite all objections. */
  readonly force: boolean;
  readonly at: Instant;
}

/** What is deleted and what stays. */
export interface DeletionPlan {
  readonly fingerprint: Fingerprint;
  readonly secret: "goes" | "none";
  /** The certificate stays if other certificates in the store depend on it, or if the backup lacks a part of it. */
  readonly certificate: "goes" | "stays";
  /** Why the certificate stays, in words; undefined if it is deleted. */
  readonly staysFor: string | undefined;
  /** Keys that certified this key, or that this key certified: a reason to keep the certificate, or an objection. */
  readonly connected: readonly Fingerprint[];
  /** The objections to the deletion, in words; empty if the deletion needs no `force`. */
  readonly against: readonly string[];
}

const onlyRevocation = "it has a revocation, and no complete backup was given";
const noConfig =
  "archives are published from this key store, and without --config it is unknown whether this key signs for them";

/** Returns what a secret key is still needed for. */
async function usesOf(store: KeyStore, own: Own, key: Fingerprint, { config, at }: DeleteTerms): Promise<string[]> {
  const certificate = own.get(key);
  const present = config && own.get(config.key.fingerprint);
  const uses: string[] = [];
  if (config?.key.fingerprint === key) uses.push(`it signs for the archive of ${config.file}`);
  if (config !== undefined && present !== undefined) {
    const { successor } = rotationState(own, present, config.userId, at);
    if (successor?.raw.fingerprint === key) uses.push("it is the successor of a rotation that is under way");
  }
  const inForce = certificate !== undefined && refusePrimary(certificate.facts, at) === undefined;
  if (config === undefined && inForce && (await store.hasPublished())) uses.push(noConfig);
  const given = listDelegations(own, undefined, at).filter((one) => one.issuer === key && one.refused === undefined);
  for (const { delegate } of given) uses.push(`it delegated to ${delegate}, which only it can renew or withdraw`);
  return uses;
}

/**
 * Plans a deletion, and changes nothing.
 * @throws FeedkeyError `usage` for a malformed fingerprint; `not_found` if the store lacks the key; `bad_config`
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
    const against = names.map((one) => `one of it and ${one} certified the other`);
    if (isPresent) against.unshift("it is the archive's present key");
    const isRevoked = certificate !== undefined && revocationPart(certificate.raw) !== undefined;
    if (isRevoked && copied?.certificate !== true) against.push(onlyRevocation);
    return { fingerprint, secret: "none", certificate: "goes", staysFor: undefined, connected: names, against };
  }
  const uses = await usesOf(store, own, fingerprint, terms);
  const isSaved = copied?.secret === true;
  const copy =
    backup === undefined
      ? "no backup of it was given"
      : `${escapeText(backup)} does not contain all its secrets as they are now`;
  const staysFor =
    names.length > 0
      ? `clients find ${names.join(", ")} through it`
      : isPresent
        ? "it is the archive's present key"
        : copied?.certificate === false
          ? `${escapeText(backup ?? "")} does not contain all of it, such as a revocation`
          : undefined;
  return {
    fingerprint,
    secret: "goes",
    certificate: staysFor === undefined ? "goes" : "stays",
    staysFor,
    connected: names,
    against: [...uses, ...(isSaved ? [] : [copy])],
  };
}

/** Returns the hint about the objections to deleting a secret key. */
function hintFor(against: readonly string[], { backup }: DeleteTerms): string {
  const others = against.filter((one) => one !== noConfig);
  const steps = [
    ...(others.length < against.length ? ["give --config FILE, the archive.ini that is published from here"] : []),
    ...(backup === undefined || others.some((one) => one.includes("does not contain all its secrets"))
      ? ["give a current copy of the key store with --backup DIR (feedkey key backup DIR makes one)"]
      : []),
    "--force deletes it anyway, for good",
  ];
  return steps.join("; ");
}

function hintForCertificate(against: readonly string[]): string {
  const onlyCopy = against.every((one) => one === onlyRevocation);
  const why = onlyCopy
    ? "clients may not have heard of it yet: give a copy with --backup DIR (feedkey key backup DIR makes one)"
    : "the key bundle is made from these certificates: without this one, clients would lose their chain";
  return `${why}; --force deletes it anyway`;
}

/** Refuses to delete a key that is still needed. @throws FeedkeyError `usage` */
function refuseNeeded({ fingerprint, secret, against }: DeletionPlan, terms: DeleteTerms): void {
  if (against.length === 0) return;
  const what = secret === "goes" ? "the secret key" : "the certificate";
  throw new FeedkeyError("usage", `${what} ${fingerprint} is not deleted: ${against.join("; ")}`, {
    details: { fingerprint, against },
    hint: secret === "goes" ? hintFor(against, terms) : hintForCertificate(against),
  });
}

/**
 * Deletes a key: the secret first. Revocation certificates stay, in case a lost or stolen copy of the key turns up.
 * @throws FeedkeyError `usage` if the key is still needed; `not_found`; `output`; `locked`
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
