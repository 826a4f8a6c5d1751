/** Keepers are warned before something ends: the key, its signing subkey, a delegation, a rotation that is due. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ownCertificates } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { iso } from "../../src/time.ts";
import { archiveUserId, packageOf } from "../testkit/archives/opkg-archive.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { rsaKey } from "../testkit/keys.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";

const day = 86_400_000;
const start = Date.parse("2026-03-01T12:00:00Z");

describe("warnings ahead of an end", () => {
  let folder: string;
  let config: string;

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "fk-ends-"));
    config = join(folder, "archive.ini");
    await fs.mkdir(join(folder, "site/base"), { recursive: true });
    await fs.writeFile(join(folder, "site/base/alpha_1.0-1_all.deb"), packageOf("alpha", "1.0-1"));
  });

  afterEach(() => fs.rm(folder, { recursive: true, force: true }));

  /** A command some days after the start; it must end with that exit status. */
  async function later(days: number, status: number, ...args: readonly string[]): Promise<JsonDocument> {
    const at = iso(start + days * day);
    const ended = await runHere(["--home", join(folder, "home"), "--at", at, "--json", ...args]);
    expect(ended.status, `${ended.stdout}${ended.stderr}`).to.equal(status);
    return documentOf(ended);
  }

  async function keygen(...args: readonly string[]): Promise<string> {
    const key = String((await later(0, 0, "keygen", "--user-id", archiveUserId, ...args)).fingerprint);
    await configure(key);
    return key;
  }

  async function configure(key: string): Promise<void> {
    const lines = ["[archive]", `root = ${join(folder, "site")}`, `user-id = ${archiveUserId}`, `key = ${key}`];
    lines.push("keyservers = none", "[feed base]", "format = opkg", "path = base");
    await fs.writeFile(config, `${lines.join("\n")}\n`);
  }

  /** What each command that warns says some days after the start. */
  async function warningsAfter(days: number, key: string, ...more: readonly string[]): Promise<string[][]> {
    const index = join(folder, "site/base/Packages");
    const commands = [
      ["publish", "--config", config],
      ["sign", index, "--key", key],
      ["key", "list"],
      ["rotate", "--status", "--config", config],
    ];
    const found = [];
    for (const command of commands) found.push((await later(days, 0, ...command, ...more)).warnings ?? []);
    return found.map((warnings) => [...warnings]);
  }

  it("tells of the key's end in each command 60 days before, and not sooner", async () => {
    const key = await keygen("--expires", "300d");
    expect(await warningsAfter(239, key)).to.deep.equal([[], [], [], []]);
    for (const warnings of await warningsAfter(241, key)) {
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include(`the key ${key} expires`);
    }
  });

  it("tells it when the keeper wants to hear of it", async () => {
    const key = await keygen("--expires", "300d");
    for (const warnings of await warningsAfter(10, key, "--warn-within", "1y")) expect(warnings).to.have.length(1);
    expect(await warningsAfter(241, key, "--warn-within", "30d")).to.deep.equal([[], [], [], []]);
    expect(await warningsAfter(299, key, "--warn-within", "0")).to.deep.equal([[], [], [], []]);
    const { error } = await later(1, 2, "key", "list", "--warn-within", "soon");
    expect(error?.code).to.equal("usage");
  });

  it("does not tell of a key made for a short time before half of it is over, unless asked", async () => {
    const key = await keygen("--expires", "30d");
    for (const warnings of await warningsAfter(1, key, "--warn-within", "60d")) expect(warnings).to.have.length(1);
    expect(await warningsAfter(14, key)).to.deep.equal([[], [], [], []]);
    for (const warnings of await warningsAfter(16, key)) expect(warnings).to.have.length(1);
    expect(await later(1, 0, "status", "--config", config)).to.include({ warnWithin: 60 * 86_400 });
  });

  it("does not tell of a key that another follows, nor of a delegation that the follower renewed", async () => {
    const key = await keygen("--expires", "300d");
    const made = await later(0, 0, "keygen", "--user-id", "Builder <b@example.org>", "--expires", "never");
    const terms = ["delegate", String(made.fingerprint), "--feeds", "base", "--expires"];
    await later(0, 0, ...terms, "260d", "--key", key);
    await later(239, 0, "publish", "--config", config);
    const rotation = ["--expires", "never", "--backup", join(folder, "safe"), "--at-once"];
    const successor = String((await later(240, 0, "rotate", "--config", config, ...rotation)).successor);
    const list = async () => (await later(245, 0, "key", "list")).warnings ?? [];
    // The follower does not stand for what only the first one delegated.
    expect((await list()).map((text) => text.replace(/.*, the (\S+) .*/, "$1"))).to.deep.equal(["delegation"]);
    await later(245, 0, ...terms, "400d", "--key", successor);
    expect(await list()).to.deep.equal([]);
    expect((await later(245, 0, "status", "--config", config)).ends).to.deep.equal([]);
  });

  it("tells of nothing where nothing ends", async () => {
    const key = await keygen("--expires", "never");
    expect(await warningsAfter(3000, key, "--warn-within", "9y")).to.deep.equal([[], [], [], []]);
    expect((await later(3000, 0, "status", "--config", config)).ends).to.deep.equal([]);
  });

  it("tells of a delegation, and to the delegate of the key above", async () => {
    const key = await keygen("--expires", "300d");
    const made = await later(0, 0, "keygen", "--user-id", "Builder <b@example.org>", "--expires", "never");
    const builder = String(made.fingerprint);
    await later(0, 0, "delegate", builder, "--key", key, "--feeds", "base", "--expires", "200d");
    for (const warnings of await warningsAfter(150, key)) {
      expect(warnings.join("\n")).to.include(`the delegation of ${builder}`);
    }
    const index = join(folder, "site/base/Packages");
    const [warning, ...others] =
      (await later(150, 0, "sign", index, "--feed", "base", "--key", builder, "--warn-within", "151d")).warnings ?? [];
    expect(warning).to.include(`the key ${key} expires`);
    expect(others.join("\n")).to.include(`the delegation of ${builder}`);
    const { ends } = await later(150, 1, "status", "--config", config);
    expect(ends).to.deep.equal([{ kind: "delegation", key: builder, endsAt: iso(start + 200 * day) }]);
  });

  it("tells of a rotation's second step, also when it is overdue", async () => {
    const key = await keygen("--expires", "never");
    await later(0, 0, "publish", "--config", config);
    const terms = ["--expires", "never", "--overlap", "90d", "--backup", join(folder, "safe")];
    const successor = (await later(1, 0, "rotate", "--config", config, ...terms)).successor;
    const status = async (days: number) =>
      (await later(days, 0, "rotate", "--status", "--config", config)).warnings ?? [];
    expect(await status(2)).to.deep.equal([]);
    expect((await status(40)).join("\n")).to.include(`the rotation to ${successor} is due`);
    expect((await status(100)).join("\n")).to.match(/^since .* is due/);
    expect((await later(100, 0, "publish", "--config", config)).warnings?.join("\n")).to.include("is due");
    const { ends } = await later(100, 1, "status", "--config", config);
    expect(ends).to.have.length(1);
    expect(key).to.not.equal(successor);
  });

  it("tells of a signing subkey that ends before its key", async () => {
    const stick = join(folder, "stick");
    const key = await keygen("--expires", "300d", "--offline-primary", stick);
    const onStick = async (...args: readonly string[]) => {
      const ended = await runHere(["--home", stick, "--at", iso(start + day), "--json", ...args]);
      expect(ended.status, ended.stdout).to.equal(0);
      return documentOf(ended);
    };
    const own = await ownCertificates(await KeyStore.open(stick));
    const first = own.get(key)?.facts.subkeys[0]?.fingerprint;
    const output = join(folder, "machine.asc");
    const { subkey } = await onStick("key", "subkey", "add", key, "--expires", "80d", "-o", output);
    await later(1, 0, "key", "import", output);
    await onStick("revoke", String(first), "--reason", "superseded");
    await later(1, 0, "key", "import", join(stick, "certs", `${key}.asc`));
    for (const warnings of await warningsAfter(50, key)) {
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include(`the signing subkey ${subkey} of ${key} expires`);
    }
    // Without one the key can't sign, and a monitor must hear of it.
    expect((await later(90, 1, "status", "--config", config)).ends).to.deep.equal([
      { kind: "subkey", key: subkey, endsAt: iso(start + 81 * day) },
    ]);
  });

  it("tells keepers and clients of an algorithm a year before it is refused (T14), and not sooner", async () => {
    const old = certificate({ key: rsaKey("rsa-a"), userIds: [archiveUserId] });
    const key = old.fingerprint;
    await fs.writeFile(join(folder, "old.asc"), secretKeyBlock(old), { mode: 0o600 });
    await later(0, 0, "key", "import", join(folder, "old.asc"));
    await configure(key);
    const date = (Date.UTC(2030, 1, 1) - start) / day;
    await fs.writeFile(join(folder, "ring.pgp"), old.bytes);
    const profile = join(folder, "client.ini");
    const lines = [
      "[archive]",
      "name = Example",
      `url = file://${join(folder, "site")}/`,
      `user-id = ${archiveUserId}`,
    ];
    lines.push("[trust]", "keyring = ring.pgp", `seeds = ${key}`, "keyservers = none");
    await fs.writeFile(profile, `${[...lines, "[feed base]", "format = opkg", "path = base"].join("\n")}\n`);
    const client = ["--profile", profile, "--state", join(folder, "state")];
    const index = join(folder, "site/base/Packages");
    const ofAlgorithms = (warnings: readonly string[]) => warnings.filter((one) => one.includes("RSA of 2048 bits"));
    const clientWarnings = async (days: number) => {
      const found = [];
      for (const command of [["update"], ["verify", index], ["status"]]) {
        found.push(ofAlgorithms((await later(days, 0, ...client, ...command)).warnings ?? []));
      }
      return found;
    };
    expect(await warningsAfter(date - 366, key)).to.deep.equal([[], [], [], []]);
    expect(await clientWarnings(date - 366)).to.deep.equal([[], [], []]);
    expect((await later(date - 366, 0, "status", "--config", config)).ends).to.deep.equal([]);
    const told = [...(await warningsAfter(date - 364, key)), ...(await clientWarnings(date - 364))];
    for (const warnings of told) {
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include(`2030-02-01T00:00:00Z`).and.include(key).and.include("RSA of 2048 bits");
    }
    expect((await later(date - 364, 1, "status", "--config", config)).ends).to.deep.equal([
      { kind: "algorithm", key, endsAt: "2030-02-01T00:00:00Z" },
    ]);
    expect((await later(date - 364, 0, "status", "--config", config, "--warn-within", "30d")).ends).to.deep.equal([]);
    const { keys } = await later(date - 364, 0, ...client, "status");
    expect(keys).to.have.length(1);
    expect((keys as object[])[0]).to.include({ algorithmUntil: "2030-02-01T00:00:00Z" });
    // From that date on nobody signs with it, and no client accepts it.
    for (const command of [
      ["publish", "--config", config],
      ["status", "--config", config],
      [...client, "update"],
      [...client, "verify", index],
    ]) {
      expect((await later(date, 1, ...command)).error?.code, command.join(" ")).to.equal("weak_algorithm");
    }
  });

  it("gives a monitor exit status 1 for what ends within its time, and for a key that has expired", async () => {
    const key = await keygen("--expires", "300d");
    const quiet = await later(200, 0, "status", "--config", config);
    expect(quiet).to.include({ schema: "feedkey.archive-status/1", ok: true, key });
    const near = await later(280, 1, "status", "--config", config, "--warn-within", "30d");
    expect(near.error?.code).to.equal("ends_soon");
    expect(near.ends).to.deep.equal([{ kind: "key", key, endsAt: iso(start + 300 * day) }]);
    await later(280, 0, "status", "--config", config, "--warn-within", "10d");
    expect((await later(301, 1, "status", "--config", config)).error?.code).to.equal("expired");
    expect((await later(1, 2, "status", "--warn-within", "10d")).error?.code).to.equal("usage");
  });
});
