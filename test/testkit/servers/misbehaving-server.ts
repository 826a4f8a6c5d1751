/** A server on raw sockets for tests, which answers each path with whatever bytes, or silence, the test wants. */
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer as createPlainServer, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";

/** What was asked: the request's head and, after a blank line, as much of the body as came with it. */
export type Behaviour = (socket: Socket, request: string) => void;

export interface MisbehavingServer {
  readonly url: URL;
  readonly port: number;
  /** All requests so far, oldest first. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Certificates in test/vectors/tls. */
export type Leaf = "good" | "wrong-name" | "expired" | "stranger";

export function tlsFile(name: string): string {
  return readFileSync(join("test/vectors/tls", name), "utf8");
}

/** Serves `behaviours` by path (without the query); any other path gets 404. Over TLS if a leaf is named. */
export async function startMisbehaving(
  behaviours: Readonly<Record<string, Behaviour>>,
  leaf?: Leaf,
): Promise<MisbehavingServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // Clients that are refused something hang up: no concern of this server.
    socket.on("error", () => {});
    let seen = "";
    socket.on("data", (chunk) => {
      seen += chunk.toString("latin1");
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(seen)?.[1] ?? 0);
      const headEnd = seen.indexOf("\r\n\r\n");
      if (headEnd < 0 || seen.length < headEnd + 4 + length) return;
      const request = seen;
      seen = "";
      requests.push(request);
      const path = /^\S+ ([^ ?]+)/.exec(request)?.[1] ?? "";
      (behaviours[path] ?? plain(404, "nothing here"))(socket, request);
    });
  };
  const server =
    leaf === undefined
      ? createPlainServer(serve)
      : createTlsServer({ cert: tlsFile(`${leaf}.pem`), key: tlsFile(`${leaf}.key`) }, serve);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${leaf === undefined ? "http" : "https"}://localhost:${port}/`),
    port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A proper answer. */
export function plain(
  status: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Behaviour {
  const lines = Object.entries({ "content-length": String(Buffer.byteLength(body)), ...headers });
  const head = [`HTTP/1.1 ${status} Whatever`, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""].join(
    "\r\n",
  );
  return (socket) => socket.write(Buffer.concat([Buffer.from(head), Buffer.from(body)]));
}

/** A proper answer; 304 to who asks with the validator among these headers, in a request header such as `if-none-match: "e"`. */
export function unlessKnown(body: string | Uint8Array, headers: Readonly<Record<string, string>>): Behaviour {
  const known = [
    headers.etag && `if-none-match: ${headers.etag}`,
    headers["last-modified"] && `if-modified-since: ${headers["last-modified"]}`,
  ];
  return (socket, request) => {
    const isKnown = known.some((line) => line !== undefined && request.includes(`\r\n${line}\r\n`));
    if (isKnown) socket.write("HTTP/1.1 304 Not Modified\r\n\r\n");
    else plain(200, body, headers)(socket, request);
  };
}

/** Exactly these bytes, then the end of the connection. */
export function raw(text: string): Behaviour {
  return (socket) => socket.end(text, "latin1");
}

/** These bytes, then nothing more. */
export function stuckAfter(text: string): Behaviour {
  return (socket) => socket.write(text, "latin1");
}

/** A head, then one byte every `milliseconds` until the client has had enough. */
export function drip(head: string, milliseconds: number): Behaviour {
  return (socket) => {
    socket.write(head, "latin1");
    const timer = setInterval(() => socket.write("x"), milliseconds);
    socket.on("close", () => clearInterval(timer));
  };
}

/** A head, then bytes without end, as fast as the client takes them. */
export function flood(head: string): Behaviour {
  return (socket) => {
    const piece = Buffer.alloc(65_536, "x");
    const pour = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on("drain", pour);
    socket.write(head, "latin1");
    pour();
  };
}
