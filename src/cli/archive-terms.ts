/** What the commands about an archive's keys have in common: configuration, key store, key servers. */
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { type Archive, refreshBundle } from "../archive/archive.ts";
import { type Sent, sendCertificates } from "../archive/distribute.ts";
import type { KeyPlace } from "../archive/signer.ts";
import { ownCertificates } from "../archive/signing-key.ts";
import { provenOf } from "../archive/take-in.ts";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { createTransport } from "../net/transport.ts";
import type { Transport } from "../net/types.ts";
import { limits } from "../openpgp/limits.ts";
import { readArchiveConfig } from "../profile/read-archive.ts";
import type { ArchiveConfig } from "../profile/types.ts";
import { isFingerprint } from "../store/fingerprint.ts";
import { KeyStore } from "../store/key-store.ts";
import { readUpTo } from "../store/plain-file.ts";
import { readTrustedFile } from "../store/trusted-file.ts";
import type { Context } from "./context.ts";
import { type PassphraseOptions, passphraseSource } from "./passphrase.ts";

/** @throws FeedkeyError `not_found`, `bad_config` */
export async function readConfig(file: string): Promise<ArchiveConfig> {
  try {
    const text = await readTrustedFile(file, { what: "the archive configuration", code: "bad_config" });
    return readArchiveConfig(text.toString("utf8"), resolve(file));
  } catch (cause) {
    if (systemCode(cause) === undefined || cause instanceof FeedkeyError) throw cause;
    throw new FeedkeyError("not_found", `the archive configuration ${escapeText(file)} can't be read`, {
      cause,
      details: { path: file },
    });
  }
}

/**
 * The archive that a configuration describes, with its key store; no key is opened yet.
 * @throws FeedkeyError `not_found`, `bad_config`
 */
export async function openArchive(context: Context, config: string, options: PassphraseOptions): Promise<Archive> {
  const store = await KeyStore.open(context.home);
  return { config: await readConfig(config), store, at: context.at, passphrase: passphraseSource(options) };
}

export interface ServerOptions {
  readonly config?: string;
  readonly keyserver?: string[];
  readonly keyserverCa?: string;
  readonly profile?: string;
}

/** Key servers of the options, else of `archive.ini`, else of the profile; with their authorities. */
export async function serversOf(
  context: Context,
  options: ServerOptions,
): Promise<{ servers: string[]; ca: string | undefined }> {
  if (options.keyserver !== undefined) return { servers: options.keyserver, ca: options.keyserverCa };
  if (options.config !== undefined) {
    const { keyservers, keyserverCa } = await readConfig(options.config);
    return { servers: [...keyservers], ca: options.keyserverCa ?? keyserverCa };
  }
  if (context.options.profile === undefined) return { servers: [], ca: undefined };
  const { trust } = await context.profile();
  return { servers: [...trust.keyservers], ca: trust.keyserverCa };
}

/** Runs an action with a transport to the key servers. */
export async function withKeyservers<T>(
  context: Context,
  options: ServerOptions,
  action: (servers: string[], transport: Transport) => Promise<T>,
): Promise<T> {
  const { servers, ca } = await serversOf(context, options);
  const use = { what: "the certificate authority", code: "bad_config" } as const;
  const pem = ca === undefined ? {} : { ca: (await readTrustedFile(ca, use)).toString("utf8") };
  const transport = createTransport({ offline: context.options.offline === true, ...pem });
  try {
    return await action(servers, transport);
  } finally {
    await transport.close();
  }
}

/** Sends keys of the store to the key servers, if there are any; says what did not arrive. */
export async function spread(
  context: Context,
  options: ServerOptions,
  fingerprints: readonly string[],
): Promise<{ sent: Sent[]; lines: string[]; errors: FeedkeyError[] }> {
  const own = await ownCertificates(await KeyStore.open(context.home));
  const proven = await provenOf([...own.values()].map(({ raw }) => raw));
  const certificates = fingerprints.flatMap((name) => {
    const [certificate, known] = [own.get(name)?.raw, proven.get(name)];
    if (certificate === undefined || known === undefined) return [];
    const by = own.get(name)?.facts.userIds.flatMap(({ certifications }) => certifications) ?? [];
    const makers = new Set(by.map((one) => one.certificate));
    return [{ certificate, proven: known, makers: [...makers].flatMap((maker) => own.get(maker)?.raw ?? []) }];
  });
  return await withKeyservers(context, options, async (servers, transport) => {
    if (servers.length === 0 && options.keyserver === undefined)
      context.reporter.warn("no key server is configured: clients learn of this from the bundle alone");
    const sent = await sendCertificates(servers, certificates, transport);
    const good = sent.filter(({ error }) => error === undefined);
    const lines = good.map(({ server, fingerprint }) => `${server} has ${fingerprint}`);
    return { sent, lines, errors: sent.flatMap(({ error }) => error ?? []) };
  });
}

/** The key that `FPR` or `gpg:FPR` names. @throws FeedkeyError `usage` */
export function keyOf(text: string): KeyPlace {
  if (!text.startsWith("gpg:")) return { where: "store", fingerprint: text };
  const fingerprint = text.slice(4).replace(/\s/g, "").toUpperCase();
  if (isFingerprint(fingerprint)) return { where: "gpg", fingerprint };
  throw new FeedkeyError("usage", `"${text}" is not gpg: and a full fingerprint`);
}

/** More than anything reads that somebody brings: an armored keyring. */
const maxInputBytes = 2 * limits.keyringBytes;

/** A file that somebody brought, or what comes out of a pipe. @throws FeedkeyError `not_found`, `usage` if it has no end */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path);
    try {
      const bytes = await readUpTo(handle, maxInputBytes + 1);
      if (bytes.length <= maxInputBytes) return bytes;
    } finally {
      await handle.close();
    }
    throw new FeedkeyError("usage", `${escapeText(path)} has more than ${maxInputBytes} bytes`, {
      details: { path, most: maxInputBytes },
      hint: "give a file with the certificates that you mean, and nothing else",
    });
  } catch (cause) {
    if (cause instanceof FeedkeyError) throw cause;
    throw new FeedkeyError("not_found", `${escapeText(path)} can't be read`, {
      cause,
      details: { path, reason: systemCode(cause) },
    });
  }
}

/**
 * Puts keys of the store into the bundle and on the key servers, where the options name them. Without such options
 * nothing is asked of any network: an air-gapped machine has neither.
 */
export async function handOn(
  context: Context,
  fingerprints: readonly string[],
  options: ServerOptions & PassphraseOptions,
): Promise<{ lines: string[]; errors: FeedkeyError[] }> {
  const lines: string[] = [];
  if (options.config !== undefined) {
    const done = await refreshBundle(await openArchive(context, options.config, options));
    for (const step of done) lines.push(escapeText(step));
  }
  const named = options.config !== undefined || options.keyserver !== undefined;
  if (!named || (await serversOf(context, options)).servers.length === 0) return { lines, errors: [] };
  const sent = await spread(context, options, fingerprints);
  return { lines: [...lines, ...sent.lines], errors: sent.errors };
}
