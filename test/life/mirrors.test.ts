// T11, `keyservers = none`: the bundles of all mirrors are one source, so that none of them alone hides anything.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { seedOf, successorOf, withChain } from "../testkit/archives/chain.ts";
import { day } from "../testkit/dates.ts";
import { withLiars } from "../testkit/servers/key-servers.ts";
import { keyRevocation } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";

const seed = seedOf("mirrored");
const next = successorOf([seed], "mirrored next");
const revoked = successorOf([seed], "mirrored next", {
  signatures: [keyRevocation({ by: next.key, of: next.key, at: day(15), hashed: [reason(2)] })],
});

describe("mirrors' bundles", function () {
  this.timeout(60_000);

  it("without key servers: what one of them hides comes from another", async () => {
    for (const [bundle, mirror] of [
      [[next], [revoked]],
      [[revoked], [next]],
      [[], [revoked]],
    ] as const) {
      await withChain({ seeds: [seed], bundle, mirror }, async (chain) => {
        await chain.refuses(next, "revoked");
      });
    }
  });

  it("without key servers: one that fails is a warning, one that has none is nothing", async () => {
    await withChain({ seeds: [seed], bundle: [next], mirror: [] }, async (chain) => {
      await fs.rm(`${chain.signatures.folder}/mirror`, { recursive: true });
      await chain.accepts(next, [seed]);
      expect((await chain.chain()).warnings).to.deep.equal([]);
      const text = await fs.readFile(chain.profile, "utf8");
      await fs.writeFile(chain.profile, text.replace(/^mirrors = .*$/m, "mirrors = http://127.0.0.1:1/"));
      await chain.accepts(next, [seed]);
      const { warnings } = await chain.chain();
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/bundle could not be read: http:\/\/127\.0\.0\.1:1\//);
    });
  });

  it("with key servers the first bundle is enough", async () => {
    await withLiars(async (server) => {
      await withChain({ seeds: [seed], bundle: [next], mirror: [revoked], servers: [server.url] }, async (chain) => {
        await chain.accepts(next, [seed]);
      });
    });
  });
});
