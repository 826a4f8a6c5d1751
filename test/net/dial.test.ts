import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import { expect } from "chai";
import { dial } from "../../src/net/dial.ts";

const within = 10_000;

describe("dial", () => {
  const server = createServer();
  let port = 0;
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  const lookup = async () => [
    { address: "10.9.0.2", family: 4 },
    { address: "10.9.0.3", family: 4 },
    { address: "fd00::2", family: 6 },
  ];

  /** Addresses that fail, never answer, or answer late. */
  function world(of: Readonly<Record<string, "fails" | "silent" | number>>) {
    const opened: string[] = [];
    const sockets: Socket[] = [];
    const open = (address: string) => {
      opened.push(address);
      const socket = new Socket();
      sockets.push(socket);
      const way = of[address] ?? "silent";
      if (way === "fails")
        setImmediate(() => socket.destroy(Object.assign(new Error(address), { code: "ENETUNREACH" })));
      else if (way !== "silent") setTimeout(() => socket.destroyed || socket.connect(port, "127.0.0.1"), way);
      return socket;
    };
    return { opened, sockets, open };
  }

  it("waits for an address that is slower than the next attempt, where no other answers", async () => {
    const { open, opened } = world({ "10.9.0.2": 700, "10.9.0.3": "fails", "fd00::2": "fails" });
    const socket = await dial("archive.test", port, { within, lookup, open });
    socket.destroy();
    expect(opened).to.deep.equal(["10.9.0.2", "fd00::2", "10.9.0.3"]);
  });

  it("goes on to the next address beside one that is silent, and lets go of the others", async () => {
    const { open, sockets } = world({ "fd00::2": 0 });
    const socket = await dial("archive.test", port, { within, lookup, open });
    expect(sockets.indexOf(socket)).to.equal(1);
    expect(sockets.filter((other) => other !== socket).every(({ destroyed }) => destroyed)).to.equal(true);
    socket.destroy();
  });

  it("fails with the first address's error once all have failed", async () => {
    const { open } = world({ "10.9.0.2": "fails", "10.9.0.3": "fails", "fd00::2": "fails" });
    const error = await dial("archive.test", port, { within, lookup, open }).catch((cause: unknown) => cause);
    expect(error).to.include({ code: "ENETUNREACH", message: "10.9.0.2" });
  });

  it("gives up at the limit", async () => {
    const { open, sockets } = world({});
    const error = await dial("archive.test", port, { within: 300, lookup, open }).catch((cause: unknown) => cause);
    expect(error).to.include({ code: "UND_ERR_CONNECT_TIMEOUT" });
    expect(sockets.every(({ destroyed }) => destroyed)).to.equal(true);
  });

  it("asks no name server about an address", async () => {
    const asked: string[] = [];
    const noted = async (name: string) => {
      asked.push(name);
      return [];
    };
    (await dial("127.0.0.1", port, { within, lookup: noted })).destroy();
    expect(asked).to.deep.equal([]);
  });
});
