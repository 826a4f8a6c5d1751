// Attack: something in one source's answer that ends in an error nobody foresaw. The other sources must be heard all the same.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { loadProfile } from "../../src/client/profiles/load-profile.ts";
import { lookup } from "../../src/keyserver/hkp.ts";
import { createTransport } from "../../src/net/transport.ts";
import type { Transport } from "../../src/net/types.ts";
import { refresh } from "../../src/refresh/refresh.ts";
import { Session } from "../../src/refresh/session.ts";
import { takeIn } from "../../src/refresh/sources.ts";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";

/** A transport on which an error as of a list too long for the stack lies in wait. */
function failing(real: Transport, isBad: (url: URL) => boolean): Transport {
  const get: Transport["get"] = async (url, options) => {
    if (isBad(url)) throw new RangeError("Maximum call stack size exceeded");
    return await real.get(url, options);
  };
  return { ...real, get };
}

/** Refreshes over such a transport. */
async function refreshed(archive: TestArchive, isBad: (url: URL) => boolean) {
  const real = createTransport({ env: {} });
  const told = { warnings: [] as string[], notes: [] as string[] };
  const session = await Session.open({
    profile: await loadProfile(archive.profile),
    stateFolder: archive.state,
    at: published + 3 * hour,
    offline: false,
    transport: failing(real, isBad),
    keyserverTransport: failing(real, isBad),
    reporter: {
      warn: (text) => told.warnings.push(text),
      note: (text) => told.notes.push(text),
      progress: () => ({ update: () => undefined, stop: () => undefined }),
    },
  });
  try {
    const { trust } = await refresh(session);
    return { ...told, code: trust.rejected.get(archive.key)?.code };
  } finally {
    await real.close();
  }
}

describe("attack: one source ends in an error that nobody foresaw", () => {
  for (const [which, isBad] of [
    ["the first mirror", (url: URL) => url.protocol === "http:"],
    ["the second mirror", (url: URL) => url.protocol === "file:"],
  ] as const) {
    it(`${which}: the other one's revocation is heard`, async () => {
      await inArchive(async (archive) => {
        const keyring = join(archive.folder, "seed.pgp");
        await fs.copyFile(join(archive.home, "certs", `${archive.key}.asc`), keyring);
        await archive.writeProfile({ keyring, mirrors: [`file://${archive.site}/`] });
        const args = ["revoke", archive.key, "--reason", "compromised", "--force", "--config", archive.config];
        await runHere(archive.keeperArgs(published + 2 * hour, ...args));
        await archive.mirror.sync(archive.site);
        const { code, warnings, notes } = await refreshed(archive, isBad);
        expect(code).to.equal("revoked");
        expect(warnings.filter((text) => text.includes("key bundle could not be read"))).to.have.length(1);
        expect(notes.join("\n")).to.match(/RangeError.*\n +at /);
      });
    });
  }

  it("a key server: its answer is none, with the bug as its cause", async () => {
    const transport = failing(createTransport({ env: {} }), () => true);
    const answer = await lookup(new URL("hkps://localhost:1"), "A".repeat(40), () => true, { transport });
    if (answer.outcome !== "unknown") throw new Error(answer.outcome);
    expect(answer.error.code).to.equal("internal");
    expect(answer.error.cause).to.be.instanceOf(RangeError);
  });

  it("what one key server sent can't be taken in: what the other sent is, and that alone counts", () => {
    const [bad, good] = [Uint8Array.of(1), Uint8Array.of(2)];
    const heard: Uint8Array[] = [];
    const knowledge = {
      addBlocks: (blocks: readonly Uint8Array[]) => {
        if (blocks.includes(bad)) throw new RangeError("Maximum call stack size exceeded");
        heard.push(...blocks);
      },
    };
    const answers = [bad, good].map((block) => ({ outcome: "found", blocks: [block] }) as const);
    const taken = takeIn({ knowledge } as unknown as Session, answers);
    expect(taken.map(({ outcome }) => outcome)).to.deep.equal(["unknown", "found"]);
    expect(heard).to.deep.equal([good]);
  });
});
