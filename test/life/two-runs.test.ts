// Two runs of one client at once: what one of them records while the other one waits for the network is neither lost, nor
// judged without.
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { createTransport } from "../../src/net/transport.ts";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { refresh } from "../../src/refresh/refresh.ts";
import { Session } from "../../src/refresh/session.ts";
import { seedOf, successorOf, withChain } from "../testkit/archives/chain.ts";
import type { Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { honest, withKnownKey } from "../testkit/servers/key-server-run.ts";
import { withLiars } from "../testkit/servers/key-servers.ts";
import { type Behaviour, plain } from "../testkit/servers/misbehaving-server.ts";

/** Does something before it answers for the first time. */
function onceBefore(meanwhile: () => Promise<void>, answer: Behaviour): Behaviour {
  let first: (() => Promise<void>) | undefined = meanwhile;
  return (socket, request) => {
    const before = first?.() ?? Promise.resolve();
    first = undefined;
    void before.then(() => answer(socket, request));
  };
}

const file = async ({ archive }: Life, name: string) => plain(200, await fs.readFile(archive.file(name)));

describe("two runs at once", function () {
  this.timeout(60_000);

  it("a revocation that another run hears of while the index is on its way: the index is refused", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        await life.publish(day(2));
        await life.sync();
        const bare = await fs.readFile(join(life.archive.home, "revocations", `${life.first}-compromised.asc`));
        const meanwhile = async () => {
          server.answer(life.first, plain(200, bare));
          await client.accept(day(3), "refresh");
          server.answer(life.first, plain(404, "not found"));
        };
        const name = "Packages.gz";
        life.archive.mirror.behave(`feeds/base/${name}`, onceBefore(meanwhile, await file(life, name)));
        await client.refuse({ code: "revoked", status: 1 }, day(3), "update");
        expect(await client.remembers()).to.deep.equal([]);
      });
    });
  });

  it("a newer index that another run accepts meanwhile: it stays, and the run that has the older one looks again", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        await life.publish(day(2));
        const names = ["Packages.gz", "Packages.sig", "Packages.asc"];
        const old = await Promise.all(names.map((name) => file(life, name)));
        await life.publish(day(3));
        await life.sync();
        let newest: string | undefined;
        const { mirror } = life.archive;
        // The last of the three that is asked for; from then on the mirror has the new ones.
        const meanwhile = async () => {
          await life.sync();
          await client.accept(day(4), "update");
          newest = await client.lastGood();
        };
        for (const [place, name] of names.entries()) {
          const answer = old[place] ?? plain(500, "");
          mirror.behave(`feeds/base/${name}`, name.endsWith(".asc") ? onceBefore(meanwhile, answer) : answer);
        }
        await client.accept(day(4), "update");
        expect(newest).to.be.a("string");
        expect(await client.lastGood()).to.equal(newest);
      });
    });
  });

  it("the same, and the mirror keeps the older one: rollback", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        await life.publish(day(2));
        const names = ["Packages.gz", "Packages.sig", "Packages.asc"];
        const old = await Promise.all(names.map((name) => file(life, name)));
        await life.publish(day(3));
        const { mirror } = life.archive;
        let newest: string | undefined;
        const serveOld = () => {
          for (const [place, name] of names.entries())
            mirror.behave(`feeds/base/${name}`, old[place] ?? plain(500, ""));
        };
        serveOld();
        const meanwhile = async () => {
          await life.sync();
          await client.accept(day(4), "update");
          newest = await client.lastGood();
          serveOld();
        };
        mirror.behave("feeds/base/Packages.asc", onceBefore(meanwhile, old[2] ?? plain(500, "")));
        const { status, document } = await client.run(day(4), "update");
        expect([status, document.error?.code]).to.deep.equal([1, "rollback"]);
        expect(await client.lastGood()).to.equal(newest);
      });
    });
  });

  it("each hears of another successor of one key: the first one recorded stays, its rival is refused", async () => {
    const seed = seedOf("two runs");
    const [rightful, rival] = ["rightful", "rival"].map((name) => successorOf([seed], `two runs ${name}`));
    if (rightful === undefined || rival === undefined) throw new Error("no successors");
    await withChain({ seeds: [seed] }, async (chain) => {
      const transport = createTransport({ offline: true });
      const bar = { update: () => undefined, stop: () => undefined };
      const open = () =>
        Session.open({
          profile: readProfile(readFileSync(chain.profile, "utf8"), chain.profile),
          stateFolder: join(chain.signatures.folder, "state"),
          at: day(20),
          offline: true,
          transport,
          keyserverTransport: transport,
          reporter: { warn: () => undefined, note: () => undefined, progress: () => bar },
        });
      const [one, other] = [await open(), await open()];
      one.knowledge.add(readKeyring(rightful.bytes));
      other.knowledge.add(readKeyring(rival.bytes));
      const accepted = [seed.fingerprint, rightful.fingerprint];
      expect([...(await refresh(one)).trust.trusted.keys()]).to.have.members(accepted);
      const late = (await refresh(other)).trust;
      expect([...late.trusted.keys()]).to.have.members(accepted);
      expect(late.rejected.get(rival.fingerprint)?.code).to.equal("fork");
      const next = await open();
      expect([...next.accepted]).to.have.members(accepted);
      expect([...next.knowledge.held.keys()], "what both heard").to.include.members([
        rightful.fingerprint,
        rival.fingerprint,
      ]);
    });
  });

  it("no lock is held while a key server is waited for", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        let other: unknown;
        const answer = await honest(life, life.first);
        server.answer(
          life.first,
          onceBefore(async () => {
            other = (await client.run(day(2), "verify", life.archive.file("Packages"))).status;
          }, answer),
        );
        await client.accept(day(2), "update");
        expect(other).to.equal(0);
      });
    });
  });
});
