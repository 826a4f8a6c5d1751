/** Writes a new profile. The user gives the seeds' fingerprints; their certificates come from the archive's bundle. */

import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { commitStaged, stageAll } from "../../files/atomic.ts";
import { ensureFolder } from "../../files/folder.ts";
import { createTransport } from "../../net/transport.ts";
import { armorCertificates, type RawCertificate } from "../../openpgp/certificate/certificate.ts";
import { attachLoose, collect } from "../../openpgp/certificate/merge.ts";
import { readKeys } from "../../openpgp/certificate/read-keys.ts";
import { limits } from "../../openpgp/packet/limits.ts";
import { bundlePath } from "../../profile/layout.ts";
import { readProfile } from "../../profile/read-profile.ts";
import { trustDefaults } from "../../profile/trust-defaults.ts";
import type { Feed, FeedFormat, Identity, Profile } from "../../profile/types.ts";
import { formatProfile } from "../../profile/write-profile.ts";
import { httpError, rootOf } from "../../refresh/download.ts";
import type { Reporter } from "../../refresh/session.ts";
import { fullFingerprint } from "../../store/fingerprint.ts";

import type { Fingerprint } from "../../trust/facts.ts";
import type { ClientOptions, Report } from "../client-options.ts";
import { report } from "../with-warnings.ts";
import { takeSeeds } from "./bundle-seeds.ts";
import { credentialsFor } from "./load-credentials.ts";
import { readCa } from "./load-profile.ts";

export { singleNames } from "../../formats/formats.ts";
export { fullFingerprint } from "../../store/fingerprint.ts";

export interface InitProfileOptions extends Pick<ClientOptions, "at" | "offline" | "reporter"> {
  /** The full fingerprints of the archive's keys, which the user got from a source other than the archive. */
  readonly fingerprints: readonly string[];
  /** The folder for the profile; feedkey writes the profile's keyring to a folder below this folder. */
  readonly folder: string;
  /** The profile's name; by default the host name in the archive's URL. */
  readonly name?: string | undefined;
  readonly feeds?: readonly { readonly name: string; readonly path: string }[] | undefined;
  /** The text of further `[feed NAME]` sections, in the form that they have in a profile. */
  readonly sections?: string | undefined;
  /** The format of `feeds`; by default opkg. */
  readonly format?: FeedFormat | undefined;
  /**
   * The URLs of key servers, such as `hkps://HOST`. By default the profile has no key servers, and feedkey warns; with an empty
   * list, it does not warn.
   */
  readonly keyservers?: readonly string[] | undefined;
  /**
   * The PEM files with the certificate authorities for the archive's servers and for the key servers. feedkey copies these
   * files to a folder beside the profile.
   */
  readonly ca?: string | undefined;
  readonly keyserverCa?: string | undefined;
  /** Whether to replace an existing profile. */
  readonly force?: boolean | undefined;
}

/** The result of writing a new profile. */
export interface NewProfile {
  readonly file: string;
  readonly keyring: string;
  readonly seeds: readonly Fingerprint[];
  /** The user ID or email address by which clients find successors of the archive's keys. */
  readonly identity: Identity;
}

/**
 * Downloads an archive's key bundle and returns its certificates. Callers must verify the certificates.
 * @param archive the archive's URL, with a trailing slash
 * @throws FeedkeyError `not_found` if the archive has no bundle; `unavailable` if the bundle can't be downloaded
 */
export async function readBundle(
  archive: string,
  terms: Pick<InitProfileOptions, "ca" | "offline"> & { readonly credentials?: string | undefined },
) {
  const { ca, offline = false, credentials } = terms;
  const transport = createTransport({ offline, credentials: credentialsFor(credentials), ...(await readCa(ca)) });
  try {
    const url = new URL(bundlePath, archive);
    const bounds = { maxBytes: limits.keyringBytes, policy: "archive", root: rootOf(archive) } as const;
    const answer = await transport.get(url, bounds);
    if (answer.status === 200) {
      const { certificates, loose } = readKeys(answer.body);
      return attachLoose(collect(certificates), loose);
    }
    if (answer.status === 401) throw httpError(url, answer);
    throw new FeedkeyError("not_found", `the server gives no key bundle at ${url.href} (status ${answer.status})`, {
      details: { url: url.href, status: answer.status },
      hint: "check that this is the address of the archive's root, and that the archive's keepers have run feedkey publish",
    });
  } finally {
    await transport.close();
  }
}

/** Returns the profile's name. @throws FeedkeyError `usage` if the name can't be the name of a file */
function nameOf(archive: string, options: InitProfileOptions): string {
  const name = options.name ?? (new URL(archive).hostname || "archive");
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new FeedkeyError("usage", `"${escapeText(name)}" can't be the name of a profile`, {
    hint: "choose another name with --name: letters, digits, dots, hyphens and underscores, with a letter or digit first",
  });
}

/** Refuses to replace a profile, because the user may have added seeds or lines. @throws FeedkeyError `output` */
async function refuseToReplace(file: string, options: InitProfileOptions): Promise<void> {
  if (options.force === true) return;
  try {
    await lstat(file);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return;
    throw error;
  }
  throw new FeedkeyError("output", `there is a profile at ${escapeText(file)} already`, {
    details: { path: file },
    hint: "choose another name with --name or another folder with -o; --force replaces the profile",
  });
}

/**
 * Plans copies of the files with certificate authorities, so that the profile needs no file from another folder.
 * @throws FeedkeyError `bad_profile`
 */
async function authorities(folder: string, name: string, { ca, keyserverCa }: InitProfileOptions) {
  const files: { path: string; data: string; mode: number }[] = [];
  const copy = async (from: string | undefined, ending: string) => {
    const read = await readCa(from);
    if (read.ca === undefined) return undefined;
    const path = `ca/${name}${ending}.pem`;
    files.push({ path: join(folder, path), data: read.ca, mode: 0o644 });
    return path;
  };
  return { files, ca: await copy(ca, ""), keyserverCa: await copy(keyserverCa, "-keyservers") };
}

/** Warns about settings that a new profile lacks. */
function warnOfGaps({ keyservers }: InitProfileOptions, { feeds }: Profile, reporter: Reporter): void {
  if (keyservers === undefined) {
    reporter.warn(
      "keyservers = none: revocations reach this client only through the archive's own bundle; name key servers with " +
        "--keyservers hkps://HOST",
    );
  }
  if (feeds.length === 0) reporter.warn("the profile has no feed yet: add a [feed NAME] section to it for each feed");
}

/** Returns the files of a keyring, one file for each certificate. */
export function certificateFiles(keyring: string, certificates: readonly RawCertificate[]) {
  return certificates.map((certificate) => ({
    path: join(keyring, `${certificate.fingerprint}.asc`),
    data: armorCertificates([certificate]),
    mode: 0o644,
  }));
}

/**
 * Adds the user's sections to the text of a profile.
 * @returns the text, and the profile that it describes
 * @throws FeedkeyError `bad_profile` if the text is not a valid profile; `usage` if the sections change more than the feeds
 */
function withSections(text: string, sections: string | undefined, file: string) {
  const before = readProfile(text, file);
  if (sections === undefined) return { text, profile: before };
  const whole = `${text}\n${sections}`;
  const profile = readProfile(whole, file);
  // A line before the first section would belong to the last section of the text.
  const isSame = isDeepStrictEqual({ ...before, feeds: [] }, { ...profile, feeds: [] });
  if (isSame && isDeepStrictEqual(before.feeds, profile.feeds.slice(0, before.feeds.length)))
    return { text: whole, profile };
  throw new FeedkeyError("usage", "the text with the feeds' sections has lines outside [feed NAME] sections", {
    hint: "leave out all lines before the first [feed NAME] line; --help lists the options for other settings",
  });
}

/** Writes the profile, its keyring and the copies of certificate authorities. */
async function write(archive: string, options: InitProfileOptions, reporter: Reporter): Promise<NewProfile> {
  const { at = Date.now(), feeds = [], format = "opkg", keyservers = [] } = options;
  const name = nameOf(archive, options);
  const seeds = options.fingerprints.map(fullFingerprint);
  const folder = resolve(options.folder);
  const file = join(folder, `${name}.ini`);
  await refuseToReplace(file, options);
  const copies = await authorities(folder, name, options);
  const bundle = await readBundle(archive, options);
  const { certificates, identity } = await takeSeeds({ at, reporter }, bundle, seeds);
  const text = formatProfile({
    archive: { name, url: archive, mirrors: [], ca: copies.ca, redirects: "any", identity, verify: "required" },
    // The profile contains also the default settings, so that its readers see these settings.
    trust: { ...trustDefaults, keyring: `keyrings/${name}`, seeds, keyservers, keyserverCa: copies.keyserverCa },
    feeds: feeds.map((feed): Feed => ({ ...feed, format, index: undefined, packages: "feed" })),
  });
  const whole = withSections(text, options.sections, file);
  const keyring = join(folder, "keyrings", name);
  // The mode is fixed: with a lax umask, other users could write to the keyring, and feedkey would refuse it.
  await ensureFolder(keyring, 0o755);
  const keys = certificateFiles(keyring, certificates);
  if (copies.files.length > 0) await ensureFolder(join(folder, "ca"), 0o755);
  await commitStaged(await stageAll([...keys, ...copies.files, { path: file, data: whole.text, mode: 0o644 }]));
  warnOfGaps(options, whole.profile, reporter);
  return { file, keyring, seeds, identity };
}

/**
 * Refuses secrets in the URL before feedkey requests or prints anything: a password must not reach a server or a log.
 * @throws FeedkeyError `usage` if the URL contains a user name or a password
 */
function refuseSecrets(address: string): void {
  const url = /^(https?|file):/i.test(address) && URL.canParse(address) ? new URL(address) : undefined;
  // If the text is not a URL, feedkey can't find the password in the text, so any text that may contain one is refused.
  const has = url === undefined ? /[:/\\].*@/s.test(address) : url.username !== "" || url.password !== "";
  if (!has && !/:\/\/[^/]*@/.test(address)) return;
  throw new FeedkeyError("usage", "a URL with a user name or password is refused", {
    hint: 'write user name and password into ~/.netrc, or into the file that the line "credentials" of the profile names',
  });
}

/**
 * Writes a new profile and its keyring. After an error, feedkey has written neither.
 * @param address the archive's URL
 * @throws FeedkeyError `usage`; `output` if the profile already exists; `not_found`; `untrusted_signer` if the bundle lacks a
 *   seed; `revoked`, `bad_certificate`, `bad_profile`
 */
export async function initProfile(address: string, options: InitProfileOptions): Promise<Report<NewProfile>> {
  refuseSecrets(address);
  const archive = address.endsWith("/") ? address : `${address}/`;
  if (!URL.canParse(bundlePath, archive)) {
    throw new FeedkeyError("usage", `"${escapeText(address)}" is not a URL`, {
      hint: "give the address of the archive's root, such as https://example.org/archive/",
    });
  }
  return await report(options.reporter, true, (reporter) => write(archive, options, reporter));
}
