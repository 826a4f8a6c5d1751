/** Describes to the user what an import changed. */
import type { OwnCertificate } from "../signing/signing-key.ts";
import { type Instant, iso } from "../time.ts";
import { isDelegation } from "../trust/delegation-terms.ts";
import { endOfKey } from "../trust/expiry-forecast.ts";
import type { CertificateFacts, Fingerprint, SignatureFacts } from "../trust/facts.ts";
import { revocationWords } from "../trust/key-state.ts";

/** One change in an import. The kinds are part of the API, the wording is not. */
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

/** Returns the signatures that the other list lacks. */
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
        `its subkey ${subkey.fingerprint} is ${revocationWords(one)}`,
      );
    });
  });
  const own = fresh(facts.revocations, before?.revocations);
  return [...own.map((one) => change("revocation", one.key, `it is ${revocationWords(one)}`)), ...subkeys];
}

function ofUserIds(facts: CertificateFacts, before: CertificateFacts | undefined): Change[] {
  const { fingerprint } = facts.primary;
  return facts.userIds.flatMap((userId): Change[] => {
    const known = before?.userIds.find(({ bytes }) => bytes === userId.bytes);
    const change = (kind: Change["kind"], key: Fingerprint, text: string): Change => ({ fingerprint, kind, key, text });
    const until = ({ expiresAt }: SignatureFacts) => (expiresAt === undefined ? "" : ` until ${iso(expiresAt)}`);
    const said = fresh(userId.certifications, known?.certifications).map((one) => {
      if (!isDelegation(one)) return change("certification", one.key, `${one.key} certified it${until(one)}`);
      const terms = one.notations.map(({ value }) => value).join(", ");
      const again = known?.certifications.some((old) => old.key === one.key && isDelegation(old)) === true;
      const verb = again ? "renewed its delegation" : "delegated to it";
      return change("delegation", one.key, `${one.key} ${verb}: ${terms}${until(one)}`);
    });
    const taken = fresh(userId.withdrawals, known?.withdrawals).map((one) => {
      return change("withdrawal", one.key, `${one.key} withdrew its certification or delegation`);
    });
    const gone = fresh(userId.revocations, known?.revocations).map((one) => {
      return change("user-id-revocation", one.key, `its user ID "${userId.text}" is ${revocationWords(one)}`);
    });
    const isNew = before !== undefined && known === undefined;
    const added = isNew ? [change("user-id", fingerprint, `it has the user ID "${userId.text}" too`)] : [];
    return [...added, ...said, ...taken, ...gone];
  });
}

/**
 * Returns what is new in a certificate.
 * @param before the certificate in the store before; undefined if the certificate is new
 */
export function changesOf({ facts }: OwnCertificate, before: OwnCertificate | undefined, at: Instant): Change[] {
  const { fingerprint } = facts.primary;
  const subkeys = facts.subkeys
    .filter((subkey) => before?.facts.subkeys.some((one) => one.fingerprint === subkey.fingerprint) === false)
    .map((subkey): Change => {
      return { fingerprint, kind: "subkey", key: subkey.fingerprint, text: `it has the subkey ${subkey.fingerprint}` };
    });
  const [end, old] = [endOfKey(facts, at).until, before && endOfKey(before.facts, at).until];
  const words = Number.isFinite(end) ? `it expires on ${iso(end)}` : "it never expires";
  const expiry: Change[] =
    old === undefined || old === end ? [] : [{ fingerprint, kind: "expiry", key: fingerprint, text: words }];
  return [...ofRevocations(facts, before?.facts), ...ofUserIds(facts, before?.facts), ...subkeys, ...expiry];
}
