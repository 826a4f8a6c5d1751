/**
 * A soak: an archive publishes every second, while clients follow it over connections that break and lag, from servers that
 * are in the middle of an update. Nothing wrong or mixed may ever be accepted.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Dice } from "../testkit/dice.ts";
import { type Fault, FaultyProxy } from "../testkit/servers/faulty-proxy.ts";
import { SoakArchive } from "./soak-archive.ts";
import { SoakClient, Tally } from "./soak-client.ts";

export interface SoakOptions {
  readonly seed: number;
  /** How long it lasts, in milliseconds. */
  readonly duration: number;
  /** Mean pause of a client between two commands, in milliseconds. */
  readonly pause: number;
  /** Publications from one rotation to the next. */
  readonly rotationPeriod: number;
}

/** Number of clients; the last two share one state. */
const clientCount = 8;

/** Shares of connections that break, and that are slow. */
const [dropped, delayed] = [0.05, 0.1];

function faultOf(dice: Dice): Fault {
  const delay = dice.chance(delayed) ? 50 + dice.below(500) : 0;
  return dice.chance(dropped) ? { delay, cutAfter: dice.chance(0.2) ? 0 : dice.below(8000) } : { delay };
}

export interface Soaked extends Tally {
  readonly publications: number;
  readonly connections: number;
}

export async function soak({ seed, duration, pause, rotationPeriod }: SoakOptions): Promise<Soaked> {
  const dice = new Dice(seed);
  const archive = await SoakArchive.make(dice, rotationPeriod);
  const { live, mirror } = archive;
  const targets = [live.url, mirror.url, live.keyserver].map((url) => Number(new URL(url).port));
  const proxies = await Promise.all(targets.map((port) => FaultyProxy.start(port)));
  const [first = "", second = "", keyserver = ""] = proxies.map(({ port }) => `localhost:${port}`);
  const tally = new Tally();
  try {
    const addresses = { archive: [`http://${first}/`, `http://${second}/`], keyserver: `hkps://${keyserver}` };
    const clients = Array.from({ length: clientCount }, (_, i) => {
      const state = i < clientCount - 2 ? "" : "shared";
      return new SoakClient(`client-${i}`, state, addresses, archive, tally, dice);
    });
    for (const proxy of proxies) proxy.fault = () => faultOf(dice);
    const end = Date.now() + duration;
    const isOver = () => Date.now() >= end;
    const publishing = async () => {
      while (!isOver()) {
        const next = Date.now() + 1000;
        await archive.publishMore();
        for (const client of clients) await client.examine();
        await sleep(Math.max(0, next - Date.now()));
      }
    };
    const following = async (client: SoakClient) => {
      while (!isOver()) {
        await sleep(dice.below(2 * pause));
        await client.run();
      }
    };
    const mirroring = async () => {
      // For a while it is complete, and older than the archive.
      for (; !isOver(); await sleep(dice.chance(0.5) ? dice.below(6000) : 0)) await archive.sync(100, isOver);
    };
    await Promise.all([publishing(), mirroring(), ...clients.map(following)]);
    for (const proxy of proxies) proxy.fault = () => ({});
    await archive.sync(0, () => false);
    for (const client of clients) {
      await client.recover();
      await client.examine();
    }
    const connections = proxies.reduce((sum, one) => sum + one.connections, 0);
    return { ...tally, publications: archive.publications, connections };
  } finally {
    for (const proxy of proxies) await proxy.close();
    await archive.remove();
  }
}
