/** Makes a TCP connection to a host name with several addresses, as curl does (RFC 8305, "Happy Eyeballs"). */
import { lookup as systemLookup } from "node:dns/promises";
import { isIP, connect as openSocket, type Socket } from "node:net";
import { largest } from "../extremes.ts";
import type { Duration } from "../time.ts";

/** How long to wait for one address before also trying the next address; curl waits equally long. */
const nextAddressAfter: Duration = 200;

interface Address {
  readonly address: string;
  readonly family: number;
}

interface DialOptions {
  /** Time limit until any of the addresses answers. */
  readonly within: Duration;
  readonly lookup?: (host: string) => Promise<readonly Address[]>;
  /** Begins to connect to an address. */
  readonly open?: (address: string, port: number) => Socket;
}

/** Alternates between the address families, beginning with the family that the system puts first. */
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
 * Connects to the first address that answers. While the next address is tried, a slow earlier address can still win.
 * @throws the system's error for the look-up, or for the first address that failed; `UND_ERR_CONNECT_TIMEOUT`
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
      // The handler stays: a socket that lost the race may still fail, and its error must not end the process.
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
