/** `keygen --offline-primary`: the key that certifies leaves the house, and real gpg sees what stayed. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { hour, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, type JsonDocument, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { GnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";
import { snapshot } from "../testkit/snapshot.ts";

const userId = "Example Archive Signing Key <archive@example.org>";

/** One line of `gpg --with-colons`, as far as these tests look at it. */
interface Row {
  readonly kind: string;
  readonly expires: string;
  readonly capabilities: string;
  /** `+`: the secret is there, `#`: it is not. */
  readonly secret: string;
}

describe("keygen --offline-primary", function () {
  this.timeout(60_000);
  let folder: string;
  const home = () => join(folder, "home");
  const offline = () => join(folder, "stick");

  before(needing("gpg", "gpgv"));

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-offline-"));
  });

  afterEach(() => fs.rm(folder, { recursive: true }));

  async function at(
    store: string,
    ...args: readonly string[]
  ): Promise<{ status: number | null; document: JsonDocument }> {
    const ended = await runHere(["--home", store, "--json", ...args]);
    return { status: ended.status, document: documentOf(ended) };
  }

  async function keygen(...args: readonly string[]): Promise<string> {
    const { status, document } = await at(
      home(),
      "keygen",
      "--user-id",
      userId,
      "--offline-primary",
      offline(),
      ...args,
    );
    expect(status, document.error?.message).to.equal(0);
    return String(document.fingerprint);
  }

  async function refuses(
    code: string,
    status: number,
    store: string,
    ...args: readonly string[]
  ): Promise<JsonDocument> {
    const { status: got, document } = await at(store, ...args);
    expect({ code: document.error?.code, status: got }, document.error?.message).to.deep.equal({ code, status });
    return document;
  }

  /** A keyring with the certificate as it was shipped. */
  async function seedOf(archive: TestArchive, key: string): Promise<string> {
    const keyring = join(folder, "seed.asc");
    await fs.copyFile(join(archive.home, "certs", `${key}.asc`), keyring);
    return keyring;
  }

  const private_ = (store: string, key: string) => join(store, "private", `${key}.asc`);

  /** What gpg makes of the secret key file of a store. */
  async function seenByGpg(store: string, key: string, ...args: readonly string[]): Promise<Row[]> {
    const gpg = await GnupgHome.make();
    try {
      await gpg.run(...args, "--import", private_(store, key));
      const listed = await gpg.run("--with-colons", "--list-secret-keys");
      return listed
        .split("\n")
        .filter((line) => /^(sec|ssb):/.test(line))
        .map((line) => line.split(":"))
        .map(([kind = "", , , , , , expires = "", , , , , capabilities = "", , , secret = ""]) => {
          return { kind, expires, capabilities: capabilities.replace(/[A-Z]/g, ""), secret };
        });
    } finally {
      await gpg.remove();
    }
  }

  for (const algorithm of ["ed25519", "p256", "rsa3072"]) {
    it(`${algorithm}: the primary only certifies and is gone from here, the subkey only signs`, async () => {
      const key = await keygen("--algorithm", algorithm, "--expires", "1y");
      const [primary, subkey, ...others] = await seenByGpg(home(), key);
      expect(others).to.deep.equal([]);
      expect([primary?.kind, primary?.capabilities, primary?.secret]).to.deep.equal(["sec", "c", "#"]);
      expect([subkey?.kind, subkey?.capabilities, subkey?.secret]).to.deep.equal(["ssb", "s", "+"]);
      expect(subkey?.expires).to.equal(primary?.expires).and.not.equal("");
      const whole = await seenByGpg(offline(), key);
      expect(whole.map(({ secret }) => secret)).to.deep.equal(["+", "+"]);
      // Both stores have the same certificate and the same papers for the safe.
      for (const part of ["certs", "revocations"]) {
        const [here, there] = [await snapshot(join(home(), part)), await snapshot(join(offline(), part))];
        expect(Object.values(here)).to.deep.equal(Object.values(there));
      }
    });
  }

  it("what stays signs, and gpgv accepts it", async () => {
    const key = await keygen();
    const index = join(folder, "index");
    await fs.writeFile(index, "Package: a\nVersion: 1\n");
    expect((await at(home(), "sign", index, "--key", key)).status).to.equal(0);
    const ring = join(folder, "ring");
    const gpg = await GnupgHome.make();
    try {
      await gpg.run("--import", join(home(), "certs", `${key}.asc`));
      await gpg.run("--output", ring, "--export", key);
    } finally {
      await gpg.remove();
    }
    const verified = await runProgram("gpgv", ["--keyring", ring, `${index}.sig`, index]);
    expect(verified.status, verified.stderr).to.equal(0);
  });

  it("what stays can neither rotate nor take the key out of service softly; the whole key can", async () => {
    const key = await keygen();
    const archive = await TestArchive.make();
    try {
      const config = join(folder, "archive.ini");
      const text = (await fs.readFile(archive.config, "utf8")).replace(archive.key, key);
      await fs.writeFile(config, text);
      // What the kit published was another archive's.
      await fs.rm(join(archive.site, "keys"), { recursive: true });
      const before = await snapshot(home());
      const rotating = ["rotate", "--config", config, "--backup", join(folder, "safe")];
      const { error } = await refuses("bad_config", 78, home(), ...rotating);
      expect(error?.message).to.equal(`this key store does not have the secret of the primary key ${key}`);
      const soft = ["revoke", key, "--reason", "superseded", "--force"];
      await refuses("bad_config", 78, home(), ...soft);
      expect(await snapshot(home()), "nothing was made").to.deep.equal(before);
      const { status, document } = await at(offline(), ...rotating);
      expect(status, document.error?.message).to.equal(0);
      expect((await at(offline(), ...soft)).status).to.equal(0);
    } finally {
      await archive.remove();
    }
  });

  it("what stays can still call out that it was stolen", async () => {
    const key = await keygen();
    expect((await at(home(), "revoke", key, "--reason", "compromised", "--force")).status).to.equal(0);
    const gpg = await GnupgHome.make();
    try {
      await gpg.run("--import", join(home(), "certs", `${key}.asc`));
      expect(await gpg.run("--with-colons", "--list-keys")).to.match(/^pub:r:/m);
    } finally {
      await gpg.remove();
    }
  });

  it("both parts are locked with one passphrase", async () => {
    const file = join(folder, "passphrase");
    await fs.writeFile(file, "correct horse\n", { mode: 0o600 });
    const given = ["--passphrase-file", file];
    const key = await keygen(...given);
    const index = join(folder, "index");
    await fs.writeFile(index, "Package: a\nVersion: 1\n");
    await refuses("bad_config", 78, home(), "sign", index, "--key", key);
    expect((await at(home(), "sign", index, "--key", key, ...given)).status).to.equal(0);
    await refuses("bad_config", 78, offline(), "revoke", key, "--reason", "retired", "--force");
    expect((await at(offline(), "revoke", key, "--reason", "retired", "--force", ...given)).status).to.equal(0);
    const loopback = ["--pinentry-mode", "loopback", "--passphrase", "correct horse"];
    expect((await seenByGpg(home(), key, ...loopback)).map(({ secret }) => secret)).to.deep.equal(["#", "+"]);
  });

  it("a client follows an archive that such a key signs", async () => {
    const archive = await TestArchive.make();
    try {
      const date = ["--at", new Date(Date.UTC(2026, 0, 2)).toISOString()];
      const made = await at(archive.home, ...date, "keygen", "--user-id", userId, "--offline-primary", offline());
      const key = String(made.document.fingerprint);
      await archive.writeConfig(key);
      await archive.addPackage("gamma");
      await archive.writeProfile({ seeds: [key] });
      const published = Date.UTC(2026, 0, 11, 12);
      await archive.publish(published);
      const { feeds } = await archive.accept(published + hour, "update");
      const signer = JSON.stringify(feeds);
      expect(signer).to.include(`"certificate":"${key}"`).and.not.include(`"signingKey":"${key}"`);
    } finally {
      await archive.remove();
    }
  });

  const subkeysOf = async (store: string, key: string): Promise<string[]> => {
    const gpg = await GnupgHome.make();
    try {
      await gpg.run("--import", join(store, "certs", `${key}.asc`));
      const listed = await gpg.run("--with-colons", "--list-keys");
      return [...listed.matchAll(/^fpr:+([0-9A-F]{40}):/gm)]
        .map(([, found]) => String(found))
        .filter((one) => one !== key);
    } finally {
      await gpg.remove();
    }
  };

  /** Whether gpg calls a subkey revoked. */
  const isRevoked = async (store: string, key: string, subkey: string): Promise<boolean> => {
    const gpg = await GnupgHome.make();
    try {
      await gpg.run("--import", join(store, "certs", `${key}.asc`));
      const listed = await gpg.run("--with-colons", "--list-keys");
      return new RegExp(`^sub:r:[^\\n]*:${subkey.slice(-16)}:`, "m").test(listed);
    } finally {
      await gpg.remove();
    }
  };

  for (const locked of [false, true]) {
    it(`gives the machine another subkey and takes the stolen one back${locked ? ", locked" : ""}`, async () => {
      const given = locked ? ["--passphrase-file", join(folder, "passphrase")] : [];
      await fs.writeFile(join(folder, "passphrase"), "correct horse\n", { mode: 0o600 });
      const archive = await TestArchive.make();
      try {
        const since = (days: number) => new Date(Date.UTC(2026, 0, 12 + days)).toISOString();
        const dated = async (store: string, days: number, ...args: readonly string[]) => {
          const { status, document } = await at(store, "--at", since(days), ...args, ...given);
          expect(status, document.error?.message).to.equal(0);
          await archive.mirror.sync(archive.site);
          return document;
        };
        const made = await dated(archive.home, 0, "keygen", "--user-id", userId, "--offline-primary", offline());
        const key = String(made.fingerprint);
        const [stolen = ""] = await subkeysOf(archive.home, key);
        await archive.writeConfig(key);
        await archive.addPackage("gamma");
        await archive.writeProfile({ seeds: [key] });
        const config = join(archive.folder, "archive.ini");
        await dated(archive.home, 1, "publish", "--config", config);
        await archive.accept(Date.parse(since(1)) + hour, "update");
        const file = join(folder, "for-the-machine.asc");
        // At home, without the primary key, neither can be done.
        await refuses("bad_config", 78, archive.home, "key", "subkey", "add", key, "-o", file, ...given);
        await refuses("bad_config", 78, archive.home, "revoke", stolen, "--reason", "compromised", ...given);
        const added = await dated(offline(), 2, "key", "subkey", "add", key, "-o", file);
        expect((await fs.stat(file)).mode & 0o777).to.equal(0o600);
        await dated(offline(), 2, "revoke", stolen, "--reason", "compromised");
        expect(await isRevoked(offline(), key, stolen)).to.equal(true);
        expect(await isRevoked(offline(), key, String(added.subkey))).to.equal(false);
        const exported = join(folder, "certificate.asc");
        await fs.copyFile(join(offline(), "certs", `${key}.asc`), exported);
        const { changes } = await dated(archive.home, 3, "key", "import", file, exported, "--config", config);
        expect((changes as { kind: string; key: string }[]).map(({ kind, key: about }) => [kind, about])).to.deep.equal(
          [
            ["subkey", added.subkey],
            ["subkey-revocation", stolen],
          ],
        );
        const refused = documentOf(await runHere(archive.clientArgs(Date.parse(since(3)) + hour, "update")));
        expect(refused.error?.code).to.equal("revoked");
        await dated(archive.home, 4, "publish", "--config", config);
        const { feeds } = await archive.accept(Date.parse(since(4)) + hour, "update");
        expect(JSON.stringify(feeds)).to.include(`"signingKey":"${added.subkey}"`);
      } finally {
        await archive.remove();
      }
    });
  }

  it("rotates with the primary key away: the stick certifies, the machine goes on with a subkey of the successor", async () => {
    const archive = await TestArchive.make();
    const stick = { home: offline(), config: join(folder, "stick.ini") };
    const machine = { home: archive.home, config: archive.config };
    try {
      const days = 86_400_000;
      const start = Date.UTC(2026, 0, 12);
      const dated = async (place: typeof stick, day: number, ...args: readonly string[]) => {
        const config = args.includes("--config") ? [place.config] : [];
        const { status, document } = await at(place.home, "--at", iso(start + day * days), ...args, ...config);
        expect(status, document.error?.message).to.equal(0);
        await archive.mirror.sync(archive.site);
        return document;
      };
      const made = await dated(machine, 0, "keygen", "--user-id", userId, "--offline-primary", stick.home);
      const first = String(made.fingerprint);
      await archive.writeConfig(first);
      await archive.writeProfile({ seeds: [first], keyring: await seedOf(archive, first) });
      await dated(machine, 1, "publish", "--config");
      await archive.accept(start + days + hour, "update");

      // On the stick: its archive.ini needs no feed, and no published tree.
      await fs.mkdir(join(folder, "handed"));
      const lines = ["[archive]", `root = ${join(folder, "handed")}`, `user-id = ${userId}`, `key = ${first}`];
      await fs.writeFile(stick.config, `${lines.join("\n")}\n`);
      const begun = await dated(stick, 10, "rotate", "--backup", join(folder, "safe"), "--config");
      const second = String(begun.successor);
      const [primary, subkey] = await seenByGpg(stick.home, second);
      expect([primary?.capabilities, subkey?.capabilities]).to.deep.equal(["c", "s"]);
      const output = join(folder, "for-the-machine.asc");
      await dated(stick, 10, "key", "export", "--secret-subkeys", second, "-o", output);

      const waiting = await dated(machine, 10, "rotate", "--status", "--config");
      expect(waiting.successor).to.equal(null);
      await dated(machine, 11, "key", "import", output, "--config");
      expect((await seenByGpg(machine.home, second)).map(({ secret }) => secret)).to.deep.equal(["#", "+"]);
      const status = await dated(machine, 11, "rotate", "--status", "--config");
      expect(status).to.include({ present: first, successor: second, successorHere: true });
      await dated(machine, 12, "publish", "--config");
      await archive.accept(start + 12 * days + hour, "update");
      await dated(machine, 44, "publish", "--config");
      await dated(machine, 45, "rotate", "--finish", "--config");
      await dated(machine, 46, "publish", "--config");
      const { feeds } = await archive.accept(start + 46 * days + hour, "update");
      expect(JSON.stringify(feeds)).to.include(`"certificate":"${second}"`);
      // The stick's own file follows, and a client that is new by then finds its way from the old seed.
      const done = await dated(stick, 46, "rotate", "--finish", "--config");
      expect(JSON.stringify(done.done)).to.include("archive.ini has no feed to sign");
      expect(await fs.readFile(stick.config, "utf8")).to.include(`key = ${second}`);
      await fs.rm(archive.state, { recursive: true });
      await archive.accept(start + 46 * days + hour, "update");
      // The next one goes the same way.
      const third = await dated(stick, 400, "rotate", "--backup", join(folder, "safe"), "--config");
      expect(third.present).to.equal(second);
    } finally {
      await archive.remove();
    }
  });

  it("does not offer to finish where the successor's secret is not here", async () => {
    const archive = await TestArchive.make();
    try {
      const day = 86_400_000;
      const since = (days: number) => iso(Date.UTC(2026, 0, 12) + days * day);
      const run = async (days: number, ...args: readonly string[]) =>
        await at(archive.home, "--at", since(days), ...args, "--config", archive.config);
      const { document } = await run(0, "rotate", "--backup", join(folder, "safe"));
      await fs.rm(private_(archive.home, String(document.successor)));
      const status = await run(40, "rotate", "--status");
      expect(status.document.successorHere).to.equal(false);
      for (const [command, exit] of [
        [["rotate", "--status"], 0],
        [["publish"], 0],
        [["status"], 1],
      ] as const) {
        const { status: got, document: said } = await run(40, ...command);
        expect(got, command.join(" ")).to.equal(exit);
        const warnings = said.warnings?.join("\n") ?? "";
        expect(warnings)
          .to.include("is due: the successor's secret key is not in this key store")
          .and.not.include("--finish");
        expect(warnings).to.include("feedkey key restore").and.include("--abandon");
      }
      const finish = await run(40, "rotate", "--finish");
      expect(finish.document.error?.code).to.equal("not_found");
      await run(40, "rotate", "--abandon");
      expect((await run(41, "publish")).document.warnings).to.equal(undefined);
    } finally {
      await archive.remove();
    }
  });

  it("is not made of version 6, and not at all where the other store can't be written", async () => {
    const terms = ["keygen", "--user-id", userId, "--offline-primary"];
    await refuses("usage", 2, home(), ...terms, offline(), "--algorithm", "ed25519-v6");
    await fs.writeFile(join(folder, "file"), "");
    await refuses("output", 73, home(), ...terms, join(folder, "file"));
    expect(await fs.readdir(folder)).to.deep.equal(["file"]);
  });
});
