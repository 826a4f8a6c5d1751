// A real chain: Debian's archive keys, from the shipped profile's seed to the key of today, over each kind of key server.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { submit } from "../../src/keyserver/hkp.ts";
import { createTransport } from "../../src/net/transport.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { authority, kinds, useKeyServer } from "../testkit/servers/key-servers.ts";
import { tlsFile } from "../testkit/servers/misbehaving-server.ts";
import { type Chain, chainOf } from "./client.ts";

const vectors = "test/vectors/debian-archive";

const wheezy = "A1BD8E9D78F7FE5C3E65D8AF8B48AD6246925553";
const jessie = "126C0D24BD8A2942CC7DF8AC7638D0442B90D010";
const stretch = "E1CF20DDFFE4B89E802658F1E0B11894F66AEC98";
const buster = "80D15823B7FD1561F9F7BCDDDC30D7C23CBBABEE";
const bullseye = "1F89983E0081FDE018F3CC9673A4F27B8DD47936";
const bookworm = "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8";
const trixie = "04B54C3CDCA79751B16BC6B5225629DF75B188BD";
const squeeze = "9FED2BCBDCD29CDF762678CBAED4B06F473041FA";

/** All of them, by fingerprint, armored as they are. */
async function certificates(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await fs.readdir(vectors)) {
    if (!name.endsWith(".asc")) continue;
    const text = await fs.readFile(join(vectors, name), "utf8");
    for (const { fingerprint } of readKeys(Buffer.from(text)).certificates) found.set(fingerprint, text);
  }
  return found;
}

/** What a client sees that has one seed and one key server, and no archive. */
async function chainFrom(seed: string, certificate: string, server: string, at: string): Promise<Chain> {
  const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-debian-"));
  try {
    await fs.mkdir(join(folder, "keyring"));
    await fs.writeFile(join(folder, "keyring", "seed.asc"), certificate);
    const shipped = await fs.readFile("profiles/debian-keys.ini", "utf8");
    const profile = join(folder, "debian.ini");
    const text = shipped
      .replace(/^url = .*$/m, `url = file://${folder}/`)
      .replace(/^keyring = .*$/m, "keyring = keyring")
      .replace(/^seeds = .*$/m, `seeds = ${seed}`)
      .replace(/^keyservers = .*$/m, `keyservers = ${server}\nkeyserver-ca = ${authority}`);
    await fs.writeFile(profile, text);
    const args = ["--profile", profile, "--state", join(folder, "state"), "--json", "--at", at, "chain"];
    const ended = await runHere(args);
    const document = documentOf(ended);
    expect({ status: ended.status, warnings: document.warnings ?? [] }).to.deep.equal({ status: 0, warnings: [] });
    return chainOf(document);
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}

for (const kind of kinds) {
  describe(`Debian's keys: ${kind}`, function () {
    this.timeout(60_000);
    const server = useKeyServer(kind);
    const at = "2026-01-15T12:00:00Z";
    const seedless = new Map<string, string>();

    before(async () => {
      const transport = createTransport({ ca: tlsFile("ca.pem"), env: {} });
      // The embedded one keeps certifications by keys that it holds, and is sent again what it did not keep.
      for (const round of kind === "embedded" ? ["first", "again"] : ["only"]) {
        for (const [fingerprint, text] of await certificates()) {
          seedless.set(fingerprint, text);
          if (round === "only" && (fingerprint === wheezy || fingerprint === squeeze)) continue;
          expect(await submit(new URL(server()), text, { transport })).to.deep.equal({ ok: true });
        }
      }
      await transport.close();
    });

    it("wheezy's seed reaches trixie over six keys", async () => {
      const { trusted, rejected } = await chainFrom(wheezy, seedless.get(wheezy) ?? "", server(), at);
      const releases = [wheezy, jessie, stretch, buster, bullseye, bookworm, trixie];
      for (const [place, key] of releases.entries()) expect(trusted.get(key)?.via, key).to.have.length(place);
      // From jessie on a security key lies beside each, and the path may lead over either.
      expect(trusted.get(trixie)?.via.slice(0, 2)).to.deep.equal([wheezy, jessie]);
      expect(trusted.get(trixie)?.maySign).to.equal(true);
      for (const expired of [wheezy, jessie, stretch]) expect(trusted.get(expired)?.maySign).to.equal(false);
      expect([...rejected.values()].filter(({ code }) => code === "fork")).to.deep.equal([]);
    });

    it("squeeze's seed reaches nothing: no key was ever certified by it", async () => {
      const { trusted } = await chainFrom(squeeze, seedless.get(squeeze) ?? "", server(), at);
      expect([...trusted.keys()]).to.deep.equal([squeeze]);
    });
  });
}
