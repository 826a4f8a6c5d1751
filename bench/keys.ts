/** A client that was shipped with the first of ten keys finds the last, beside GnuPG that is told which ten to get. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { armor } from "../src/openpgp/packet/armor.ts";
import { archiveId, certificate, type TestCertificate } from "../test/testkit/certificate.ts";
import { day } from "../test/testkit/dates.ts";
import { allFramed, octets } from "../test/testkit/framing.ts";
import { ed25519Key } from "../test/testkit/keys.ts";
import { certification, dataSignature } from "../test/testkit/signature.ts";
import { feedkey } from "./archive.ts";
import { bareNode, measureGoals, type Outcome } from "./goal.ts";
import { rounds } from "./size.ts";

const links = 10;

/** Ten keys, each certified by the one before. */
function makeChain(): { certificates: TestCertificate[]; last: ReturnType<typeof ed25519Key> } {
  const keys = Array.from({ length: links }, (_, place) =>
    ed25519Key(`chain ${place}`, { createdAt: day(place * 10) }),
  );
  const certificates = keys.map((key, place) => {
    const by = keys[place - 1];
    const at = day(place * 10);
    return certificate({
      key,
      certifiedBy: by === undefined ? [] : [certification({ by, of: key, userId: archiveId, at })],
    });
  });
  const last = keys.at(-1);
  if (last === undefined) throw new Error("no chain");
  return { certificates, last };
}

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
  const { certificates, last } = makeChain();
  const served = join(folder, "served");
  const ca = join(tls, "ca.pem");
  const index = join(folder, "Packages");
  const text = Buffer.from("Package: a\nVersion: 1\nFilename: a.ipk\nSize: 1\n\n");
  fs.writeFileSync(index, text);
  fs.writeFileSync(
    `${index}.sig`,
    allFramed([dataSignature({ by: last, at: day(links * 10), data: text, feed: "base" })]),
  );
  const [seed] = certificates;
  fs.mkdirSync(join(folder, "keyring"));
  fs.writeFileSync(join(folder, "keyring", "seed.pgp"), seed?.bytes ?? octets(0, 0));
  const pem = ["--tls-cert", join(tls, "good.pem"), "--tls-key", join(tls, "good.key")];
  const server = await startKeyServer(served, certificates, ...pem);
  // GnuPG's own TLS finds no "localhost" in a certificate: it may do without.
  const plain = await startKeyServer(join(folder, "plain"), certificates);
  const profile = join(folder, "chain.ini");
  const lines = [
    "[archive]",
    "name = Chain",
    `url = ${pathToFileURL(served).href}/`,
    "user-email = archive@example.org",
  ];
  lines.push(
    "[trust]",
    "keyring = keyring",
    `seeds = ${seed?.fingerprint}`,
    `keyservers = hkps://${server.address}`,
    `keyserver-ca = ${ca}`,
  );
  lines.push("[feed base]", "format = opkg", "path = .", "");
  fs.writeFileSync(profile, lines.join("\n"));

  const state = join(folder, "state");
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
  };
  try {
    const work = `find a chain of ${links} keys over HKPS and verify, nothing known`;
    const urls = certificates.map(({ fingerprint }) => {
      return `https://${server.address}/pks/lookup?op=get&options=mr&search=0x${fingerprint}`;
    });
    return measureGoals([{ work, ours, beside, ratio: 0.5, floor: bareNode("get", ca, ...urls) }], rounds, folder);
  } finally {
    spawnSync("gpgconf", ["--homedir", home, "--kill", "all"]);
    server.stop();
    plain.stop();
  }
}
