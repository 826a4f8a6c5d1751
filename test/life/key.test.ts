// Key, through the command line.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Bytes, type ChainCase, seedOf, successorOf, withChain } from "../testkit/archives/chain.ts";
import {
  archiveId,
  asCertificate,
  type CertificateOptions,
  certificate,
  secretKeyBlock,
  selfSignature,
} from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, type Packet } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { keyAnswer, withLiars } from "../testkit/servers/key-servers.ts";
import { certification, keyRevocation, withdrawal } from "../testkit/signature.ts";
import { critical, raw, reason, revoker } from "../testkit/subpackets.ts";

const seed = seedOf("seed");
const second = successorOf([seed], "second");
const stranger = ed25519Key("life stranger");
const days = 86_400;

/** The seed's revocation of itself, on day 15 unless told otherwise. */
function revocation(options: Partial<Parameters<typeof keyRevocation>[0]> = {}): Packet {
  return keyRevocation({ by: seed.key, of: seed.key, at: day(15), hashed: [reason(2)], ...options });
}

/** The seed as the profile ships it; what others say of it stands in the bundle. */
async function withNews(options: Partial<CertificateOptions> | Bytes, action: (chain: ChainCase) => Promise<unknown>) {
  const news = "bytes" in options ? options : seedOf("seed", options);
  await withChain({ seeds: [seed], bundle: [news] }, async (chain) => {
    await action(chain);
  });
}

describe("cases: key, expiry", () => {
  it("a seed expired, the signature dated before: expired", async () => {
    const short = seedOf("seed", { keyExpiresAfter: 20 * days - 1800 });
    await withChain({ seeds: [short] }, async (chain) => {
      await chain.accepts(short, [], day(19));
      await chain.refuses(short, "expired", day(20));
    });
  });

  it("a successor expired, the signature dated before: expired", async () => {
    const short = successorOf([seed], "second", { keyExpiresAfter: 10 * days - 1800 });
    await withChain({ seeds: [seed], bundle: [short] }, async (chain) => {
      await chain.accepts(short, [seed], day(19));
      await chain.refuses(short, "expired", day(20));
    });
  });

  it("a successor of the future: refused until then", async () => {
    await withChain({ seeds: [seed], bundle: [second] }, async (chain) => {
      await chain.refuses(second, "untrusted_signer", day(9));
    });
  });

  const until = (made: number, end: number) =>
    selfSignature({ key: seed.key, at: day(made), keyExpiresAfter: end * days });
  for (const [what, selfSignatures, code] of [
    ["extended: the longer life counts", [until(1, 15), until(10, 30)], undefined],
    ["extended, later shortened again: the short one counts", [until(1, 15), until(10, 30), until(12, 18)], "expired"],
    ["extended, later shortened, in another order", [until(12, 18), until(10, 30), until(1, 15)], "expired"],
    ["shortened in the future: not yet", [until(1, 30), until(21, 15)], undefined],
  ] as const) {
    it(`expiry ${what}`, async () => {
      const packets = [{ tag: 6, body: seed.key.body }, { tag: 13, body: Buffer.from(archiveId) }, ...selfSignatures];
      const keyring = asCertificate(seed.key, packets);
      await withChain({ seeds: [keyring] }, async (chain) => {
        if (code === undefined) await chain.accepts(keyring, []);
        else await chain.refuses(keyring, code);
      });
    });
  }

  it("an extension that arrives later saves a key; a shortening that arrives later ends it", async () => {
    const self = (end: number, at: number) => ({ at: day(at), keyExpiresAfter: end * days });
    const short = seedOf("seed", self(15, 1));
    await withChain({ seeds: [short] }, async (chain) => {
      await chain.refuses(short, "expired");
      await chain.putBundle([seedOf("seed", self(60, 10))]);
      await chain.accepts(short, []);
      await chain.putBundle([seedOf("seed", self(18, 12))]);
      await chain.refuses(short, "expired");
    });
  });
});

describe("cases: key, revocation", () => {
  for (const [what, hashed] of [
    ["superseded, softly", [reason(1)]],
    ["retired, softly", [reason(3)]],
    ["compromised", [reason(2)]],
    ["no reason (0)", [reason(0)]],
    ["a reason that nobody knows", [reason(77)]],
    ["no reason subpacket", []],
    ["an unknown critical subpacket", [reason(3), critical(raw(100))]],
  ] as const) {
    it(`${what}, the signature dated before: revoked`, async () => {
      await withNews({ signatures: [revocation({ at: day(19) + 1, hashed })] }, (chain) =>
        chain.refuses(seed, "revoked"),
      );
    });
  }

  for (const [what, hashed, code] of [
    ["soft, dated in the future: not yet in force", [reason(3)], undefined],
    ["hard, dated in the future: whoever stole the key dates as he likes", [reason(2)], "revoked"],
  ] as const) {
    it(what, async () => {
      await withNews({ signatures: [revocation({ at: day(25), hashed })] }, async (chain) => {
        if (code === undefined) await chain.accepts(seed, []);
        else await chain.refuses(seed, code);
      });
    });
  }

  for (const hash of ["sha1", "md5"] as const) {
    it(`with ${hash}: honoured`, async () => {
      await withNews({ signatures: [revocation({ hash })] }, (chain) => chain.refuses(seed, "revoked"));
    });
  }

  const forged = revocation();
  const last = forged.body.length - 3;
  const broken = { tag: 2, body: forged.body.map((byte, place) => (place === last ? byte ^ 1 : byte)) };
  for (const [what, packet] of [
    ["made by a stranger", revocation({ by: stranger })],
    ["made by a stranger in the key's name", revocation({ by: { ...stranger, ...names(seed.key) } })],
    ["forged: one bit is wrong", broken],
    ["another key's", keyRevocation({ by: seed.key, of: stranger, at: day(15), hashed: [reason(2)] })],
    [
      "of a user ID, put where a key's stands",
      withdrawal({ by: seed.key, of: seed.key, userId: archiveId, at: day(15) }),
    ],
  ] as const) {
    it(`${what}: ignored`, async () => {
      await withNews({ signatures: [packet] }, (chain) => chain.accepts(seed, []));
    });
  }

  it("made by a revoker that the key designated: honoured where his certificate is at hand", async () => {
    const trusting = seedOf("seed", { hashed: [revoker(stranger)] });
    const news = seedOf("seed", { hashed: [revoker(stranger)], signatures: [revocation({ by: stranger })] });
    await withChain({ seeds: [trusting], bundle: [news] }, (chain) => chain.accepts(trusting, []));
    const keyring = [trusting, certificate({ key: stranger, userIds: ["Revoker <revoker@example.org>"] })];
    await withChain({ seeds: [trusting], keyring, bundle: [news] }, (chain) =>
      chain.refuses(trusting, "revoked").then(),
    );
  });

  for (const [what, packets] of [
    ["a certificate without user IDs", [{ tag: 6, body: seed.key.body }, revocation()]],
    ["a bare revocation packet", [revocation()]],
    ["a revocation at the end of another certificate", [...second.packets, revocation()]],
  ] as const) {
    it(`${what} in the bundle: merged into the known certificate`, async () => {
      await withNews({ bytes: allFramed(packets) }, (chain) => chain.refuses(seed, "revoked"));
    });

    it(`${what} from a key server: merged into the known certificate`, async () => {
      await withLiars(async (server) => {
        server.answer(seed.fingerprint, keyAnswer(allFramed(packets)));
        await withChain({ seeds: [seed], servers: [server.url] }, (chain) => chain.refuses(seed, "revoked").then());
      });
    });
  }

  it("what took a key away is kept: newer self-signatures do not bring it back", async () => {
    await withNews({ signatures: [revocation()] }, async (chain) => {
      await chain.refuses(seed, "revoked");
      await chain.putBundle([seedOf("seed", { at: day(16), keyExpiresAfter: 900 * days })]);
      await chain.refuses(seed, "revoked");
    });
  });
});

/** What a signature names as its maker. */
function names({ fingerprint, keyId, version, algorithm }: typeof stranger) {
  return { fingerprint, keyId, version, algorithm };
}

describe("cases: key, user IDs and secrets", () => {
  it("a user ID revoked by its owner: the key is no successor any more", async () => {
    const taken = withdrawal({ by: second.key, of: second.key, userId: archiveId, at: day(15), hashed: [reason(32)] });
    const by = certification({ by: seed.key, of: second.key, userId: archiveId, at: day(11) });
    const revoked = certificate({ key: second.key, userIds: [{ userId: archiveId, signatures: [by, taken] }] });
    await withChain({ seeds: [seed], bundle: [revoked] }, async (chain) => {
      expect(await chain.refuses(second, "untrusted_signer")).to.contain("revoked");
    });
  });

  it("the seed's own user ID revoked: a seed needs none", async () => {
    const taken = withdrawal({ by: seed.key, of: seed.key, userId: archiveId, at: day(15), hashed: [reason(32)] });
    await withNews({ certifiedBy: [taken] }, (chain) => chain.accepts(seed, []));
  });

  it("a secret key in a seed file: refused with a warning to change it", async () => {
    await withChain({ seeds: [seed] }, async (chain) => {
      const file = join(chain.signatures.folder, "keyring", `${seed.fingerprint}.pgp`);
      await fs.writeFile(file, secretKeyBlock(seed));
      const ended = await runHere(chain.args(day(20), "chain"));
      const { error } = documentOf(ended);
      expect({ status: ended.status, code: error?.code }).to.deep.equal({ status: 78, code: "bad_profile" });
      expect(error?.message).to.contain("secret key");
      expect(error?.hint).to.contain("make a new one");
    });
  });
});
