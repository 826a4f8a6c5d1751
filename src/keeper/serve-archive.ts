/** A small web server for an archive, meant for local networks, tests and experiments. */

import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { readError } from "../files/system-error.ts";
import { type ServedRequest, startServer } from "../keyserver/server.ts";
import { selfSigned } from "../net/self-signed.ts";
import { keyMerger } from "../openpgp/check/key-merger.ts";

export interface ServeArchiveOptions {
  /** The folder to serve. */
  readonly root: string;
  /** The address to listen on; by default 127.0.0.1. */
  readonly host?: string | undefined;
  /** The port to listen on. With 0, the default, the system chooses a free port. */
  readonly port?: number | undefined;
  /**
   * The paths of the PEM files with certificate and key. With `self-signed`, the server makes a certificate for this machine
   * that is valid for a day; if undefined, it uses HTTP without TLS.
   */
  readonly tls?: { readonly cert: string; readonly key: string } | "self-signed" | undefined;
  /** Where the key server stores its keys: in memory or in a folder. If undefined, the server has no key server. */
  readonly keyserver?: "memory" | { readonly folder: string } | undefined;
  /** Receives each request after the server has answered it, for an access log. */
  readonly onRequest?: ((request: ServedRequest) => void) | undefined;
}

export type { ServedRequest } from "../keyserver/server.ts";

export interface ArchiveServer {
  /** The archive's URL, which ends in a slash. */
  readonly url: string;
  readonly port: number;
  /** With `self-signed`, the PEM text of the certificate that clients must trust; else undefined. */
  readonly ca: string | undefined;
  close(): Promise<void>;
  /** Closes the server when an `await using` block ends. */
  [Symbol.asyncDispose](): Promise<void>;
}

async function readPem(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: unknown) => {
    throw readError(error, path);
  });
}

async function tlsOf(tls: ServeArchiveOptions["tls"]) {
  if (tls === undefined) return undefined;
  if (tls === "self-signed") return selfSigned(Date.now());
  return { cert: await readPem(tls.cert), key: await readPem(tls.key) };
}

/**
 * Serves a published folder until the caller closes the server.
 * @throws FeedkeyError `not_found`, `usage`; `unavailable` if the port is taken; `bad_config` if the TLS files can't be used
 */
export async function serveArchive(options: ServeArchiveOptions): Promise<ArchiveServer> {
  const root = resolve(options.root);
  const found = await stat(root).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new FeedkeyError("not_found", `${escapeText(root)} does not exist, or is not a folder`, {
      details: { path: root },
      hint: "give the folder that contains the archive",
    });
  }
  const { host, port = 0, keyserver, onRequest } = options;
  const tls = await tlsOf(options.tls);
  const folder = typeof keyserver === "object" ? resolve(keyserver.folder) : undefined;
  const server = await startServer({
    ...{ root, port, onRequest },
    ...(host === undefined ? {} : { host }),
    ...(tls === undefined ? {} : { tls }),
    ...(keyserver === undefined ? {} : { keyserver: { folder, merger: keyMerger } }),
  });
  return {
    url: server.url,
    port: server.port,
    ca: options.tls === "self-signed" ? tls?.cert : undefined,
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
