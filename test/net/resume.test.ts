import { expect } from "chai";
import { getResuming } from "../../src/net/resume.ts";
import { createTransport } from "../../src/net/transport.ts";
import { reasonOf } from "../testkit/servers/failures.ts";
import { type Behaviour, plain, startMisbehaving } from "../testkit/servers/misbehaving-server.ts";

const whole = "0123456789";

/** Answers the first requests with so many bytes each before it breaks off; then as `last` says. */
function breaking(parts: readonly number[], last?: Behaviour): Behaviour {
  const left = [...parts];
  return (socket, request) => {
    const from = Number(/\r\nrange: bytes=(\d+)-/i.exec(request)?.[1] ?? 0);
    const bytes = left.shift();
    if (bytes === undefined && last !== undefined) return last(socket, request);
    const head = from === 0 ? "200 OK" : `206 Partial\r\ncontent-range: bytes ${from}-9/10`;
    socket.write(
      `HTTP/1.1 ${head}\r\netag: "e"\r\ncontent-length: ${10 - from}\r\n\r\n${whole.slice(from, from + (bytes ?? 10))}`,
    );
    if (bytes !== undefined) socket.end();
  };
}

describe("a download that breaks", () => {
  async function download(behaviour: Behaviour, url?: string) {
    const server = await startMisbehaving({ "/a": behaviour });
    const transport = createTransport({ env: {}, limits: { idle: 300 } });
    let taken = "";
    const take = async (chunk: Uint8Array) => {
      taken += Buffer.from(chunk).toString();
    };
    const terms = { maxBytes: 11, policy: "archive" } as const;
    const asked = getResuming(transport, new URL(url ?? "/a", server.url), terms, take);
    const outcome = await asked.then(
      ({ status }) => status,
      (error: unknown) => reasonOf(Promise.reject(error)),
    );
    await transport.close();
    await server.close();
    return { outcome, taken, ranges: server.requests.map((one) => /\r\nrange: (\S+)/i.exec(one)?.[1]), server };
  }

  it("goes on where it broke, and takes each byte once", async () => {
    const { outcome, taken, ranges, server } = await download(breaking([4, 3]));
    expect([outcome, taken]).to.deep.equal([206, whole]);
    expect(ranges).to.deep.equal([undefined, "bytes=4-", "bytes=7-"]);
    expect(server.requests[1]).to.match(/\r\nif-range: "e"\r\n/i);
  });

  it("passes over what it has where the server sends the whole again", async () => {
    const { outcome, taken } = await download(breaking([4], plain(200, whole)));
    expect([outcome, taken]).to.deep.equal([200, whole]);
  });

  it("refuses another part than it asked for", async () => {
    const other = plain(206, "xxxxxx", { "content-range": "bytes 3-9/10" });
    const { outcome, taken } = await download(breaking([4], other));
    expect([outcome, taken]).to.deep.equal(["protocol", "0123"]);
  });

  it("gives up when a part brings nothing", async () => {
    const { outcome, ranges } = await download(breaking([4, 0]));
    expect(outcome).to.equal("cut_off");
    expect(ranges).to.have.length(2);
  });

  it("waits where the server asks for patience", async () => {
    let asked = 0;
    const busy = plain(429, "", { "retry-after": "0" });
    const { outcome, taken } = await download((socket, request) =>
      asked++ === 0 ? busy(socket, request) : plain(200, whole)(socket, request),
    );
    expect([outcome, taken]).to.deep.equal([200, whole]);
  });
});
