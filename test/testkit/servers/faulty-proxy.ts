/** A proxy on loopback before a real server, for TCP and so for TLS too: it breaks, delays or damages what passes through it. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What happens to one connection; without any of these, it passes. */
export interface Fault {
  /** Milliseconds before anything is passed on. */
  readonly delay?: number;
  /** Number of bytes from the server after which the connection is reset; 0: before the first byte. */
  readonly cutAfter?: number;
  /** Position of a byte from the server that is changed. */
  readonly garble?: number;
  /** Number of bytes that are passed on at a time. */
  readonly pieces?: number;
}

export class FaultyProxy {
  /** Decides about each new connection. */
  fault: () => Fault = () => ({});
  /** Number of bytes from the server after which every connection breaks, and no new one is possible; counts down. */
  budget = Number.POSITIVE_INFINITY;
  /** Connections so far. */
  connections = 0;
  /** Bytes from the server so far. */
  bytes = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#serve(client));
  }

  /** @param target port of the server on loopback */
  static async start(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(client: Socket): void {
    this.connections += 1;
    const { delay = 0, cutAfter = Number.POSITIVE_INFINITY, garble, pieces } = this.fault();
    const server = connect({ port: this.#target, host: "127.0.0.1", noDelay: true });
    client.setNoDelay(true);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      // A reset is what this proxy is for.
      socket.on("error", () => undefined);
    }
    const cut = () => client.resetAndDestroy();
    if (cutAfter === 0 || this.budget <= 0) {
      cut();
      return;
    }
    let passed = 0;
    const pass = async () => {
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      client.pipe(server);
      for await (const chunk of server as AsyncIterable<Buffer>) {
        const place = garble === undefined ? -1 : garble - passed;
        if (place >= 0 && place < chunk.length) chunk[place] = (chunk[place] ?? 0) ^ 1;
        const allowed = Math.min(chunk.length, cutAfter - passed, this.budget);
        for (let at = 0; at < allowed; at += pieces ?? allowed) {
          client.write(chunk.subarray(at, Math.min(allowed, at + (pieces ?? allowed))));
          // The next piece goes into a packet of its own.
          if (pieces !== undefined) await new Promise(setImmediate);
        }
        passed += chunk.length;
        this.bytes += allowed;
        this.budget -= allowed;
        if (allowed < chunk.length) {
          // What was written must leave before the reset.
          client.end(() => setImmediate(cut));
          return;
        }
      }
      client.end();
    };
    pass().catch(() => client.destroy());
  }
}
