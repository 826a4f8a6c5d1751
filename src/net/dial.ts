/** Makes a TCP connection to a host that may have several IP addresses, as curl does (RFC 8305, "Happy Eyeballs"). */
import { lookup as systemLookup } from "node:dns/promises";
import { isIP, connect as openSocket, type Socket } from "node:net";
import { largest } from "../extremes.ts";
import type { Duration } from "../time.ts";

/** How long feedkey waits for one address before it tries the next address too; curl uses the same time. */
const nextAddressAfter: Duration = 200;

interface Address {
  readonly address: string;
  readonly family: number;
}

interface DialOptions {
  /** The time limit for the whole attempt, until one of the addresses answers. */
  readonly within: Duration;
  readonly lookup?: (host: string) => Promise<readonly Address[]>;
  /** Begins to connect to an address. */
  readonly open?: (address: string, port: number) => Socket;
}

/** Sorts addresses so that IPv4 and IPv6 alternate, beginning with the family of the system's first address. */
function alternating(addresses: readonly Address[]): string[] {
  const first = addresses[0]?.family;
  const lists = [
    addresses.filter(({ family }) => family === first),
    addresses.filter(({ family }) => family !== first),
  ];
  const longest = largest(lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, place) => lists.flatMap((list) => list[place]?.address ?? [])).flat();
}

function timeout(): Error {
  return Object.assign(new Error("the connection was not made in time"), { code: "UND_ERR_CONNECT_TIMEOUT" });
}

/**
 * Connects to the address that answers first. A slow address can still win while feedkey tries the next addresses.
 * @throws the system's error for the look-up, or for the first address that failed; an error with the code `UND_ERR_CONNECT_TIMEOUT`
 */
export async function dial(host: string, port: number, options: DialOptions): Promise<Socket> {
  const lookup = options.lookup ?? ((name: string) => systemLookup(name, { all: true, verbatim: true }));
  const open = options.open ?? ((address: string, at: number) => openSocket({ host: address, port: at }));
  const name = host.replace(/^\[(.*)\]$/, "$1");
  const addresses = isIP(name) === 0 ? alternating(await lookup(name)) : [name];
  return await race(addresses, (address) => open(address, port), options.within);
}

function race(addresses: readonly string[], open: (address: string) => Socket, within: Duration): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const waiting = [...addresses];
    const trying = new Set<Socket>();
    let failure: unknown;
    let isOver = false;
    let next: NodeJS.Timeout | undefined;
    const end = (winner: Socket | undefined, error?: unknown) => {
      isOver = true;
      clearTimeout(limit);
      clearTimeout(next);
      for (const socket of trying) if (socket !== winner) socket.destroy();
      if (winner === undefined) reject(error);
      else resolve(winner);
    };
    const limit = setTimeout(() => end(undefined, timeout()), within);
    const tryNext = () => {
      clearTimeout(next);
      const address = waiting.shift();
      if (address === undefined) {
        if (trying.size === 0) end(undefined, failure ?? timeout());
        return;
      }
      const socket = open(address);
      trying.add(socket);
      // This handler stays: a socket that lost the race may still fail, and the error must not end the process.
      socket.on("error", (error) => {
        if (isOver) return;
        trying.delete(socket);
        failure ??= error;
        tryNext();
      });
      socket.once("connect", () => end(socket));
      if (waiting.length > 0) next = setTimeout(tryNext, nextAddressAfter);
    };
    tryNext();
  });
}
