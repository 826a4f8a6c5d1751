/**
 * Runs `feedkey demo`: shows publishing, rotation, revocation and attacks on a temporary archive, over TLS on this machine.
 * Each step is a real command.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureFolder } from "../../files/folder.ts";
import { serveArchive } from "../../keeper/serve-archive.ts";
import type { Context } from "../context.ts";
import type { Main, Outcome } from "../run.ts";
import { writeDemoPackages, writePackage } from "./demo-packages.ts";
import { DemoStage } from "./demo-terminal.ts";

const userId = "Demo Archive Signing Key <archive@demo.example>";

/** The mode is fixed: with a lax umask, other users could write to the files, and feedkey would refuse them. */
const ours = { mode: 0o600 } as const;

interface Places {
  readonly root: string;
  readonly feed: string;
  readonly home: string;
  readonly config: string;
  readonly profile: string;
  readonly ca: string;
  readonly work: string;
}

/** Waits until a new second begins: signatures have dates in whole seconds, so a later signature must get a later date. */
async function nextSecond(): Promise<void> {
  await sleep(1000 - (Date.now() % 1000) + 20);
}

const feed = ["[feed base]", "format = opkg", "path = base"];

const keyservers = (ca: string, port: number) => [`keyservers = hkps://127.0.0.1:${port}`, `keyserver-ca = ${ca}`];

async function writeConfig({ config, root, ca }: Places, key: string, port: number): Promise<void> {
  const lines = ["[archive]", `root = ${root}`, `user-id = ${userId}`, `key = ${key}`, "valid-for = 14d"];
  await writeFile(config, `${[...lines, ...keyservers(ca, port), ...feed].join("\n")}\n`, ours);
}

async function writeProfile(
  { profile, ca, work }: Places,
  seed: string,
  certificate: string,
  port: number,
): Promise<void> {
  await mkdir(join(work, "keyring"), { mode: 0o700 });
  await writeFile(join(work, "keyring", "seed.asc"), certificate, ours);
  const archive = ["[archive]", "name = Demo", `url = https://127.0.0.1:${port}/`, `ca = ${ca}`, `user-id = ${userId}`];
  const trust = ["[trust]", "keyring = keyring", `seeds = ${seed}`, ...keyservers(ca, port)];
  await writeFile(profile, `${[...archive, ...trust, ...feed].join("\n")}\n`, ours);
}

function fingerprintIn(json: string, field = "fingerprint"): string {
  return String((JSON.parse(json) as Record<string, unknown>)[field]);
}

/** Shows the steps of every day: publish, update, fetch. */
async function everyDay(stage: DemoStage, places: Places, port: number): Promise<string> {
  const { home, config, profile, feed, work } = places;
  stage.tell("the archive keeper makes a key and publishes a folder of packages");
  const seed = fingerprintIn(await stage.run(["keygen", "--home", home, "--user-id", userId, "--json"]));
  await writeDemoPackages(feed);
  await writeConfig(places, seed, port);
  await stage.run(["publish", "--home", home, "--config", config]);
  await stage.run(["send", seed, "--home", home, "--config", config]);
  stage.tell("a client was shipped with that one key as its seed");
  await writeProfile(places, seed, await readFile(join(home, "certs", `${seed}.asc`), "utf8"), port);
  await stage.run(["update", "--profile", profile]);
  await stage.run(["fetch", "feedkey-license", "--profile", profile, "-o", join(work, "got")]);
  return seed;
}

/** Shows attacks by someone who controls the mirror. */
async function attacks(stage: DemoStage, places: Places): Promise<void> {
  const { home, config, profile, feed, work, root } = places;
  const old = join(work, "old");
  await cp(feed, old, { recursive: true });
  await nextSecond();
  await writePackage(feed, "feedkey-news", "1.0", new Map([["./news", Buffer.from("fresh\n")]]));
  await stage.run(["publish", "--home", home, "--config", config]);
  await stage.run(["update", "--profile", profile]);

  stage.tell("attack 1: a package is changed on the mirror");
  const victim = join(feed, "feedkey-news_1.0_all.ipk");
  const good = await readFile(victim);
  await writeFile(victim, Buffer.from(good.map((byte, place) => (place === 20 ? byte ^ 1 : byte))));
  await stage.run(["fetch", "feedkey-news", "--profile", profile, "-o", join(work, "got")], "digest_mismatch");
  await writeFile(victim, good);

  stage.tell("attack 2: yesterday's index is replayed, with its good signature");
  const today = join(work, "today");
  await cp(feed, today, { recursive: true });
  await cp(old, feed, { recursive: true });
  await stage.run(["update", "--profile", profile], "rollback");
  await cp(today, feed, { recursive: true });

  stage.tell("attack 3: a stranger signs the index with a key of the same name");
  const strangers = join(work, "stranger");
  const stranger = fingerprintIn(await stage.run(["keygen", "--home", strangers, "--user-id", userId, "--json"]));
  await stage.run(["sign", join(feed, "Packages"), "--home", strangers, "--key", stranger, "--feed", "base"]);
  await stage.run(["update", "--profile", profile], "untrusted_signer");
  await cp(today, feed, { recursive: true });
  await rm(join(root, "stranger"), { force: true, recursive: true });
}

/** Shows how the archive's keys change, and how the client follows these changes by itself. */
async function keyLife(stage: DemoStage, places: Places, seed: string, port: number): Promise<void> {
  const { home, config, profile, feed, work } = places;
  stage.tell("the key is rotated: the present key certifies its successor, which then signs");
  const inArchive = ["--home", home, "--config", config];
  const backup = ["--backup", join(work, "safe")];
  const successor = fingerprintIn(await stage.run(["rotate", ...inArchive, ...backup, "--json"]), "successor");
  await nextSecond();
  await stage.run(["rotate", "--finish", "--force", ...inArchive]);
  stage.tell("the old client follows by itself");
  await stage.run(["update", "--profile", profile]);
  await stage.run(["chain", "--profile", profile]);

  // The thief has the whole key store, including a certificate from before the revocation.
  const theirs = join(work, "thief");
  await cp(home, theirs, { recursive: true });
  stage.tell("the successor's secret key is stolen: which clients would lose their chain if it is revoked?");
  await stage.run(["revoke", successor, "--reason", "compromised", "--dry-run", ...inArchive]);
  await stage.run(["revoke", successor, "--reason", "compromised", "--force", ...inArchive]);
  stage.tell(
    "attack 4: the thief signs an index with the stolen key; the client learns of the revocation before it uses the key",
  );
  await nextSecond();
  await writePackage(feed, "backdoor", "6.6", new Map([["./evil", Buffer.from("evil\n")]]));
  await stage.run(["publish", feed, "--feed", "base", "--home", theirs, "--key", successor]);
  await stage.run(["update", "--profile", profile], "revoked");

  stage.tell("the keepers go back to the first key, publish, and rotate again at once");
  await rm(join(feed, "backdoor_6.6_all.ipk"));
  await rm(join(feed, "keys"), { recursive: true });
  await writeConfig(places, seed, port);
  await nextSecond();
  await stage.run(["publish", ...inArchive]);
  await stage.run(["rotate", "--at-once", ...inArchive, ...backup]);
  await stage.run(["update", "--profile", profile]);
  await stage.run(["fetch", "feedkey-news", "--profile", profile, "-o", join(work, "got")]);
}

/**
 * Runs the demo in a temporary folder, and removes the folder afterwards.
 * @param main the program itself, with which the demo runs each step
 * @throws FeedkeyError if a step does not end as expected
 */
export async function demo(context: Context, main: Main): Promise<Outcome> {
  const work = await mkdtemp(join(tmpdir(), "feedkey-demo-"));
  const root = join(work, "archive");
  const places: Places = {
    ...{ work, root, feed: join(root, "base"), home: join(work, "keys"), config: join(work, "archive.ini") },
    ...{ profile: join(work, "demo.ini"), ca: join(work, "ca.pem") },
  };
  await ensureFolder(places.feed, 0o755);
  const server = await serveArchive({ root, tls: "self-signed", keyserver: "memory" });
  await writeFile(places.ca, server.ca ?? "", ours);
  const silent = context.options.json === true || context.options.quiet === true;
  const write = (text: string) => {
    if (!silent) process.stdout.write(text);
  };
  const state = ["--state", join(work, "state")];
  const stage = new DemoStage((args, streams) => main([...args, ...state], streams), write, [[work, "DEMO"]]);
  try {
    const seed = await everyDay(stage, places, server.port);
    await attacks(stage, places);
    await keyLife(stage, places, seed, server.port);
  } finally {
    await server.close();
    await rm(work, { recursive: true, force: true });
  }
  const refused = stage.steps.filter(({ code }) => code !== null).length;
  return {
    text: `\nthe demo is over: ${stage.steps.length} commands, ${refused} attacks refused; its files are removed`,
    json: { steps: stage.steps },
  };
}
