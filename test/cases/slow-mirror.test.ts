// Transport: a mirror that answers slowly. It ends within a total time, the next mirror is used, and no lock is
// held while the network is waited for.
import { join } from "node:path";
import { expect } from "chai";
import { loadProfile } from "../../src/client/profiles/load-profile.ts";
import { type FeedOutcome, updateFeeds } from "../../src/client/update.ts";
import { acquireLock } from "../../src/files/lock.ts";
import { type NetLimits, netLimits, timeFor } from "../../src/net/limits.ts";
import { createTransport } from "../../src/net/transport.ts";
import { expectedBytes } from "../../src/refresh/download.ts";
import { refresh } from "../../src/refresh/refresh.ts";
import { Session } from "../../src/refresh/session.ts";
import { hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { Mirror } from "../testkit/servers/mirror.ts";
import { type Behaviour, drip, plain } from "../testkit/servers/misbehaving-server.ts";

const at = published + 2 * hour;
const head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
/** A few bytes every moment: faster than the slowest rate that these limits bear. */
const slow = drip(head, 20);
/** Nothing but the total time ends it. */
const patient: Partial<NetLimits> = {
  fileBase: 1000,
  fileRate: 1e9,
  idle: 60_000,
  headers: 60_000,
  slowWindow: 60_000,
};

interface Ran {
  readonly outcomes: readonly FeedOutcome[];
  readonly warnings: readonly string[];
}

/** The use case behind `update`, with limits of the test's own. */
async function update(archive: TestArchive, limits: Partial<NetLimits>): Promise<Ran> {
  const transport = createTransport({ limits, env: {} });
  const warnings: string[] = [];
  const session = await Session.open({
    profile: await loadProfile(archive.profile),
    stateFolder: archive.state,
    at,
    offline: false,
    transport,
    keyserverTransport: transport,
    reporter: {
      warn: (text) => warnings.push(text),
      note: () => undefined,
      progress: () => ({ update: () => {}, stop: () => {} }),
    },
  });
  try {
    const outcomes = await updateFeeds(session, await refresh(session), session.profile.feeds, { allowEmpty: false });
    return { outcomes, warnings };
  } finally {
    await transport.close();
  }
}

describe("cases: a slow mirror", function () {
  this.timeout(60_000);

  for (const path of ["Packages.gz", "Packages.sig", "Packages.asc"].map((name) => `feeds/base/${name}`)) {
    it(`${path}: given up after a total time, and the next mirror is used`, async () => {
      await inArchive(async (archive) => {
        const other = await Mirror.start(archive.site);
        try {
          other.behave(path, slow);
          await archive.writeProfile({ url: other.url, mirrors: [archive.mirror.url] });
          const { outcomes } = await update(archive, patient);
          expect(outcomes.map((one) => one.ok && one.source)).to.deep.equal([`${archive.mirror.url}feeds/base`]);
        } finally {
          await other.close();
        }
      });
    });
  }

  it("the only mirror: unavailable, and the last good one stays", async () => {
    await inUse(async (archive) => {
      archive.mirror.behave("feeds/base/Packages.gz", slow);
      const good = await archive.lastGood();
      const { outcomes } = await update(archive, patient);
      const [error] = outcomes.flatMap((one) => (one.ok ? [] : [one.error]));
      expect([error?.code, error?.details.reason]).to.deep.equal(["unavailable", "timeout"]);
      expect(await archive.lastGood()).to.equal(good);
    });
  });

  it("one that was too slow for one feed is tried last for the next", async () => {
    await inArchive(
      async (archive) => {
        const other = await Mirror.start(archive.site);
        try {
          for (const feed of ["base", "extra"]) other.behave(`feeds/${feed}/Packages.gz`, slow);
          await archive.writeProfile({ url: other.url, mirrors: [archive.mirror.url] });
          const { outcomes } = await update(archive, patient);
          expect(outcomes.map(({ ok }) => ok)).to.deep.equal([true, true]);
          expect(other.asked.filter((path) => path.endsWith(".gz"))).to.have.length(1);
        } finally {
          await other.close();
        }
      },
      { feeds: ["base", "extra"] },
    );
  });

  it("its bundle: given up, and the next mirror's is used", async () => {
    await inArchive(async (archive) => {
      const other = await Mirror.start(archive.site);
      try {
        other.behave("keys/archive-keyring.pgp", slow);
        await archive.writeProfile({ url: other.url, mirrors: [archive.mirror.url] });
        const { outcomes, warnings } = await update(archive, patient);
        expect(outcomes.map(({ ok }) => ok)).to.deep.equal([true]);
        expect(warnings.join()).to.match(/bundle could not be read.*no complete answer within/);
        expect(archive.mirror.asked).to.include("keys/archive-keyring.pgp");
      } finally {
        await other.close();
      }
    });
  });

  it("1,100 bytes a second end within minutes, a large first index within a quarter of an hour or so", () => {
    const minute = 60_000;
    expect(timeFor(expectedBytes.bundle, netLimits)).to.be.lessThan(3 * minute);
    expect(timeFor(expectedBytes.index, netLimits)).to.be.lessThan(20 * minute);
    expect(timeFor(100_000, netLimits)).to.be.lessThan(2 * minute);
  });

  it("no lock is held while bundle, index, signature or package are on their way", async () => {
    for (const [path, command] of [
      ["keys/archive-keyring.pgp", ["update"]],
      ["feeds/base/Packages.gz", ["update"]],
      ["feeds/base/Packages.sig", ["update"]],
      ["feeds/base/alpha_1.0-1_all.ipk", ["fetch", "alpha", "-o"]],
    ] as const) {
      await inUse(async (archive) => {
        let held: string | undefined;
        const free: Behaviour = (socket, request) => {
          void acquireLock(join(archive.state, "example"), { waitMs: 0 })
            .then(async (lock) => {
              held = "free";
              await lock.release();
            })
            .catch((error: { code: string }) => {
              held = error.code;
            })
            .finally(() => plain(404, "gone")(socket, request));
        };
        archive.mirror.behave(path, free);
        const args = command[0] === "fetch" ? [...command, archive.out] : command;
        await runHere(archive.clientArgs(at, ...args));
        expect(held, path).to.equal("free");
      });
    }
  });
});
