/** Use case: send keys from the key store to key servers, and get keys from key servers into the key store. */
import type { FeedkeyError } from "../error.ts";
import { readTrustedFile } from "../files/trusted-file.ts";
import { createTransport } from "../net/transport.ts";
import type { Transport } from "../net/types.ts";
import { ownCertificates } from "../signing/signing-key.ts";
import type { KeyStore } from "../store/key-store.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { receiveCertificates, type Sent, sendCertificates } from "./distribute.ts";
import { provenOf, takeIn } from "./store-certificate.ts";

/** Key servers, and how feedkey reaches them. */
export interface Servers {
  /** The addresses of the servers, each as `hkps://...`. */
  readonly urls: readonly string[];
  /** Path of a PEM file with the certificates of a CA. feedkey trusts this CA in addition to the CAs of the system. */
  readonly ca: string | undefined;
  readonly offline: boolean;
}

/** The result of sending keys to key servers. */
export interface Spread {
  readonly sent: readonly Sent[];
  /** Sentences that describe what was done. */
  readonly done: readonly string[];
  /** One error for each key that a server did not accept or did not return completely. */
  readonly errors: readonly FeedkeyError[];
}

async function withServers<T>({ ca, offline }: Servers, action: (transport: Transport) => Promise<T>): Promise<T> {
  const use = { what: "the file of CA certificates", code: "bad_config" } as const;
  const pem = ca === undefined ? {} : { ca: (await readTrustedFile(ca, use)).toString("utf8") };
  const transport = createTransport({ offline, ...pem });
  try {
    return await action(transport);
  } finally {
    await transport.close();
  }
}

/**
 * Sends keys from the store to the key servers. Returns failures of the servers and does not throw them.
 * @throws FeedkeyError `bad_config`: when the key store or the file of CA certificates can't be read
 */
export async function spread(store: KeyStore, fingerprints: readonly Fingerprint[], servers: Servers): Promise<Spread> {
  const own = await ownCertificates(store);
  const proven = await provenOf([...own.values()].map(({ raw }) => raw));
  const certificates = fingerprints.flatMap((name) => {
    const [certificate, known] = [own.get(name)?.raw, proven.get(name)];
    if (certificate === undefined || known === undefined) return [];
    const by = own.get(name)?.facts.userIds.flatMap(({ certifications }) => certifications) ?? [];
    const makers = new Set(by.map((one) => one.certificate));
    return [{ certificate, proven: known, makers: [...makers].flatMap((maker) => own.get(maker)?.raw ?? []) }];
  });
  return await withServers(servers, async (transport) => {
    const sent = await sendCertificates(servers.urls, certificates, transport);
    const good = sent.filter(({ error }) => error === undefined);
    const done = good.map(({ server, fingerprint }) => `${server} has ${fingerprint}`);
    return { sent, done, errors: sent.flatMap(({ error }) => error ?? []) };
  });
}

/**
 * Gets keys from the servers, and stores the keys with their verified signatures only.
 * @returns the fingerprints of the received keys, each with the key's first user ID
 * @throws FeedkeyError `not_found`: when no server that answered has a key; `unavailable`: when no server answered
 */
export async function receive(
  store: KeyStore,
  fingerprints: readonly Fingerprint[],
  servers: Servers,
): Promise<ReadonlyMap<Fingerprint, string | undefined>> {
  return await withServers(servers, async (transport) => {
    const held = new Map([...(await ownCertificates(store))].map(([name, { raw }]) => [name, raw]));
    const received = await receiveCertificates(servers.urls, fingerprints, held, transport);
    const taken = await takeIn(store, received);
    const own = await ownCertificates(store);
    return new Map([...taken.keys()].map((name) => [name, own.get(name)?.facts.userIds[0]?.text]));
  });
}
