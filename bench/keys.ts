/** A client that was shipped with the first of ten keys finds the last one; clients that know very many keys. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import { armor } from "../src/openpgp/packet/armor.ts";
import type { TestCertificate } from "../test/testkit/certificate.ts";
import { feedkey } from "./archive.ts";
import { bareNode, measureGoals, type Outcome } from "./goal.ts";
import { type ManyKeys, makeChain, makeDelegates, writeClient } from "./scale/many-keys.ts";
import { number, rounds, scaled } from "./size.ts";

const links = 10;

const tls = resolve("test/vectors/tls");

/** Starts the embedded key server with these keys and waits for the address that it prints. */
async function startKeyServer(
  folder: string,
  certificates: readonly TestCertificate[],
  ...options: readonly string[]
): Promise<{ address: string; stop: () => void }> {
  const keys = join(folder, "keys");
  fs.mkdirSync(keys, { recursive: true });
  for (const { fingerprint, bytes } of certificates) {
    fs.writeFileSync(join(keys, `${fingerprint}.asc`), armor(bytes, "PUBLIC KEY BLOCK"));
  }
  const [program, ...args] = feedkey("serve", folder, "--port", "0", "--keyserver", keys, ...options);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise<string>((found, fail) => {
    let text = "";
    child.once("exit", () => fail(new Error(`the key server ended: ${text}`)));
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const port = /https?:\/\/[^\s/]+:(\d+)/.exec(text)?.[1];
      if (port !== undefined) found(`localhost:${port}`);
    });
  });
  return { address, stop: () => child.kill() };
}

/** From a state that knows nothing to a verified index. */
export async function followChain(folder: string): Promise<Outcome[]> {
  const made = makeChain(links);
  const { certificates } = made;
  const served = join(folder, "served");
  const ca = join(tls, "ca.pem");
  const pem = ["--tls-cert", join(tls, "good.pem"), "--tls-key", join(tls, "good.key")];
  const server = await startKeyServer(served, certificates, ...pem);
  // GnuPG's own TLS does not accept "localhost" in a certificate, so it is run without TLS.
  const plain = await startKeyServer(join(folder, "plain"), certificates);
  const { index, profile, state } = writeClient(folder, made, 1, [
    `keyservers = hkps://${server.address}`,
    `keyserver-ca = ${ca}`,
  ]);
  const home = join(folder, "gnupg");
  const names = certificates.map(({ fingerprint }) => fingerprint).join(" ");
  const gpg = `gpg --homedir ${home} --batch --quiet`;
  const forget = () => {
    spawnSync("gpgconf", ["--homedir", home, "--kill", "all"]);
    for (const path of [state, home]) fs.rmSync(path, { recursive: true, force: true });
    fs.mkdirSync(home, { mode: 0o700 });
  };
  const ours = {
    name: "feedkey verify",
    command: feedkey("verify", index, "--profile", profile, "--state", state),
    prepare: forget,
  };
  const received = `${gpg} --keyserver hkp://${plain.address} --recv-keys ${names}`;
  const verified = `gpgv --quiet --keyring ${home}/pubring.kbx ${index}.sig ${index}`;
  const beside = {
    name: "gpg --recv-keys without TLS, gpgv",
    command: ["sh", "-c", `set -e; ${received}; ${verified}`] as const,
    prepare: forget,
    less: "is told which ten keys to get, uses no TLS, and judges no chain",
  };
  try {
    const work = `find a chain of ${links} keys over HKPS and verify, nothing known`;
    // One search finds them all.
    const url = `https://${server.address}/pks/lookup?op=get&options=mr&search=archive%40example.org`;
    return measureGoals([{ work, ours, beside, ratio: 1.4, floor: bareNode("get", ca, url) }], rounds, folder);
  } finally {
    spawnSync("gpgconf", ["--homedir", home, "--kill", "all"]);
    server.stop();
    plain.stop();
  }
}

/** Long chains and many delegates, all known. */
export function verifyMany(folder: string): Outcome[] {
  const one = (work: string, name: string, made: ManyKeys): Outcome[] => {
    const place = join(folder, name);
    fs.mkdirSync(place);
    const { index, profile, state } = writeClient(place, made, Number.POSITIVE_INFINITY, ["keyservers = none"]);
    const command = feedkey("verify", index, "--profile", profile, "--state", state);
    return measureGoals(
      [{ work, ours: { name: "feedkey verify", command }, seconds: 2, megabytes: 250 }],
      rounds,
      place,
    );
  };
  const [links, delegates] = [scaled(2000), scaled(10_000)];
  return [
    ...one(`verify with a chain of ${number(links)} keys, all known`, "chain", makeChain(links)),
    ...one(`verify with ${number(delegates)} delegates, all known`, "delegates", makeDelegates(delegates)),
  ];
}
