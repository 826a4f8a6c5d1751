/** From a key server's answer to the verdict: each packet is read where it stands, once. */
import { expect } from "chai";
import { readAnswer } from "../../src/keyserver/answer.ts";
import { blocksIn } from "../../src/keyserver/ask-all.ts";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { isAbout } from "../../src/openpgp/certificate/is-about-key.ts";
import { Knowledge } from "../../src/refresh/certificate-pool.ts";
import { seededProfile } from "../attack/seeded-profile.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification } from "../testkit/signature.ts";

const [seed, next] = [ed25519Key("once-seed"), ed25519Key("once-next")];

/** Behind the octets of version, type, algorithms and length: whoever parses a signature cuts its hashed area there. */
const areaStart = 6;

/** Bytes that count how often the packet which begins somewhere in them is parsed. */
class Counting extends Uint8Array {
  static watched = -1;
  static parses = 0;

  override subarray(start?: number, end?: number) {
    if (start === areaStart && this.byteOffset === Counting.watched) Counting.parses += 1;
    return super.subarray(start, end);
  }
}

describe("a key server's answer", () => {
  it("is read once, and a certification in it parsed once, up to the verdict", async () => {
    const packet = certification({ by: seed, of: next, userId: archiveId, at: day(1) });
    const { bytes } = certificate({ key: next, certifiedBy: [packet] });
    const body = Counting.from(bytes) as Counting;
    Counting.watched = Buffer.from(bytes).indexOf(packet.body);
    expect(Counting.watched).to.be.greaterThan(0);
    const url = new URL("https://keys.example.org/");
    const held = certificate({ key: seed }).bytes;
    const knowledge = new Knowledge(seededProfile(seed), readKeyring(held).certificates);
    for (let turn = 0; turn < 2; turn++) {
      const answer = readAnswer(url, { status: 200, headers: {}, body } as never, isAbout(next.fingerprint));
      expect(answer.outcome).to.equal("found");
      knowledge.addBlocks(blocksIn([answer]));
      const { trust } = await knowledge.judge(day(10), new Set(), new Set());
      expect([...trust.trusted.keys()]).to.include(next.fingerprint);
    }
    expect(Counting.parses).to.equal(1);
  });
});
