/** Describes the changes that an import made to the key store. */
import type { OwnCertificate } from "../signing/signing-key.ts";
import { type Instant, iso } from "../time.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import { endOfKey } from "../trust/expiry-forecast.ts";
import type { CertificateFacts, Fingerprint, SignatureFacts } from "../trust/facts.ts";
import { revocationWords } from "../trust/key-state.ts";

/** A change by an import. The kind is part of the API, but the text is not. */
export interface Change {
  readonly fingerprint: Fingerprint;
  readonly kind:
    | "user-id"
    | "subkey"
    | "expiry"
    | "certification"
    | "delegation"
    | "withdrawal"
    | "revocation"
    | "subkey-revocation"
    | "user-id-revocation";
  /** The key that made the change, or the subkey that the change is about. */
  readonly key: Fingerprint;
  readonly text: string;
}

/** Returns the signatures in `now` that are not in `before`. */
function fresh<One extends SignatureFacts>(now: readonly One[], before: readonly SignatureFacts[] = []): One[] {
  const known = new Set(before.map(({ id }) => id));
  return now.filter(({ id }) => !known.has(id));
}

function ofRevocations(facts: CertificateFacts, before: CertificateFacts | undefined): Change[] {
  const { fingerprint } = facts.primary;
  const change = (kind: Change["kind"], key: Fingerprint, text: string): Change => ({ fingerprint, kind, key, text });
  const subkeys = facts.subkeys.flatMap((subkey) => {
    const known = before?.subkeys.find((one) => one.fingerprint === subkey.fingerprint)?.revocations;
    return fresh(subkey.revocations, known).map((one) => {
      return change(
        "subkey-revocation",
        subkey.fingerprint,
        `the subkey ${subkey.fingerprint} is ${revocationWords(one)}`,
      );
    });
  });
  const own = fresh(facts.revocations, before?.revocations);
  return [...own.map((one) => change("revocation", one.key, `the key is ${revocationWords(one)}`)), ...subkeys];
}

function ofUserIds(facts: CertificateFacts, before: CertificateFacts | undefined): Change[] {
  const { fingerprint } = facts.primary;
  return facts.userIds.flatMap((userId): Change[] => {
    const known = before?.userIds.find(({ bytes }) => bytes === userId.bytes);
    const change = (kind: Change["kind"], key: Fingerprint, text: string): Change => ({ fingerprint, kind, key, text });
    const until = ({ expiresAt }: SignatureFacts) => (expiresAt === undefined ? "" : ` until ${iso(expiresAt)}`);
    const said = fresh(userId.certifications, known?.certifications).map((one) => {
      if (!isDelegation(one)) return change("certification", one.key, `${one.key} certified the key${until(one)}`);
      const terms = one.notations.map(({ value }) => value).join(", ");
      const again = known?.certifications.some((old) => old.key === one.key && isDelegation(old)) === true;
      const verb = again ? "renewed its delegation to the key" : "delegated to the key";
      return change("delegation", one.key, `${one.key} ${verb}: ${terms}${until(one)}`);
    });
    const taken = fresh(userId.withdrawals, known?.withdrawals).map((one) => {
      return change("withdrawal", one.key, `${one.key} withdrew its certification or delegation`);
    });
    const gone = fresh(userId.revocations, known?.revocations).map((one) => {
      return change("user-id-revocation", one.key, `the user ID "${userId.text}" is ${revocationWords(one)}`);
    });
    const isNew = before !== undefined && known === undefined;
    const added = isNew ? [change("user-id", fingerprint, `the key also has the user ID "${userId.text}"`)] : [];
    return [...added, ...said, ...taken, ...gone];
  });
}

/**
 * Returns the changes between two versions of a certificate.
 * @param before the certificate that the store had before the import; undefined if the store did not have this certificate
 */
export function changesOf({ facts }: OwnCertificate, before: OwnCertificate | undefined, at: Instant): Change[] {
  const { fingerprint } = facts.primary;
  const subkeys = facts.subkeys
    .filter((subkey) => before?.facts.subkeys.some((one) => one.fingerprint === subkey.fingerprint) === false)
    .map((subkey): Change => {
      return {
        fingerprint,
        kind: "subkey",
        key: subkey.fingerprint,
        text: `the key has the subkey ${subkey.fingerprint}`,
      };
    });
  const [end, old] = [endOfKey(facts, at).until, before && endOfKey(before.facts, at).until];
  const words = Number.isFinite(end) ? `the key expires on ${iso(end)}` : "the key never expires";
  const expiry: Change[] =
    old === undefined || old === end ? [] : [{ fingerprint, kind: "expiry", key: fingerprint, text: words }];
  return [...ofRevocations(facts, before?.facts), ...ofUserIds(facts, before?.facts), ...subkeys, ...expiry];
}
