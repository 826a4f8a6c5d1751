import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { lookup, submit } from "../../src/keyserver/hkp.ts";
import { type RunningServer, startServer } from "../../src/keyserver/server.ts";
import { createTransport } from "../../src/net/transport.ts";
import { refusal } from "../testkit/servers/failures.ts";
import { armored, fingerprintOf, merger } from "./toy-keys.ts";

const transport = createTransport({ env: {} });
const options = { transport };
const [a, b] = [fingerprintOf("a"), fingerprintOf("b")];

describe("embedded key server with a folder", () => {
  let running: RunningServer | undefined;
  const errors: unknown[] = [];
  const hkp = (server: RunningServer) => new URL(`hkp://127.0.0.1:${server.port}`);
  const texts = async (server: RunningServer, fingerprint: string) => {
    const answer = await lookup(hkp(server), fingerprint, () => true, options);
    return answer.outcome === "found" ? answer.blocks.map((block) => Buffer.from(block).toString()) : answer.outcome;
  };
  after(() => transport.close());

  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feedkey-keys-"));
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
    await rm(folder, { recursive: true, force: true });
  });
  const withFolder = async () => {
    running = await startServer({ port: 0, keyserver: { merger, folder }, onError: (error) => errors.push(error) });
    return running;
  };

  it("keeps keys over a restart, one file each", async () => {
    const first = await withFolder();
    await submit(hkp(first), armored("a:x@y\nb:x@y"), options);
    await submit(hkp(first), armored("a:z@y"), options);
    await first.close();
    expect((await readdir(folder)).sort()).to.deep.equal([`${a}.asc`, `${b}.asc`].sort());
    expect(await readFile(join(folder, `${a}.asc`), "utf8")).to.equal(armored("a:x@y\na:z@y\n"));
    await writeFile(join(folder, ".feedkey-0123.tmp"), "what a killed run left");
    const second = await withFolder();
    expect(await readdir(folder)).to.not.include(".feedkey-0123.tmp");
    expect(await texts(second, a)).to.deep.equal(["a:x@y\na:z@y\n"]);
  });

  it("is the only one in it", async () => {
    await withFolder();
    const other = startServer({ port: 0, keyserver: { merger, folder, lockWait: 0 } });
    expect((await refusal(other)).code).to.equal("locked");
  });

  it("refuses a file that is not the key it is named after", async () => {
    for (const text of [
      "",
      "garbage",
      armored("b:x"),
      armored("a:x\nb:x"),
      armored("a!revoked"),
      armored("unreadable"),
    ]) {
      await writeFile(join(folder, `${a}.asc`), text);
      expect((await refusal(withFolder())).code, text).to.equal("bad_state");
    }
    await writeFile(join(folder, `${a}.asc`), armored("a:x"));
    expect(await texts(await withFolder(), a)).to.deep.equal(["a:x\n"]);
  });

  it("reports a disk that fails as its own failure, and keeps the old key", async () => {
    const server = await withFolder();
    await submit(hkp(server), armored("a:x@y"), options);
    await rm(folder, { recursive: true });
    const failed = await submit(hkp(server), armored("a:new@y"), options);
    expect(!failed.ok && failed.error.details.status).to.equal(500);
    expect(errors.splice(0)).to.have.length(1);
    expect(await texts(server, a)).to.deep.equal(["a:x@y\n"]);
  });
});
