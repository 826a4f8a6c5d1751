// Key server, through the command line: what is withheld, by one server or by all.

import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeyring, writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import type { Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { acceptsWith, honest, unchecked, withKnownKey, withNewClient } from "../testkit/servers/key-server-run.ts";
import { keyAnswer, withLiars } from "../testkit/servers/key-servers.ts";
import { plain } from "../testkit/servers/misbehaving-server.ts";

const refused = (code: string) => ({ code, status: 1 });
const graceful = [/could not be checked/, /within the profile's grace/];

describe("cases: key server, all down", () => {
  it("a known key: used with a warning within grace, unchecked_revocation beyond", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client) => {
        await server.stop();
        await acceptsWith(client, day(2), ...graceful);
        await acceptsWith(client, day(14), ...graceful);
        await acceptsWith(client, day(15), ...graceful);
        // Using it does not lengthen the grace.
        await client.refuse(unchecked, day(15) + 1000, "update");
        await client.refuse(unchecked, day(16), "fetch", "alpha", "-o", join(client.state, "out"));
      });
    });
  });

  it("a known key and grace = 0: unchecked_revocation at once", async () => {
    await withLiars(async (server) => {
      const trust = ["grace = 0"];
      await withKnownKey(
        [server],
        async (client) => {
          await server.stop();
          await client.refuse(unchecked, day(1) + 1000, "update");
        },
        { trust },
      );
    });
  });

  it("a new seed: refused", async () => {
    await withLiars(async (server) => {
      await withNewClient([server], async (client, life) => {
        await client.refuse(unchecked, day(1), "--offline", "verify", life.archive.file("Packages"));
        await server.stop();
        await client.refuse(unchecked, day(1), "update");
      });
    });
  });

  it("a new successor of a known key: refused, though the bundle has it", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        const second = await life.rotate(day(2), "--at-once");
        await server.stop();
        await client.refuse(unchecked, day(3), "update");
        expect(await client.remembers()).to.deep.equal([life.first]);
        expect(second).to.not.equal(life.first);
      });
    });
  });

  it("--offline: a known key within grace is used, and nobody is asked", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        const before = server.requests.length;
        const index = life.archive.file("Packages");
        await client.accept(day(10), "--offline", "verify", index);
        await client.refuse(unchecked, day(16), "--offline", "verify", index);
        expect(server.requests.length).to.equal(before);
      });
    });
  });

  it("refresh says so with its exit status: unavailable", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client) => {
        await server.stop();
        await client.refuse({ code: "unavailable", status: 69 }, day(2), "refresh");
      });
    });
  });

  it("back again: a good check starts the grace anew", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        await acceptsWith(client, day(12));
        server.answer("", plain(500, ""));
        server.answer(life.first, plain(500, ""));
        await acceptsWith(client, day(26), ...graceful);
      });
    });
  });
});

describe("cases: key server, what is withheld", () => {
  it("404 for a known key: absent, not unknown; it was there before, so it warns", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        server.answer(life.first, plain(404, "not found"));
        const gone = /was on the key servers before, but is no longer there/;
        await acceptsWith(client, day(20), gone);
        const { document } = await client.run(day(21), "refresh");
        expect(document.checked).to.deep.equal({ [life.first]: "absent" });
        await acceptsWith(client, day(34), gone);
      });
    });
  });

  it("404 for a key that was never there: absent, no warning", async () => {
    await withLiars(async (server) => {
      await withNewClient([server], async (client, life) => {
        server.answer(life.first, plain(404, "not found"));
        await acceptsWith(client, day(1));
        await acceptsWith(client, day(40));
      });
    });
  });

  it("one hides the revocation that a second has: revoked", async () => {
    await withLiars(
      async (...servers) => {
        await withKnownKey(servers, async (client, life) => {
          const before = await honest(life, life.first);
          await life.revoke(day(5), life.first, "compromised", "--force");
          servers[1]?.answer(life.first, await honest(life, life.first));
          servers[0]?.answer(life.first, before);
          await client.refuse(refused("revoked"), day(6), "update");
        });
      },
      "good",
      "good",
    );
  });

  it("all hide it later: what was heard once is kept, and nobody needs to be asked", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        const before = await honest(life, life.first);
        await life.revoke(day(5), life.first, "compromised", "--force");
        server.answer(life.first, await honest(life, life.first));
        await client.refuse(refused("revoked"), day(6), "update");
        server.answer(life.first, before);
        await client.refuse(refused("revoked"), day(7), "update");
        await client.refuse(refused("revoked"), day(7), "--offline", "verify", life.archive.file("Packages"));
        await server.stop();
        await client.refuse(refused("revoked"), day(8), "update");
      });
    });
  });

  /** The certificate as a server gives it that drops what others said about it. */
  async function stripped({ archive }: Life, fingerprint: string): Promise<Uint8Array> {
    const [whole] = readKeys(await fs.readFile(join(archive.home, "certs", `${fingerprint}.asc`))).certificates;
    if (whole === undefined) throw new Error("no certificate");
    const userIds = whole.userIds.map((one) => ({ ...one, signatures: one.signatures.slice(0, 1) }));
    const bytes = writeCertificate({ ...whole, userIds });
    expect(readKeyring(bytes).certificates[0]?.userIds[0]?.signatures).to.have.length(1);
    return bytes;
  }

  it("strips certifications: the archive's bundle supplies them; without it the successor stands on nothing", async () => {
    await withLiars(async (server) => {
      await withKnownKey([server], async (client, life) => {
        const second = await life.rotate(day(2), "--at-once");
        server.answer(second, keyAnswer(await stripped(life, second)));
        server.answer("archive@example.org", keyAnswer(await stripped(life, second)));
        life.archive.mirror.drop("keys/archive-keyring.pgp");
        await client.refuse(refused("untrusted_signer"), day(3), "update");
        await life.sync();
        expect(await client.update(day(3))).to.deep.equal([second]);
      });
    });
  });
});
