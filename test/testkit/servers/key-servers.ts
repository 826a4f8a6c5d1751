/** Key servers for the tests of this folder, all over TLS: the embedded one, real ones behind nginx, and one that lies. */
import type { Socket } from "node:net";
import { resolve } from "node:path";
import { startServer } from "../../../src/keyserver/server.ts";
import { keyMerger } from "../../../src/openpgp/check/key-merger.ts";
import { armored } from "../framing.ts";
import {
  type Behaviour,
  type Leaf,
  type MisbehavingServer,
  plain,
  startMisbehaving,
  tlsFile,
} from "./misbehaving-server.ts";
import { type RealServer, skipWithoutServers, startOnak, startSks, startTlsFront } from "./real-servers.ts";

/** PEM file of the authority that all of them stand under. */
export const authority = resolve("test/vectors/tls/ca.pem");

export interface KeyServer {
  /** `hkps://localhost:port`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** feedkey's own, in memory. */
export async function startEmbedded(): Promise<KeyServer> {
  const tls = { cert: tlsFile("good.pem"), key: tlsFile("good.key") };
  const server = await startServer({ port: 0, tls, keyserver: { merger: keyMerger } });
  return { url: `hkps://localhost:${server.port}`, stop: () => server.close() };
}

async function startReal(start: () => Promise<RealServer>): Promise<KeyServer> {
  const server = await start();
  const front = await startTlsFront(server);
  const stop = async () => {
    await front.stop();
    await server.stop();
  };
  return { url: `hkps://localhost:${front.port}`, stop };
}

export const kinds = ["embedded", "onak", "sks"] as const;
export type Kind = (typeof kinds)[number];

/** Starts a key server before the tests of a suite and stops it afterwards. @returns its address, once it is up */
export function useKeyServer(kind: Kind): () => string {
  let server: KeyServer | undefined;
  before(async function () {
    this.timeout(60_000);
    if (kind === "embedded") {
      server = await startEmbedded();
      return;
    }
    skipWithoutServers(this, kind);
    server = await startReal(kind === "onak" ? startOnak : startSks);
  });
  after(() => server?.stop());
  return () => server?.url ?? "hkps://never.started.invalid";
}

/** Gives an action an embedded key server of its own. */
export async function withEmbedded(action: (server: KeyServer) => Promise<void>): Promise<void> {
  const server = await startEmbedded();
  try {
    await action(server);
  } finally {
    await server.stop();
  }
}

/** A proper answer that holds these certificates or other packets. */
export function keyAnswer(bytes: Uint8Array): Behaviour {
  return plain(200, armored("PUBLIC KEY BLOCK", bytes), { "content-type": "application/pgp-keys" });
}

/** A key server that answers each question as a test wants; at first it knows nothing and says so. */
export class LyingServer {
  readonly #server: MisbehavingServer;
  readonly #answers: Map<string, Behaviour>;

  private constructor(server: MisbehavingServer, answers: Map<string, Behaviour>) {
    this.#server = server;
    this.#answers = answers;
  }

  static async start(leaf: Leaf = "good"): Promise<LyingServer> {
    const answers = new Map<string, Behaviour>();
    const lookup = (socket: Socket, request: string) => {
      const search = decodeURIComponent(/[?&]search=([^& ]*)/.exec(request)?.[1] ?? "").replace(/^0x/, "");
      (answers.get(search) ?? answers.get("") ?? plain(404, "not found"))(socket, request);
    };
    const add = (socket: Socket, request: string) => (answers.get("add") ?? plain(404, ""))(socket, request);
    return new LyingServer(await startMisbehaving({ "/pks/lookup": lookup, "/pks/add": add }, leaf), answers);
  }

  get url(): string {
    return `hkps://localhost:${this.#server.port}`;
  }

  /** Heads of all requests so far. */
  get requests(): readonly string[] {
    return this.#server.requests;
  }

  /** How often a key or an address was asked for. */
  asked(search: string): number {
    return this.#server.requests.filter((request) => request.includes(encodeURIComponent(search))).length;
  }

  /** @param search a fingerprint or an address; empty: everything else */
  answer(search: string, behaviour: Behaviour): void {
    this.#answers.set(search, behaviour);
  }

  /** Says of every upload that it took it, whatever it then answers. */
  accept(): void {
    this.#answers.set("add", plain(200, "thank you"));
  }

  async stop(): Promise<void> {
    await this.#server.close();
  }
}

/** Gives an action lying key servers of its own, one for each TLS certificate named. */
export async function withLiars(
  action: (...servers: LyingServer[]) => Promise<void>,
  ...leaves: readonly Leaf[]
): Promise<void> {
  const servers: LyingServer[] = [];
  try {
    for (const leaf of leaves.length === 0 ? (["good"] as const) : leaves) servers.push(await LyingServer.start(leaf));
    await action(...servers);
  } finally {
    for (const server of servers) await server.stop();
  }
}
