/**
 * Chooses the keys in an export: keys that may sign now, that the program can read, and that may sign everything for which the program
 * would use them.
 */
import type { RawCertificate } from "../openpgp/certificate/certificate.ts";
import { minimal } from "../openpgp/certificate/minimal.ts";
import type { Feed, FeedFormat } from "../profile/types.ts";
import type { Judged } from "../refresh/certificate-pool.ts";
import type { Session } from "../refresh/session.ts";
import { allows } from "../trust/delegation.ts";
import { signingKeys } from "../trust/expiry-forecast.ts";
import type { CertificateFacts, Fingerprint } from "../trust/facts.ts";
import type { Trusted, TrustSet } from "../trust/judge.ts";

export const exportFormats = ["gpgv", "apt", "dnf", "zypper", "pacman", "opkg", "pkg_install"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/**
 * The number of X25519, the first of the public-key algorithms that are new in RFC 9580. GnuPG 2.2 and rpm of the same age do not support
 * these.
 */
const firstNewAlgorithm = 25;

/**
 * Returns why a program can't read a certificate; undefined if it can. GnuPG 2.2 does not support version 6. pkg_install can't read a
 * keyring at all if one key in it is not RSA.
 * @param raw the certificate as the export would contain it
 * @param able the component keys that may sign; the export contains these and the primary key
 */
function unreadable(
  { primary, subkeys }: CertificateFacts,
  raw: RawCertificate,
  able: ReadonlySet<Fingerprint>,
  format: ExportFormat,
): string | undefined {
  if (primary.version !== 4) return `it is of version ${primary.version}`;
  const octets = [raw.primary, ...raw.subkeys.map(({ packet }) => packet)].map(({ body }) => body[5] ?? 0);
  if (["dnf", "zypper", "pacman"].includes(format) && octets.some((octet) => octet >= firstNewAlgorithm)) {
    return "its algorithm is newer than GnuPG 2.2";
  }
  if (format !== "pkg_install") return undefined;
  const exported = [primary, ...subkeys.filter(({ fingerprint }) => able.has(fingerprint))];
  if (exported.some(({ algorithm }) => algorithm !== "rsa")) return "it is not RSA";
  return primary.keyId.startsWith("00") ? "its key ID begins with 00, which netpgpverify can't look up" : undefined;
}

/**
 * Finds the programs that can read at least one of the keys that may sign now.
 * @param certificateOf returns a certificate by its fingerprint
 */
export function readersOf(
  trust: TrustSet,
  certificateOf: (fingerprint: Fingerprint) => RawCertificate | undefined,
): ReadonlySet<ExportFormat> {
  const readers = new Set<ExportFormat>();
  for (const [fingerprint, { facts }] of trust.trusted) {
    const able = signingKeys(facts, trust.at);
    const certificate = certificateOf(fingerprint);
    if (able.size === 0 || certificate === undefined) continue;
    const exported = minimal(certificate, able);
    for (const format of exportFormats) {
      if (unreadable(facts, exported, able, format) === undefined) readers.add(format);
    }
  }
  return readers;
}

function maySign({ role, grants }: Trusted, feed: string): boolean {
  return role !== "delegate" || grants.some((grant) => allows(grant, feed));
}

/** The programs that have one keyring for all feeds, each with the only feed format that it reads. */
const hasOneKeyring: Readonly<Partial<Record<ExportFormat, FeedFormat>>> = {
  opkg: "opkg",
  pkg_install: "pkgsrc",
  dnf: "rpm-md",
  zypper: "rpm-md",
  pacman: "pacman",
};

/**
 * Returns the feeds that a program's keyring is for by default: those in the format that the program reads. So the signers of other feeds
 * are left out.
 */
export function feedsFor(format: ExportFormat, feeds: readonly Feed[]): string[] {
  const read = feeds.filter((feed) => feed.format === (hasOneKeyring[format] ?? feed.format));
  return (read.length > 0 ? read : feeds).map(({ name }) => name);
}

/**
 * Returns why a delegate can't be in a keyring; undefined if it can. A keyring can't restrict a key to certain feeds: a delegate in it
 * could sign every feed.
 * @param feeds the names of the feeds that the keyring is for
 */
function confined(trusted: Trusted, feeds: readonly string[], format: ExportFormat): string | undefined {
  if (trusted.role !== "delegate") return undefined;
  const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
  const barred = feeds.filter((feed) => !maySign(trusted, feed));
  if (feeds.length > 0 && barred.length === 0) return undefined;
  const reason = `it is a delegate that may not sign ${quoted(barred) || "everything"}, which a keyring can't express`;
  const own = feeds.filter((feed) => maySign(trusted, feed));
  if (own.length === 0) return reason;
  return hasOneKeyring[format] === undefined
    ? `${reason}; export a keyring only for ${quoted(own)} with --feed`
    : `${reason}; ${format} has one keyring for all feeds, and will refuse what this key signs in ${quoted(own)}, ` +
        `unless ${format} is set up only for ${quoted(own)} with --feed`;
}

/** Chooses the certificates of keys that may sign now, and reduces each to the packets that the program needs. */
export async function choose(session: Session, judged: Judged, format: ExportFormat, only: readonly string[]) {
  const { trust } = judged;
  const all = session.profile.feeds.map(({ name }) => name);
  const feeds = only.length > 0 ? only : feedsFor(format, session.profile.feeds);
  const held = await session.knowledge.worthKeeping(trust, session.accepted);
  const chosen: RawCertificate[] = [];
  /**
   * The keys that may sign a feed that this program reads. Another export for the same program may have put them into a keyring that both
   * exports share.
   */
  const elsewhere = new Set<Fingerprint>();
  const left: { fingerprint: Fingerprint; reason: string }[] = [];
  for (const [fingerprint, trusted] of trust.trusted) {
    const able = signingKeys(trusted.facts, trust.at);
    const certificate = held.get(fingerprint);
    if (able.size === 0 || certificate === undefined) continue;
    // Keys that sign only feeds for which this keyring is not meant are left out without a reason.
    const signs = (feed: string) => maySign(trusted, feed);
    if (feedsFor(format, session.profile.feeds).some(signs)) elsewhere.add(fingerprint);
    if (!feeds.some(signs) && (only.length > 0 || all.some(signs))) continue;
    const exported = minimal(certificate, able);
    const reason = confined(trusted, feeds, format) ?? unreadable(trusted.facts, exported, able, format);
    if (reason !== undefined) left.push({ fingerprint, reason });
    else chosen.push(exported);
  }
  return { chosen, elsewhere, left, held };
}
