// The answers of real kinds of key servers (test/vectors/keyserver-answers), and what a client makes of them.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { seedOf } from "../testkit/archives/chain.ts";
import { SignatureCase } from "../testkit/archives/signed-index.ts";
import { inLife } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { keyB, keyC } from "../testkit/servers/about.ts";
import { authority, LyingServer } from "../testkit/servers/key-servers.ts";
import { plain } from "../testkit/servers/misbehaving-server.ts";
import { type Chain, chainOf } from "./client.ts";

const at = "2026-11-24T12:00:00Z";
const vector = (name: string) => fs.readFile(join("test/vectors/keyserver-answers", name));
const address = "archive@feed.example";

/** The key packet alone, as a seed that was shipped before anything happened to it. */
async function bareKey(name: string): Promise<Uint8Array> {
  const [found] = readKeys(await vector(name)).certificates;
  if (found === undefined) throw new Error(`no key in ${name}`);
  return writeCertificate({ ...found, signatures: [] });
}

/** A client of feed.example with these seeds and one server. */
class Visitor {
  readonly server: LyingServer;
  readonly #case: SignatureCase;

  private constructor(server: LyingServer, signatureCase: SignatureCase) {
    this.server = server;
    this.#case = signatureCase;
  }

  static async make(seeds: ReadonlyMap<string, Uint8Array>): Promise<Visitor> {
    const visitor = new Visitor(
      await LyingServer.start(),
      await SignatureCase.make({ certificates: [seedOf("none")] }),
    );
    const { folder } = visitor.#case;
    for (const [fingerprint, bytes] of seeds) await fs.writeFile(join(folder, "keyring", `${fingerprint}.pgp`), bytes);
    const profile = join(folder, "example.ini");
    const text = (await fs.readFile(profile, "utf8"))
      .replace(/^user-email = .*$/m, `user-email = ${address}`)
      .replace(/^seeds = .*$/m, `seeds = ${[...seeds.keys()].join(", ")}`)
      .replace("keyservers = none", `keyservers = ${visitor.server.url}\nkeyserver-ca = ${authority}`);
    await fs.writeFile(profile, text);
    return visitor;
  }

  async chain(): Promise<Chain & { readonly checked: unknown; readonly warnings: readonly string[] }> {
    const { folder } = this.#case;
    const global = ["--profile", join(folder, "example.ini"), "--state", join(folder, "state"), "--json", "--at", at];
    const document = documentOf(await runHere([...global, "refresh"]));
    return { ...chainOf(document), checked: document.checked, warnings: document.warnings ?? [] };
  }

  async remove(): Promise<void> {
    await this.server.stop();
    await this.#case.remove();
  }
}

async function visiting(
  seeds: ReadonlyMap<string, Uint8Array>,
  action: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  const visitor = await Visitor.make(seeds);
  try {
    await action(visitor);
  } finally {
    await visitor.remove();
  }
}

describe("answers of key servers: a revocation", () => {
  for (const [what, name] of [
    ["Hockeypuck's bare revocation", "hockeypuck-hard-revoked-B.asc"],
    ["Hockeypuck's binary answer", "hockeypuck-bin-hard-revoked-B.pgp"],
    ["Hagrid's key without user IDs", "hagrid-revoked-B.asc"],
  ] as const) {
    it(`${what} is merged into the certificate at hand, revokes it, and stays`, async () => {
      await visiting(new Map([[keyB, await bareKey("hagrid-revoked-B.asc")]]), async (visitor) => {
        expect((await visitor.chain()).trusted.has(keyB)).to.equal(true);
        visitor.server.answer(keyB, plain(200, await vector(name)));
        const news = await visitor.chain();
        expect(news.rejected.get(keyB)).to.include({ code: "revoked" });
        expect(news.rejected.get(keyB)?.reason).to.contain("compromised");
        expect(news.warnings.join()).to.contain("dropped");
        visitor.server.answer(keyB, plain(404, "not found"));
        expect((await visitor.chain()).rejected.get(keyB)).to.include({ code: "revoked" });
      });
    });
  }

  it("Hockeypuck's search for the address: the revocation counts, whatever stands beside it", async () => {
    const seeds = new Map([
      [keyB, await bareKey("hagrid-revoked-B.asc")],
      [keyC, await bareKey("hagrid-verified-C.asc")],
    ]);
    await visiting(seeds, async (visitor) => {
      visitor.server.answer(address, plain(200, await vector("hockeypuck-email-search.asc")));
      const { trusted, rejected } = await visitor.chain();
      expect(rejected.get(keyB)).to.include({ code: "revoked" });
      expect(trusted.get(keyC)).to.include({ role: "seed", maySign: true });
    });
  });

  it("a bare revocation of a key that is held whole: the index that it signed is refused", async () => {
    const server = await LyingServer.start();
    try {
      await inLife(
        async (life) => {
          const { archive } = life;
          server.answer(life.first, plain(200, await fs.readFile(join(archive.home, "certs", `${life.first}.asc`))));
          const client = await life.client("one");
          expect(await client.update(day(1))).to.deep.equal([life.first]);
          const bare = await fs.readFile(join(archive.home, "revocations", `${life.first}-compromised.asc`));
          expect(readKeys(bare).certificates).to.deep.equal([]);
          server.answer(life.first, plain(200, bare));
          await client.refuse({ code: "revoked", status: 1 }, day(2), "update");
        },
        { servers: [server.url] },
      );
    } finally {
      await server.stop();
    }
  });
});

describe("answers of key servers: nothing new", () => {
  const withC = async (action: (visitor: Visitor) => Promise<void>) => {
    const [whole] = readKeys(await vector("hagrid-verified-C.asc")).certificates;
    if (whole === undefined) throw new Error("no certificate");
    await visiting(new Map([[keyC, writeCertificate(whole)]]), action);
  };

  for (const [what, name] of [
    ["Hagrid's stripped key", "hagrid-unverified-C.asc"],
    ["Hagrid's key with its user ID alone", "hagrid-verified-C.asc"],
    ["onak's armor within a page", "onak-mr.txt"],
  ] as const) {
    it(`${what}: found, and takes nothing from what is at hand`, async () => {
      await withC(async (visitor) => {
        visitor.server.answer(keyC, plain(200, await vector(name)));
        const { trusted, checked, warnings } = await visitor.chain();
        expect(checked).to.deep.equal({ [keyC]: "found" });
        expect(trusted.get(keyC)).to.include({ maySign: true });
        expect(warnings).to.deep.equal([]);
      });
    });
  }

  it("onak's 200 with words: absent, so that a key that never was there may be used", async () => {
    await withC(async (visitor) => {
      visitor.server.answer(keyC, plain(200, await vector("onak-not-found-200.txt")));
      const { trusted, checked } = await visitor.chain();
      expect(checked).to.deep.equal({ [keyC]: "absent" });
      expect(trusted.get(keyC)).to.include({ maySign: true });
    });
  });

  it("SKS's empty 200: unknown, so that a new key may not", async () => {
    await withC(async (visitor) => {
      visitor.server.answer(keyC, plain(200, await vector("sks-filtered-200-empty.txt")));
      const { trusted, rejected, checked } = await visitor.chain();
      expect(checked).to.deep.equal({});
      expect(trusted.size).to.equal(0);
      expect(rejected.get(keyC)).to.include({ code: "unchecked_revocation" });
    });
  });
});
