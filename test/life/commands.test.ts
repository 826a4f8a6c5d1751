// The commands around a key's life that are no step of it: send, receive, refresh, status, key, keygen, serve.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { bundlePath } from "../../src/profile/layout.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, runHere, runProcess } from "../testkit/programs/command-line.ts";
import { authority, withEmbedded, withLiars } from "../testkit/servers/key-servers.ts";
import { plain } from "../testkit/servers/misbehaving-server.ts";

const refused = (code: string, status = 1) => ({ code, status });

describe("commands: send and receive", () => {
  it("send reads back, and says which server dropped what", async () => {
    await withEmbedded(async (good) => {
      await withLiars(async (liar) => {
        await inLife(
          async (life) => {
            const ended = await runHere(
              life.archive.keeperArgs(day(1), "send", life.first, "--config", life.archive.config),
            );
            const { error, sent } = documentOf(ended);
            expect({ status: ended.status, code: error?.code }).to.deep.equal({ status: 69, code: "unavailable" });
            expect(sent).to.deep.equal([
              { server: good.url, fingerprint: life.first, ok: true },
              { server: liar.url, fingerprint: life.first, ok: false },
            ]);
          },
          { servers: [good.url, liar.url] },
        );
      });
    });
  });

  it("a server that keeps the key and loses what was new in it: not sent", async () => {
    await withLiars(async (liar) => {
      await inLife(
        async (life) => {
          liar.accept();
          const before = await fs.readFile(join(life.archive.home, "certs", `${life.first}.asc`));
          liar.answer(life.first, plain(200, before));
          await life.keep(day(1), "send", life.first, "--config", life.archive.config);
          await life.keep(day(2), "revoke", life.first, "--reason", "retired", "--force");
          const { error } = await life.archive.refuseKeeper(
            refused("unavailable", 69),
            day(2),
            ...["send", life.first, "--config", life.archive.config],
          );
          expect(error?.message).to.contain("revocation of 2026-01-03");
        },
        { servers: [liar.url] },
      );
    });
  });

  it("send without a server, or of a key that is not here: refused", async () => {
    await inLife(async (life) => {
      await life.archive.refuseKeeper(refused("usage", 2), day(1), "send", life.first);
      const other = "0123456789ABCDEF0123456789ABCDEF01234567";
      const server = ["--keyserver", "hkps://localhost:1"];
      await life.archive.refuseKeeper(refused("not_found", 66), day(1), "send", other, ...server);
      await life.archive.refuseKeeper(refused("usage", 2), day(1), "send", life.first.slice(-16), ...server);
    });
  });

  it("receive takes what a server has into the key store, and nothing that was not verified", async () => {
    await withEmbedded(async ({ url }) => {
      await inLife(
        async (life) => {
          await life.keep(day(1), "send", life.first, "--config", life.archive.config);
          const home = join(life.archive.folder, "elsewhere");
          const args = [
            "--home",
            home,
            "--json",
            "receive",
            life.first,
            "--keyserver",
            url,
            "--keyserver-ca",
            authority,
          ];
          const { received } = documentOf(await runHere(args));
          expect(received).to.deep.equal([life.first]);
          const [there, here] = await Promise.all(
            [home, life.archive.home].map((one) => runHere(["--home", one, "--json", "key", "export", life.first])),
          );
          expect(there && documentOf(there).armored).to.equal(here && documentOf(here).armored);
          expect(await fs.readdir(home)).to.not.include("private");
        },
        { servers: [url] },
      );
    });
  });

  it("receive tells what no server has from what none could tell", async () => {
    await withLiars(async (server) => {
      await inLife(async (life) => {
        const command = ["receive", life.first, "--keyserver", server.url, "--keyserver-ca", authority];
        await life.archive.refuseKeeper(refused("not_found", 66), day(1), ...command);
        server.answer("", plain(500, "no"));
        await life.archive.refuseKeeper(refused("unavailable", 69), day(1), ...command);
      });
    });
  });
});

describe("commands: refresh and status", () => {
  it("refresh says what came, what went, and what each server said", async () => {
    await withEmbedded(async ({ url }) => {
      await inLife(
        async (life) => {
          await life.keep(day(1), "send", life.first, "--config", life.archive.config);
          const client = await life.client("one");
          const begin = await client.accept(day(1), "refresh");
          expect(begin).to.deep.include({ added: [life.first], dropped: [], checked: { [life.first]: "found" } });
          const second = await life.rotate(day(2));
          expect(await client.accept(day(3), "refresh")).to.deep.include({ added: [second], dropped: [] });
          await life.revoke(day(4), second, "compromised", "--force");
          expect(await client.accept(day(5), "refresh")).to.deep.include({ added: [], dropped: [second] });
        },
        { servers: [url] },
      );
    });
  });

  it("status tells age, expiry and last check, asks nobody and changes nothing", async () => {
    await withEmbedded(async (server) => {
      await inLife(
        async (life) => {
          const client = await life.client("one");
          await client.update(day(1));
          await server.stop();
          const before = await life.archive.everything();
          const { feeds, keys, warnings } = await client.accept(day(360), "status");
          expect(feeds).to.have.nested.property("[0].signers").that.deep.equals([life.first]);
          expect(keys).to.have.nested.property("[0].lastCheckAt", "2026-01-02T12:00:00Z");
          expect(keys).to.have.nested.property("[0].expiresAt", "2027-01-01T12:00:00Z");
          expect(String(warnings)).to.match(/no known key may sign/);
          expect(await life.archive.everything()).to.deep.equal(before);
        },
        { servers: [server.url], keygen: ["--expires", "365d"] },
      );
    });
  });
});

/** A key store copied away and brought back elsewhere. */
async function restored(life: Life): Promise<string> {
  const backup = join(life.archive.folder, "backup");
  const home = join(life.archive.folder, "restored");
  await life.keep(day(1), "key", "backup", backup);
  const document = documentOf(await runHere(["--home", home, "--json", "key", "restore", backup]));
  expect(document).to.deep.include({ ok: true, restored: [life.first], kept: [] });
  return home;
}

describe("commands: key and keygen", () => {
  it("key list tells each key's state", async () => {
    await inLife(async (life) => {
      const second = await life.rotate(day(2), "--at-once");
      await life.revoke(day(3), life.first, "superseded", "--force");
      const { keys } = await life.keep(day(4), "key", "list");
      const states = (keys as { fingerprint: string; state: string; secret: boolean }[]).map((key) => [
        key.fingerprint,
        key.secret,
        key.state,
      ]);
      expect(states).to.have.deep.members([
        [life.first, true, "the key is revoked as superseded"],
        [second, true, "in force"],
      ]);
    });
  });

  it("key backup and restore: the restored store signs and revokes", async () => {
    await inLife(async (life) => {
      const home = await restored(life);
      const at = ["--home", home, "--json", "--at", "2026-01-05T12:00:00Z"];
      expect((await runHere([...at, "publish", "--config", life.archive.config])).status).to.equal(0);
      const revoke = ["revoke", life.first, "--reason", "compromised", "--force", "--config", life.archive.config];
      expect((await runHere([...at, ...revoke])).status).to.equal(0);
      await life.sync();
      await (await life.client("one")).refuse(refused("revoked"), day(5), "update");
      const again = documentOf(await runHere(["--home", home, "--json", "key", "restore", `${home}/../backup`]));
      expect(again).to.deep.include({ restored: [], kept: [life.first] });
    });
  });

  it("keygen --offline-primary: the machine signs, and only the carried-away key certifies and revokes", async () => {
    await inLife(async (life) => {
      const { archive } = life;
      const away = join(archive.folder, "away");
      const keygen = ["keygen", "--user-id", archiveUserId, "--offline-primary", away];
      const key = String((await life.keep(day(1), ...keygen)).fingerprint);
      await life.configure(key);
      await life.publish(day(2));
      const client = await life.client("one", { seeds: [key] });
      const document = await client.accept(day(2), "update");
      const { certificate, signingKey } =
        (document.feeds as { signatures: Record<string, string>[] }[])[0]?.signatures[0] ?? {};
      expect(certificate).to.equal(key);
      expect(signingKey).to.not.equal(key);
      const rotate = ["rotate", "--config", archive.config, "--force"];
      await archive.refuseKeeper(refused("bad_config", 78), day(3), ...rotate);
      const retire = ["revoke", key, "--reason", "retired", "--force"];
      await archive.refuseKeeper(refused("bad_config", 78), day(3), ...retire);
      // The key on the stick knows nothing of the archive's first one.
      const there = ["--home", away, "--json", "--at", "2026-01-04T12:00:00Z"];
      expect(documentOf(await runHere([...there, ...rotate])).error?.code).to.equal("bad_config");
      expect(await fs.readdir(join(away, "certs"))).to.deep.equal([`${key}.asc`]);
      await runHere([...there, "key", "import", join(archive.site, bundlePath)]);
      const elsewhere = await runHere([...there, ...rotate]);
      expect(elsewhere.status, elsewhere.stdout).to.equal(0);
      const successor = String(documentOf(elsewhere).successor);
      await life.sync();
      expect((await client.chain(day(4))).trusted.get(successor)?.via).to.deep.equal([key]);
    });
  });
});

describe("commands: serve --keyserver", function () {
  this.timeout(30_000);

  /** Starts the program and waits until it says where it serves. */
  async function started(folder: string, ...args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
    const tls = ["--tls-cert", "test/vectors/tls/good.pem", "--tls-key", "test/vectors/tls/good.key"];
    const command = ["bin/feedkey.js", "--verbose", "serve", folder, "--port", "0", ...tls, ...args];
    const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "pipe"] });
    for await (const line of createInterface({ input: child.stderr })) {
      const port = /https:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1];
      if (port !== undefined) return { child, url: `localhost:${port}` };
    }
    throw new Error("it does not say where it serves");
  }

  async function ended(child: ChildProcess): Promise<number | null> {
    child.kill("SIGTERM");
    const [status] = await once(child, "exit");
    return status as number | null;
  }

  it("serves an archive and keeps its keys from one run to the next", async () => {
    await inLife(async (life) => {
      const keys = join(life.archive.folder, "keys");
      const first = await started(life.archive.site, "--keyserver", keys);
      const servers = ["--keyserver", `hkps://${first.url}`, "--keyserver-ca", authority];
      await life.keep(day(1), "send", life.first, ...servers);
      expect(await ended(first.child)).to.equal(0);
      const second = await started(life.archive.site, "--keyserver", keys);
      try {
        const client = await life.client("one", { servers: [`hkps://${second.url}`] });
        await client.reprofile((text) => {
          return text.replace(/^url = .*$/m, `url = https://${second.url}/\nca = ${authority}`);
        });
        const { checked } = await client.accept(day(2), "refresh");
        expect(checked).to.deep.equal({ [life.first]: "found" });
        expect(await client.update(day(2))).to.deep.equal([life.first]);
      } finally {
        expect(await ended(second.child)).to.equal(0);
      }
    });
  });

  it("a folder that is not there, and TLS by halves: refused", async () => {
    for (const [args, status] of [
      [["serve", "/nonexistent/folder"], 66],
      [["serve", "test", "--tls-cert", "test/vectors/tls/good.pem"], 2],
      [["serve", "test", "--port", "70000"], 2],
    ] as const) {
      expect((await runProcess(["--json", ...args])).status).to.equal(status);
    }
  });
});
