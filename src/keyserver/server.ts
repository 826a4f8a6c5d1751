/** The small server of `feedkey serve`. It serves a folder, a key server, or both, on this computer or a local network. */
import { stat } from "node:fs/promises";
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { FeedkeyError, systemCode } from "../error.ts";
import type { Duration } from "../time.ts";
import { serveHkp } from "./hkp-routes.ts";
import { KeyDatabase, type KeyMerger } from "./key-database.ts";
import { reply } from "./reply.ts";
import { type ServerLimits, serverLimits } from "./server-limits.ts";
import { serveFile } from "./static.ts";

export interface ServeOptions {
  /** The folder to serve. */
  readonly root?: string;
  /** The settings of the key server below `/pks/`; undefined if the server is not a key server. */
  readonly keyserver?: {
    /** The folder in which the key server stores keys; undefined to store keys only in memory. */
    readonly folder?: string | undefined;
    readonly merger: KeyMerger;
    /** How long to wait until another run releases the folder. */
    readonly lockWait?: Duration;
  };
  /** The address to listen on; 127.0.0.1 by default, so that other machines can't reach the server. */
  readonly host?: string;
  /** The port to listen on; with 0, the system chooses a free port. */
  readonly port: number;
  /** The TLS certificate and its key, as PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly limits?: Partial<ServerLimits>;
  /** Receives errors inside the server. Clients see only the status 500. */
  readonly onError?: (error: unknown) => void;
  /** Receives each request after the server has answered it. */
  readonly onRequest?: ((request: ServedRequest) => void) | undefined;
}

/** A request, with the fields for an access log. All texts except `address` come from the client and are not checked. */
export interface ServedRequest {
  readonly address: string;
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly status: number;
  /** The number of bytes that the server sent, including headers. */
  readonly bytes: number;
  readonly userAgent: string;
}

function watch(request: IncomingMessage, response: ServerResponse, onRequest: (request: ServedRequest) => void): void {
  const { socket, method = "", url = "", httpVersion, headers } = request;
  const before = socket.bytesWritten;
  const address = socket.remoteAddress ?? "-";
  response.once("close", () => {
    const bytes = socket.bytesWritten - before;
    const userAgent = headers["user-agent"] ?? "-";
    onRequest({ address, method, url, httpVersion, status: response.statusCode, bytes, userAgent });
  });
}

export interface RunningServer {
  /** The server's URL, with a trailing slash. The key server has the same host and port, under `hkps:` or `hkp:`. */
  readonly url: string;
  readonly port: number;
  /** Closes all connections, and waits until the current uploads are stored. */
  close(): Promise<void>;
}

/**
 * Starts the server.
 * @throws FeedkeyError `not_found` if the root is not a folder; `unavailable` if the port is in use; `bad_config` if the TLS
 *   certificate and key do not match; `locked`, `output` or `bad_state` for the key server's folder
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const limits: ServerLimits = { ...serverLimits, ...options.limits };
  const { keyserver, root } = options;
  if (root !== undefined) await checkFolder(root);
  const database =
    keyserver && (await KeyDatabase.open(keyserver.folder, keyserver.merger, limits, keyserver.lockWait));
  const hkp = keyserver && database && { database, merger: keyserver.merger, limits };

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (hkp !== undefined && /^\/pks\//.test(request.url ?? "")) return serveHkp(hkp, request, response);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return reply(response, 405, "only GET and HEAD", { allow: "GET, HEAD", connection: "close" });
    }
    return root === undefined ? reply(response, 404, "not found") : serveFile(root, request, response);
  };
  const { onRequest } = options;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (onRequest !== undefined) watch(request, response, onRequest);
    route(request, response).catch((error: unknown) => {
      // If the client has disconnected, the error is not the server's fault.
      if (!request.destroyed || systemCode(error) !== "ECONNRESET") options.onError?.(error);
      reply(response, 500, "internal error");
    });
  };

  try {
    const server = makeServer(options, limits, handle);
    const host = options.host ?? "127.0.0.1";
    const port = await listen(server, host, options.port);
    const scheme = options.tls === undefined ? "http" : "https";
    return {
      url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/`,
      port,
      close: async () => {
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        });
        await database?.close();
      },
    };
  } catch (error) {
    await database?.close();
    throw error;
  }
}

async function checkFolder(root: string): Promise<void> {
  const is = await stat(root).catch(() => undefined);
  if (is?.isDirectory() === true) return;
  throw new FeedkeyError("not_found", `the folder to serve, "${root}", does not exist or is not a folder`, {
    details: { root },
    hint: "give the folder that contains the archive",
  });
}

function makeServer(
  options: ServeOptions,
  limits: ServerLimits,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const bounds = {
    headersTimeout: limits.head,
    requestTimeout: limits.request,
    keepAliveTimeout: 5_000,
    // Node.js checks the two time limits above at this interval.
    connectionsCheckingInterval: Math.min(limits.head, 5_000),
    maxHeaderSize: 16 * 1024,
  };
  const server = options.tls === undefined ? createPlainServer(bounds, handle) : secure(options.tls, bounds, handle);
  server.maxConnections = limits.connections;
  // This limit also ends a download whose client has stopped reading.
  server.setTimeout(limits.idle);
  return server;
}

function secure(
  tls: NonNullable<ServeOptions["tls"]>,
  bounds: object,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  try {
    return createTlsServer({ ...bounds, ...tls, minVersion: "TLSv1.2", handshakeTimeout: 10_000 }, handle);
  } catch (cause) {
    throw new FeedkeyError("bad_config", "the TLS certificate and key cannot be used", {
      cause,
      hint: "give PEM files: a certificate chain, and its secret key without a passphrase",
    });
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const code = systemCode(cause) ?? "unknown";
      const words = code === "EADDRINUSE" ? "another program is listening there" : code;
      reject(
        new FeedkeyError("unavailable", `cannot listen on ${host} port ${port}: ${words}`, {
          details: { host, port, reason: "listen" },
          hint: "choose another port with --port",
          cause,
        }),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
