import * as node from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as vm from "node:vm";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { build, stop } from "esbuild";
import { loadKey } from "../../src/openpgp/packet/key-packet.ts";
import { libraryFacts as byLibrary } from "../../src/openpgp/packet/library-key.ts";
import { Undecodable } from "../../src/packages/compression/undecodable.ts";
import { loadZstd as nodeZstd } from "../../src/packages/compression/zstd-library.ts";
import * as engine from "../../src/page/engine/crypto.ts";
import { decoders } from "../../src/page/engine/decoders.ts";
import { libraryFacts } from "../../src/page/engine/library-key.ts";
import { loadZstd } from "../../src/page/engine/zstd-library.ts";
import { concat, mpi, octets } from "../testkit/framing.ts";
import { dsaKey, rsaKey } from "../testkit/keys.ts";
import type { Vector } from "../testkit/vector.ts";

const data = Buffer.from("what is signed");
const flipped = (bytes: Uint8Array) => bytes.map((octet, at) => (at === 9 ? octet ^ 1 : octet));
const curves = {
  prime256v1: "2a8648ce3d030107",
  secp384r1: "2b81040022",
  secp521r1: "2b81040023",
  secp256k1: "2b8104000a",
  brainpoolP256r1: "2b2403030208010107",
  brainpoolP384r1: "2b240303020801010b",
  brainpoolP512r1: "2b240303020801010d",
} as const;

describe("the trust page's engine", () => {
  after(() => stop());

  it("has Node's hashes, running copies included", () => {
    expect(engine.getHashes().filter((name) => !node.getHashes().includes(name))).to.deep.equal([]);
    for (const name of engine.getHashes()) {
      const running = engine.createHash(name).update(data.subarray(0, 5));
      const copy = running.copy().update(Buffer.from("other"));
      expect(running.update(data.subarray(5)).digest("hex"), name).to.equal(node.hash(name, data));
      expect(copy.digest("hex"), name).to.equal(node.hash(name, "what other"));
      expect(engine.hash(name, data, "buffer"), name).to.deep.equal(node.hash(name, data, "buffer"));
    }
    expect(() => engine.createHash("sha512-256")).to.throw("no hash");
  });

  /** Both engines' opinions on a signature, on a changed one, and on one over other data; the caller says what they must be. */
  function opinions(
    hash: string | null,
    key: node.KeyObject,
    value: Uint8Array,
    ours: ReturnType<typeof engine.createPublicKey>,
  ) {
    const cases = [
      [data, value],
      [data, flipped(value)],
      [flipped(data), value],
      [data, value.subarray(1)],
    ] as const;
    return cases.map(([signed, given]) => {
      const nodes = node.verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, given);
      let made = false;
      try {
        made = engine.verify(hash, signed, ours, given);
      } catch {
        // Callers take an error for a no.
      }
      expect(made).to.equal(nodes);
      return made;
    });
  }
  const right = [true, false, false, false];

  for (const curve of Object.keys(curves)) {
    it(`checks ECDSA as Node does: ${curve}`, () => {
      const { publicKey, privateKey } = node.generateKeyPairSync("ec", { namedCurve: curve });
      const ours = engine.createPublicKey({
        key: publicKey.export({ format: "der", type: "spki" }),
        format: "der",
        type: "spki",
      });
      for (const hash of ["sha256", "sha512", "sha1"]) {
        const value = node.sign(hash, data, { key: privateKey, dsaEncoding: "ieee-p1363" });
        expect(opinions(hash, publicKey, value, ours), hash).to.deep.equal(right);
      }
      const other = node.generateKeyPairSync("ec", { namedCurve: curve }).publicKey;
      const wrong = publicKey.export({ format: "der", type: "spki" });
      wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
      expect(() => engine.createPublicKey({ key: wrong, format: "der", type: "spki" })).to.throw();
      expect(
        opinions(
          "sha256",
          other,
          node.sign("sha256", data, { key: privateKey, dsaEncoding: "ieee-p1363" }),
          engine.createPublicKey({ key: other.export({ format: "der", type: "spki" }), format: "der", type: "spki" }),
        ),
      ).to.not.include(true);
    });
  }

  for (const kind of ["ed25519", "ed448"] as const) {
    it(`checks EdDSA as Node does: ${kind}`, () => {
      const { publicKey, privateKey } =
        kind === "ed25519" ? node.generateKeyPairSync("ed25519") : node.generateKeyPairSync("ed448");
      const ours = engine.createPublicKey({
        key: publicKey.export({ format: "jwk" }) as { kty: string },
        format: "jwk",
      });
      expect(opinions(null, publicKey, node.sign(null, data, privateKey), ours)).to.deep.equal(right);
    });
  }

  it("checks RSA as Node does, by every hash, and refuses other paddings", () => {
    const { publicKey, privateKey } = node.generateKeyPairSync("rsa", { modulusLength: 2048 });
    const ours = engine.createPublicKey({ key: publicKey.export({ format: "jwk" }) as { kty: string }, format: "jwk" });
    for (const hash of engine.getHashes()) {
      expect(opinions(hash, publicKey, node.sign(hash, data, privateKey), ours), hash).to.deep.equal(right);
    }
    const value = node.sign("sha256", data, privateKey);
    expect(opinions("sha512", publicKey, value, ours)).to.not.include(true);
    const pss = node.sign("sha256", data, { key: privateKey, padding: node.constants.RSA_PKCS1_PSS_PADDING });
    expect(opinions("sha256", publicKey, pss, ours)).to.not.include(true);
    // The digest at the end of too little padding, as Bleichenbacher's forgeries have it.
    const head = Buffer.concat([
      Buffer.from("0001ffffffffffffffff00", "hex"),
      Buffer.from("3031300d060960864801650304020105000420", "hex"),
      node.hash("sha256", data, "buffer"),
    ]);
    const forged = node.privateEncrypt(
      { key: privateKey, padding: node.constants.RSA_NO_PADDING },
      Buffer.concat([head, Buffer.alloc(256 - head.length)]),
    );
    expect(opinions("sha256", publicKey, forged, ours)).to.not.include(true);
  });

  it("reads rare keys as the library does", async () => {
    const head = (algorithm: number) => concat(Uint8Array.of(4), octets(1_700_000_000, 4), Uint8Array.of(algorithm));
    const bodies = Object.entries(curves).map(([curve, identifier]) => {
      const spki = node
        .generateKeyPairSync("ec", { namedCurve: curve })
        .publicKey.export({ format: "der", type: "spki" });
      const octetsOfPoint = { secp384r1: 97, brainpoolP384r1: 97, secp521r1: 133, brainpoolP512r1: 129 }[curve] ?? 65;
      const oid = Buffer.from(identifier, "hex");
      return concat(head(19), Uint8Array.of(oid.length), oid, mpi(spki.subarray(-octetsOfPoint)));
    });
    const good = [...bodies, dsaKey().body];
    for (const body of [
      ...good,
      ...good.map((one) => one.subarray(0, -1)),
      ...good.map((one) => concat(one, Uint8Array.of(0))),
    ]) {
      const { fingerprint = "" } = (await loadKey(body, ""))?.facts ?? {};
      expect(await libraryFacts(body, fingerprint)).to.deep.equal(await byLibrary(body, fingerprint));
    }
    expect(await libraryFacts(good[0] ?? data, "")).to.include({ algorithm: "ecdsa", bits: 256 });
    expect(await libraryFacts(dsaKey().body, "")).to.deep.equal({ algorithm: "dsa", bits: 2048 });
    // It never takes a key that the others read natively.
    expect(await libraryFacts(rsaKey("rsa-a").body, "")).to.equal(undefined);
  });

  it("decompresses gzip within a limit, to its end and not beyond", async () => {
    const { gzip } = decoders;
    const packed = gzipSync(data);
    expect(Buffer.from((await gzip?.(packed, data.length)) ?? [])).to.deep.equal(data);
    const refused = async (bytes: Uint8Array, limit = 100) => {
      return await Promise.resolve(gzip?.(bytes, limit)).then(
        () => "taken",
        (error: unknown) => (error instanceof Undecodable ? error.obstacle : String(error)),
      );
    };
    expect(await refused(packed, data.length - 1)).to.equal("limits");
    expect(await refused(gzipSync(Buffer.alloc(50_000_000)), 1000)).to.equal("limits");
    expect(await refused(packed.subarray(0, -1))).to.equal("damaged");
    expect(await refused(packed.map((octet, at) => (at === packed.length - 5 ? octet ^ 1 : octet)))).to.equal(
      "damaged",
    );
    expect([decoders.xz, decoders.bzip2]).to.deep.equal([undefined, undefined]);
  });

  it("decompresses zstd within a limit", async () => {
    const zstd = await loadZstd();
    const content = Buffer.from("a list of packages\n".repeat(10_000));
    const packed = (await nodeZstd()).compress(content);
    expect(Buffer.compare(zstd.decompress(packed, content.length), content)).to.equal(0);
    expect(() => zstd.decompress(packed, content.length - 1)).to.throw(Undecodable);
  });

  it("gives every vector the answer that Node's engine gives", async () => {
    const { browserOptions } = await import(pathToFileURL(resolve("build/page.mjs")).href);
    const made = await build({
      ...browserOptions,
      stdin: {
        contents: 'import { answer } from "./test/testkit/vector.ts"; globalThis.answer = answer;',
        resolveDir: process.cwd(),
        loader: "ts",
      },
      external: ["./library-check.ts"],
      write: false,
    });
    const context = vm.createContext({ TextDecoder, TextEncoder, URL, Uint8Array }) as {
      answer(vector: Vector): Promise<string>;
    };
    vm.runInContext(made.outputFiles?.[0]?.text ?? "", context);
    const folder = "test/vectors/signature";
    const answers: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const name of readdirSync(folder).filter((one) => one.endsWith(".json"))) {
      const vector = JSON.parse(readFileSync(`${folder}/${name}`, "utf8")) as Vector;
      expected[name] = vector.expect;
      answers[name] = await context.answer(vector);
    }
    expect(Object.keys(expected).length).to.be.greaterThan(80);
    expect(answers).to.deep.equal(expected);
  });
});
