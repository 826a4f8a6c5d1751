/**
 * `node dist/bench/scale/refresh-cost.js`: what `update` costs key servers and archive, by the answers that one client gets in this run, and
 * what that makes for many clients, by a simulation: the same tables at each run. See docs/scale.md.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { openClient } from "../../src/index.ts";
import { type ServedRequest, startServer } from "../../src/keyserver/server.ts";
import { keyMerger } from "../../src/openpgp/check/key-merger.ts";
import { armor } from "../../src/openpgp/packet/armor.ts";
import { authority } from "../../test/testkit/servers/key-servers.ts";
import { tlsFile } from "../../test/testkit/servers/misbehaving-server.ts";
import { inFolder } from "../folder.ts";
import { number } from "../size.ts";
import { alignedTable } from "../table.ts";
import { type Cost, perDay } from "./many-clients.ts";
import { makeChain, writeClient, writeIndex } from "./many-keys.ts";

const links = 10;

/** One run of `update`, as its servers saw it. */
interface Run {
  readonly what: string;
  readonly keyserver: readonly ServedRequest[];
  readonly archive: readonly ServedRequest[];
}

/** First contact, nothing new, a new index: each by a real client from real servers. */
async function measureRuns(folder: string): Promise<Run[]> {
  const made = makeChain(links);
  const [keyserver, archive]: [ServedRequest[], ServedRequest[]] = [[], []];
  const keys = join(folder, "keys");
  fs.mkdirSync(keys);
  for (const { fingerprint, bytes } of made.certificates) {
    fs.writeFileSync(join(keys, `${fingerprint}.asc`), armor(bytes, "PUBLIC KEY BLOCK"));
  }
  const root = join(folder, "served");
  fs.mkdirSync(join(root, "keys"), { recursive: true });
  const bundle = join(root, "keys/archive-keyring.pgp");
  fs.writeFileSync(bundle, Buffer.concat(made.certificates.map(({ bytes }) => bytes)));
  const tls = { cert: tlsFile("good.pem"), key: tlsFile("good.key") };
  const servers = [
    await startServer({
      port: 0,
      tls,
      keyserver: { folder: keys, merger: keyMerger },
      onRequest: (one) => keyserver.push(one),
    }),
    await startServer({ port: 0, root, onRequest: (one) => archive.push(one) }),
  ] as const;
  const trust = [`keyservers = hkps://localhost:${servers[0].port}`, `keyserver-ca = ${authority}`];
  const { profile, state } = writeClient(folder, made, 1, trust, servers[1].url);
  const runs: Run[] = [];
  const update = async (what: string) => {
    const client = await openClient({ profile, stateFolder: state });
    await client.update();
    await client.close();
    // The servers note a request once its connection has nothing more to send.
    await new Promise((resolve) => setTimeout(resolve, 200));
    runs.push({ what, keyserver: keyserver.splice(0), archive: archive.splice(0) });
  };
  try {
    const hour = 3_600_000;
    const now = Math.floor(Date.now() / 1000) * 1000;
    const publish = (at: number) => {
      const index = join(root, "Packages");
      writeIndex(index, made.signer, at);
      fs.writeFileSync(`${index}.gz`, gzipSync(fs.readFileSync(index)));
      fs.writeFileSync(`${index}.asc`, armor(fs.readFileSync(`${index}.sig`), "SIGNATURE"));
      for (const end of ["", ".gz", ".sig", ".asc"]) fs.utimesSync(`${index}${end}`, at / 1000, at / 1000);
    };
    fs.utimesSync(bundle, (now - 240 * hour) / 1000, (now - 240 * hour) / 1000);
    publish(now - 2 * hour);
    await update("first contact");
    await update("nothing new");
    publish(now - hour);
    await update("a new index, of one package");
    return runs;
  } finally {
    for (const server of servers) await server.close();
  }
}

function costOf(requests: readonly ServedRequest[]): Cost {
  return { requests: requests.length, bytes: requests.reduce((sum, { bytes }) => sum + bytes, 0) };
}

const people = (count: number) => {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
};

const runs = await inFolder(measureRuns);
const measured = runs.map(({ what, keyserver, archive }) => {
  const [asked, read] = [costOf(keyserver), costOf(archive)];
  return [what, number(asked.requests), people(asked.bytes), number(read.requests), people(read.bytes)];
});
const columns = ["one `update`, a chain of ten", "key server: requests", "bytes", "archive: requests", "bytes"];
process.stdout.write(`${alignedTable(columns, measured)}\n\n`);

const [, unchanged, changed] = runs;
if (unchanged === undefined || changed === undefined) throw new Error("a run is missing");
const rows: string[][] = [];
for (const clients of [1, 1000, 1_000_000]) {
  for (const [setting, checkDays] of [
    ["always", 0],
    ["1d", 1],
    ["7d", 7],
  ] as const) {
    const day = perDay({
      clients,
      checkDays,
      check: costOf(unchanged.keyserver),
      changed: costOf(changed.archive),
      unchanged: costOf(unchanged.archive),
      // What the archive's lists weigh is its own affair: a compressed index of some 2,000 packages.
      index: 500_000,
    });
    rows.push([
      number(clients),
      setting,
      number(Math.round(day.keyserver.requests)),
      people(day.keyserver.bytes),
      number(day.busiest),
      number(Math.round(day.edges.requests)),
      people(day.edges.bytes),
      number(Math.round(day.origin.requests)),
      people(day.origin.bytes),
    ]);
  }
}
const head = ["clients", "`revocation-check`", "each key server, a day: requests", "bytes", "busiest minute"];
head.push("archive's caches: requests", "bytes", "archive itself: requests", "bytes");
process.stdout.write(`${alignedTable(head, rows)}\n`);
