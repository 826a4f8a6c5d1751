import { expect } from "chai";
import { generateKey } from "openpgp";
import type { Answer } from "../../src/keyserver/answer.ts";
import { askAll, united } from "../../src/keyserver/ask-all.ts";
import { lookup, search, submit } from "../../src/keyserver/hkp.ts";
import { createTransport } from "../../src/net/transport.ts";
import { armor, dearmor } from "../../src/openpgp/packet/armor.ts";
import { readPackets, tags, writePackets } from "../../src/openpgp/packet/packets.ts";
import { parseSignature } from "../../src/openpgp/packet/raw-signature.ts";
import { generate, type NewKey } from "../../src/openpgp/secret/generate.ts";
import { about, subjects } from "../testkit/servers/about.ts";
import { tlsFile } from "../testkit/servers/misbehaving-server.ts";
import {
  type RealServer,
  skipWithoutServers,
  startOnak,
  startSks,
  startTlsFront,
} from "../testkit/servers/real-servers.ts";

const transport = createTransport({ ca: tlsFile("ca.pem"), env: {} });
const options = { transport };
const kind = "PUBLIC KEY BLOCK";

function newKey(email: string, algorithm: "ed25519" | "p256" | "ed25519-v6" = "ed25519"): Promise<NewKey> {
  return generate({ userId: `Feed Archive <${email}>`, algorithm, at: Date.now() - 60_000 });
}

function packetsOf(armored: string) {
  return dearmor(Buffer.from(armored), kind).flatMap((block) => [...readPackets(block)]);
}

/** The certificate with its revocation where it belongs: right after the primary key. */
function revoked(key: NewKey): string {
  const [primary, ...rest] = packetsOf(key.certificate);
  const packets = [...(primary === undefined ? [] : [primary]), ...packetsOf(key.revocations.compromised), ...rest];
  return armor(writePackets(packets), kind);
}

function revocationsIn(answer: Answer): number {
  const packets = answer.outcome === "found" ? answer.blocks.flatMap((block) => [...readPackets(block)]) : [];
  const signatures = packets.filter(({ tag }) => tag === tags.signature).map(({ body }) => parseSignature(body));
  return signatures.filter((signature) => typeof signature !== "string" && signature.type === 0x20).length;
}

/** Starts a server behind TLS before the tests of a suite; skips them where its programs are missing. */
function realServer(program: "onak" | "sks", start: () => Promise<RealServer>): () => URL {
  let server: RealServer | undefined;
  let front: RealServer | undefined;
  before(async function () {
    this.timeout(60_000);
    skipWithoutServers(this, program);
    server = await start();
    front = await startTlsFront(server);
  });
  after(async () => {
    await front?.stop();
    await server?.stop();
  });
  return () => new URL(`hkps://localhost:${front?.port}`);
}

after(() => transport.close());

for (const [program, start, notFound] of [
  ["onak", startOnak, '"Key not found"'],
  ["sks", startSks, "status 404"],
] as const) {
  describe(`a real ${program} behind TLS`, () => {
    const address = realServer(program, start);
    const ask = (fingerprint: string) => lookup(address(), fingerprint, about(fingerprint), options);

    it("gives back what was sent", async () => {
      const key = await newKey("round-trip@feed.example");
      expect(await ask(key.fingerprint)).to.deep.equal({ outcome: "absent", how: notFound });
      expect(await submit(address(), key.certificate, options)).to.deep.equal({ ok: true });
      const answer = await ask(key.fingerprint);
      expect(answer.outcome === "found" && answer.blocks.flatMap(subjects)).to.deep.equal([key.fingerprint]);
    });

    it("finds all keys of an address", async () => {
      const keys = [await newKey("several@feed.example"), await newKey("several@feed.example", "p256")];
      for (const key of keys) await submit(address(), key.certificate, options);
      const answer = await search(address(), "several@feed.example", options);
      const found = answer.outcome === "found" ? answer.blocks.flatMap(subjects) : [];
      expect(found).to.have.members(keys.map((key) => key.fingerprint));
      expect(await search(address(), "nobody@feed.example", options)).to.deep.equal({
        outcome: "absent",
        how: notFound,
      });
    });

    it("merges a revocation into the key that it has", async () => {
      const key = await newKey("revoked@feed.example");
      await submit(address(), key.certificate, options);
      expect(revocationsIn(await ask(key.fingerprint))).to.equal(0);
      expect(await submit(address(), revoked(key), options)).to.deep.equal({ ok: true });
      expect(revocationsIn(await ask(key.fingerprint))).to.equal(1);
    });

    it("says it took a bare revocation, and dropped it: only reading back tells", async () => {
      const key = await newKey("bare@feed.example");
      await submit(address(), key.certificate, options);
      expect((await submit(address(), key.revocations.compromised, options)).ok).to.equal(true);
      const answer = await ask(key.fingerprint);
      expect([answer.outcome, revocationsIn(answer)]).to.deep.equal(["found", 0]);
    });

    it("has no use for a version 6 key", async () => {
      const key = await newKey("v6@feed.example", "ed25519-v6");
      await submit(address(), key.certificate, options);
      const answer = await ask(key.fingerprint);
      expect(answer.outcome).to.be.oneOf(["absent", "unknown"]);
    });

    it("is unknown to whoever does not know its authority", async () => {
      const stranger = createTransport({ env: {} });
      const answer = await lookup(address(), "A".repeat(40), () => true, { transport: stranger });
      expect(answer.outcome === "unknown" && answer.error.details.reason).to.equal("tls");
      await stranger.close();
    });
  });
}

describe("a real sks that hides a key", () => {
  const address = realServer("sks", startSks);

  it("is unknown, not absent", async () => {
    // Version 4 with algorithm 27, which SKS stores and then filters away.
    const { privateKey } = await generateKey({
      type: "curve25519",
      userIDs: [{ email: "27@feed.example" }],
      format: "object",
    });
    const fingerprint = privateKey.getFingerprint().toUpperCase();
    await submit(address(), privateKey.toPublic().armor(), options);
    const answer = await lookup(address(), fingerprint, about(fingerprint), options);
    expect(answer.outcome === "unknown" && answer.error.details).to.include({ reason: "protocol", status: 200 });
  });
});

describe("a real onak and a real sks together", () => {
  const onak = realServer("onak", startOnak);
  const sks = realServer("sks", startSks);

  it("make up for what one of them lacks", async () => {
    const [both, one, none] = await Promise.all(["both", "one", "none"].map((name) => newKey(`${name}@feed.example`)));
    if (both === undefined || one === undefined || none === undefined) throw new Error("no keys");
    await submit(onak(), both.certificate, options);
    await submit(sks(), revoked(both), options);
    await submit(sks(), one.certificate, options);
    const fingerprints = [both, one, none].map((key) => key.fingerprint);
    const answers = await askAll([onak(), sks()], fingerprints, about, options);
    const rows = [...answers.values()].map((row) => row.map(({ answer }) => answer));
    expect(rows.map((row) => row.map(({ outcome }) => outcome))).to.deep.equal([
      ["found", "found"],
      ["absent", "found"],
      ["absent", "absent"],
    ]);
    const [first, second, third] = rows.map(united);
    expect([first, second, third].map((answer) => answer?.outcome)).to.deep.equal(["found", "found", "absent"]);
    expect(first && revocationsIn(first)).to.equal(1);
  });
});
