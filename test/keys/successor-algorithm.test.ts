/** A successor that pkg_add can read, where it reads the present key. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";

const [rsa, other, curve] = [rsaKey("rsa-a"), rsaKey("rsa-b"), ed25519Key("curve")];

describe("rotate: the successor's algorithm", function () {
  this.timeout(60_000);
  let archive: LiveArchive;

  beforeEach(async () => {
    archive = await LiveArchive.make();
    for (const key of [rsa, other, curve]) await archive.importKey(secretKeyBlock(certificate({ key })));
  });

  afterEach(() => archive.remove());

  /** Publishes a feed of a format with a key. */
  async function publish(format: string, { fingerprint }: TestKey): Promise<void> {
    const folder = join(archive.site, "All");
    await fs.mkdir(folder, { recursive: true });
    if (format === "pkgsrc") await fs.writeFile(join(folder, "tiny-1.0.tgz"), pkgsrcPackage({ name: "tiny-1.0" }));
    const lines = [
      "[archive]",
      `root = ${archive.site}`,
      "user-id = Example Archive Signing Key <archive@example.org>",
    ];
    lines.push(`key = ${fingerprint}`, "[feed All]", `format = ${format}`, "path = All", "");
    await fs.writeFile(archive.config, lines.join("\n"));
    await archive.keep("publish", "--config", archive.config);
  }

  const rotate = (...more: readonly string[]) => ["rotate", "--config", archive.config, "--force", ...more];
  const unforced = (...more: readonly string[]) => {
    return ["rotate", "--config", archive.config, "--backup", join(archive.folder, "safe"), ...more];
  };
  const refused = async (...words: readonly string[]) => {
    const ended = await runHere(["--home", archive.home, "--json", ...unforced(...words)]);
    const { error } = documentOf(ended);
    expect({ code: error?.code, status: ended.status }, ended.stdout).to.deep.equal({ code: "usage", status: 2 });
    return error;
  };

  /** The algorithm of the key that a rotation makes, and that its plan says the same. */
  async function made(): Promise<unknown> {
    const { steps } = await archive.keep(...rotate("--dry-run"));
    const { successor } = await archive.keep(...rotate());
    const { keys } = await archive.keep("key", "list");
    const { algorithm } =
      (keys as { fingerprint: string; algorithm: string }[]).find((one) => one.fingerprint === successor) ?? {};
    expect(String(steps)).to.include(`make a new ${algorithm === "rsa" ? "rsa3072" : algorithm} key`);
    return algorithm;
  }

  it("stays RSA where a feed is of pkgsrc", async () => {
    await publish("pkgsrc", rsa);
    expect(await made()).to.match(/^rsa/);
  });

  it("is Ed25519 where no client needs RSA, or has it now", async () => {
    await publish("opkg", rsa);
    expect(await made()).to.equal("ed25519");
    await fs.rm(archive.site, { recursive: true });
    await publish("pkgsrc", curve);
    expect(await made()).to.equal("ed25519");
  });

  it("may not be one that pkg_add can't read, made or chosen, unless forced", async () => {
    await publish("pkgsrc", rsa);
    for (const words of [
      ["--algorithm", "ed25519"],
      ["--algorithm", "p256"],
      ["--to", curve.fingerprint],
    ]) {
      const error = await refused(...words);
      expect(error?.message).to.include('feed "All" has the format pkgsrc');
    }
    await refused("--algorithm", "ed25519", "--dry-run");
    await archive.keep(...unforced("--to", other.fingerprint));
    await archive.keep(...rotate("--abandon"));
    await archive.keep(...rotate("--to", curve.fingerprint));
  });
});
