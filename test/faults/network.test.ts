/**
 * Connections and servers that fail in the middle of a run: whatever the moment, the client then has the old state or the new
 * one, says why with a documented code, and the next run succeeds. What single answers lead to is in `test/cases/transport.test.ts`,
 * slow ones in `slow-mirror.test.ts`, wrong TLS certificates in `test/net/tls.test.ts`, key servers in `test/life/key-server.test.ts`.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type RunningServer, startServer } from "../../src/keyserver/server.ts";
import type { Profile } from "../../src/profile/types.ts";
import { type Fault, FaultyProxy } from "../testkit/servers/faulty-proxy.ts";
import { authority } from "../testkit/servers/key-servers.ts";
import { Mirror } from "../testkit/servers/mirror.ts";
import { plain, tlsFile } from "../testkit/servers/misbehaving-server.ts";
import { type Attempt, type Command, commands, Story } from "./story.ts";

/** Number of bytes from one cut of a run to the next; what a run loads is small. */
const step = { update: 512, fetch: 512, mirror: 1024 };
const numbers = (end: number) => Array.from({ length: end }, (_, i) => i);
const codesOf = (attempts: readonly Attempt[]) => [...new Set(attempts.map(({ code }) => code ?? "none"))].sort();

describe("faults of the network", function () {
  this.timeout(120_000);
  let story: Story;
  let open: RunningServer;
  let secure: RunningServer;
  before(async () => {
    story = await Story.make();
    open = await startServer({ root: story.new, port: 0 });
    const tls = { cert: tlsFile("good.pem"), key: tlsFile("good.key") };
    secure = await startServer({ root: story.new, port: 0, tls });
  });
  after(async () => {
    await open.close();
    await secure.close();
    await story.archive.remove();
  });

  /** One attempt through a proxy. @param budget bytes after which everything breaks */
  async function through(
    command: Command,
    scheme: "http" | "https",
    fault: Fault,
    budget = Number.POSITIVE_INFINITY,
  ): Promise<Attempt & { readonly bytes: number }> {
    const proxy = await FaultyProxy.start((scheme === "http" ? open : secure).port);
    try {
      proxy.fault = () => fault;
      proxy.budget = budget;
      const attempt = await story.attempt(command, `${scheme}://localhost:${proxy.port}/`, {
        change: (profile) => ({ ...profile, archive: { ...profile.archive, ca: authority } }),
      });
      if (command !== "fetch" && attempt.code === undefined) expect(attempt.state, "after a success").to.equal("new");
      return { ...attempt, bytes: proxy.bytes };
    } finally {
      await proxy.close();
    }
  }

  for (const command of commands) {
    for (const scheme of ["http", "https"] as const) {
      if (scheme === "https" && command !== "update") continue;
      it(`${command} over ${scheme}: everything breaks after so many bytes`, async () => {
        const { bytes, code } = await through(command, scheme, {});
        expect(code).to.equal(undefined);
        const cuts = numbers(Math.ceil(bytes / step[command]));
        expect(cuts.length).to.be.greaterThan(3);
        const attempts = await Promise.all(cuts.map((cut) => through(command, scheme, {}, cut * step[command])));
        // The bundle may be missing, and an index by a key that is only in there is then refused.
        expect(codesOf(attempts)).to.include("unavailable");
        for (const { code: found } of attempts) {
          expect(found).to.be.oneOf([undefined, "unavailable", "untrusted_signer"]);
        }
        expect(attempts[0]?.code, "after the first byte").to.equal("unavailable");
      });
    }
  }

  it("every connection breaks after so many kilobytes: packages are resumed, and come", async () => {
    const attempts = await Promise.all(
      commands.flatMap((command) => [1, 2, 3].map((cut) => through(command, "http", { cutAfter: cut * 1024 }))),
    );
    for (const { code } of attempts) expect(code).to.be.oneOf([undefined, "unavailable", "untrusted_signer"]);
  });

  it("bytes that come a few at a time: everything succeeds", async () => {
    for (const command of commands) {
      expect((await through(command, "http", { pieces: 7 })).code, command).to.equal(undefined);
    }
    expect((await through("update", "https", { pieces: 7 })).code).to.equal(undefined);
  });

  it("a byte of TLS that was changed, in the handshake or later: unavailable", async () => {
    const { bytes } = await through("update", "https", {});
    const attempts = await Promise.all(
      numbers(Math.floor(bytes / 1024)).map((place) => through("update", "https", { garble: place * 1024 + 9 })),
    );
    // Each connection has its handshake, and some end before that byte.
    for (const { code } of attempts) expect(code).to.be.oneOf([undefined, "unavailable", "untrusted_signer"]);
    expect(attempts[0]).to.include({ code: "unavailable", reason: "tls", state: "old" });
  });

  /** One attempt with a mirror of its own. */
  async function withMirror(
    command: Command,
    tree: string,
    prepare: (mirror: Mirror) => void | Promise<void>,
  ): Promise<Attempt & { readonly asked: number }> {
    const mirror = await Mirror.start(tree);
    try {
      await prepare(mirror);
      return { ...(await story.attempt(command, mirror.url)), asked: mirror.asked.length };
    } finally {
      await mirror.close();
    }
  }

  for (const command of commands) {
    it(`${command}: a storm of 5xx answers begins at any request, and goes on or is over at once`, async () => {
      const { asked } = await withMirror(command, story.new, () => undefined);
      const attempts = await Promise.all(
        numbers(asked).flatMap((first) =>
          (command === "mirror" ? [first % 2 === 0 ? 1 : Number.POSITIVE_INFINITY] : [1, Number.POSITIVE_INFINITY]).map(
            (length) =>
              withMirror(command, story.new, (mirror) => {
                const isIn = (request: number) => request >= first && request < first + length;
                mirror.disturb((_, request) => (isIn(request) ? plain(500 + (request % 5), "oops") : undefined));
              }),
          ),
        ),
      );
      expect(codesOf(attempts)).to.include("unavailable");
      for (const { code } of attempts) expect(code).to.be.oneOf([undefined, "unavailable", "untrusted_signer"]);
    });

    it(`${command}: the mirror gets the new state, or goes back to the old one, between any two requests`, async () => {
      const { asked } = await withMirror(command, story.new, () => undefined);
      const files = async (tree: string) => {
        const names = await fs.readdir(tree, { recursive: true, withFileTypes: true });
        const paths = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
        return new Map(
          await Promise.all(paths.map(async (path) => [path.slice(tree.length + 1), await fs.readFile(path)] as const)),
        );
      };
      const attempts = await Promise.all(
        (command === "mirror" ? [story.old] : [story.old, story.new]).flatMap((other) =>
          numbers(asked).map((first) =>
            withMirror(command, other === story.old ? story.new : story.old, async (mirror) => {
              const before = await files(other);
              const answer = (path: string) => {
                const bytes = before.get(path);
                return bytes === undefined ? plain(404, "not yet") : plain(200, bytes);
              };
              mirror.disturb((path, request) => (request < first ? answer(path) : undefined));
            }),
          ),
        ),
      );
      const codes = ["bad_signature", "bad_index", "untrusted_signer", "rollback", "unavailable", "digest_mismatch"];
      for (const { code } of attempts) expect(code).to.be.oneOf([undefined, ...codes]);
    });
  }

  it("a name that does not resolve: unavailable; with a mirror, everything succeeds; a key server's: no new key", async () => {
    // An empty label fails without asking a name server.
    const url = "http://a..example/";
    for (const command of commands) {
      expect(await story.attempt(command, url)).to.include({ code: "unavailable", reason: "dns", state: "old" });
      const mirrors = [`file://${story.new}/`];
      const change = (profile: Profile) => ({ ...profile, archive: { ...profile.archive, mirrors } });
      expect((await story.attempt(command, url, { change })).code, command).to.equal(undefined);
      const lost = (profile: Profile) => ({
        ...profile,
        trust: { ...profile.trust, keyservers: ["hkps://a..example"] },
      });
      const { code, state } = await story.attempt(command, `file://${story.new}/`, { change: lost });
      expect([code, state]).to.deep.equal(["unchecked_revocation", "old"]);
    }
  });

  it("update: any mixture of old and new files is refused, or is one of them", async () => {
    const names = ["Packages.gz", "Packages.sig", "Packages.asc"].map((name) => `feeds/base/${name}`);
    const files = [...names, "keys/archive-keyring.pgp"];
    const attempts = await Promise.all(
      numbers(2 ** files.length).map((mixture) =>
        withMirror("update", story.new, async (mirror) => {
          for (const [place, path] of files.entries()) {
            if ((mixture >> place) % 2 === 1) mirror.put(path, await fs.readFile(join(story.old, path)));
          }
        }),
      ),
    );
    for (const { code } of attempts) {
      expect(code).to.be.oneOf([undefined, "bad_signature", "bad_index", "untrusted_signer", "rollback"]);
    }
    expect(attempts[0]?.state).to.equal("new");
    expect(attempts.at(-1)).to.include({ code: undefined, state: "old" });
  });
});
