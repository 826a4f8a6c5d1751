// Random bytes in every parser, through the command line: no crash, no hang, and never a bug's exit status.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { hour, inArchive, inUse, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";

const at = published + hour;

/** Statuses that the manual page declares, but for the one that means a bug. */
const declared = [1, 2, 65, 66, 69, 73, 74, 75, 78];

async function outcome(args: readonly string[]): Promise<number | null> {
  const ended = await runHere(args);
  const document = documentOf(ended);
  expect(ended.status, document.error?.message).to.be.oneOf([0, ...declared]);
  expect(document.ok).to.equal(ended.status === 0);
  return ended.status;
}

async function mustBeRefused(args: readonly string[]): Promise<void> {
  expect(await outcome(args)).to.not.equal(0);
}

/** Bytes of every kind: random ones, ASCII art, and valid ones with a piece cut out, doubled, or changed. */
function damaged(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat({ max: Math.max(0, valid.length - 1) });
  const cut = fc.tuple(place, fc.nat({ max: 200 })).map(([start, length]) => {
    return Buffer.concat([valid.subarray(0, start), valid.subarray(start + length + 1)]);
  });
  const doubled = fc.tuple(place, fc.nat({ max: 200 })).map(([start, length]) => {
    return Buffer.concat([valid.subarray(0, start + length), valid.subarray(start)]);
  });
  const replaced = fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 20 })).map(([start, piece]) => {
    return Buffer.concat([valid.subarray(0, start), piece, valid.subarray(start + piece.length)]);
  });
  const text = fc.string({ unit: "grapheme", maxLength: 400 }).map((one) => Buffer.from(one));
  return fc.oneof(fc.uint8Array({ maxLength: 400 }), text, cut, doubled, replaced);
}

/** A fixed seed, so that a failure can be had again; more runs are a matter of the environment. */
const runs = { numRuns: Number(process.env.FEEDKEY_FUZZ_RUNS ?? 60), seed: 20_260_111 };

async function withDamaged(file: string, check: (differs: boolean) => Promise<void>): Promise<void> {
  const valid = await fs.readFile(file);
  const property = fc.asyncProperty(damaged(valid), async (bytes) => {
    await fs.writeFile(file, bytes);
    await check(!valid.equals(bytes));
  });
  try {
    await fc.assert(property, runs);
  } finally {
    await fs.writeFile(file, valid);
  }
}

const verify = (archive: TestArchive, name = "Packages") => {
  return archive.clientArgs(at, "verify", "--no-state", archive.file(name));
};

describe("cases: random bytes", function () {
  this.timeout(600_000);

  for (const name of ["Packages", "Packages.gz"]) {
    it(`as ${name}: refused`, async () => {
      await inArchive(async (archive) => {
        const other = name === "Packages" ? "Packages.gz" : "Packages";
        await fs.rm(archive.file(other));
        await withDamaged(archive.file(name), async (differs) => {
          // Another compressed form may still hold the bytes that were signed.
          if (differs && name === "Packages") await mustBeRefused(verify(archive, name));
          else await outcome(verify(archive, name));
        });
      });
    });
  }

  for (const name of ["Packages.sig", "Packages.asc"]) {
    it(`as ${name}: refused`, async () => {
      await inArchive(async (archive) => {
        await fs.rm(archive.file(name === "Packages.sig" ? "Packages.asc" : "Packages.sig"));
        await withDamaged(archive.file(name), async () => {
          await outcome(verify(archive));
        });
      });
    });
  }

  it("as an index that a rightful signer signed", async () => {
    await inArchive(async (archive) => {
      const valid = await fs.readFile(archive.file("Packages"));
      await fc.assert(
        fc.asyncProperty(damaged(valid), async (bytes) => {
          await archive.signText(bytes, at);
          await outcome(verify(archive));
          await outcome(archive.clientArgs(at, "update"));
          await outcome(archive.clientArgs(at, "fetch", "--all", "-o", archive.out));
          await fs.rm(archive.state, { recursive: true, force: true });
        }),
        runs,
      );
    });
  });

  it("as a certificate in the keyring: refused, or the seed in it is whole", async () => {
    await inArchive(async (archive) => {
      for (const kind of ["asc", "pgp"]) {
        const keyring = join(archive.folder, `keyring.${kind}`);
        await fs.copyFile(join(archive.site, "keys", `archive-keyring.${kind}`), keyring);
        await archive.writeProfile({ keyring });
        await withDamaged(keyring, async () => {
          await outcome(verify(archive));
          await outcome(archive.clientArgs(at, "profile", "check"));
          await outcome(archive.clientArgs(at, "chain"));
        });
      }
    });
  });

  it("as the archive's key bundle: at most a warning", async () => {
    await inUse(async (archive) => {
      const bundle = join(archive.site, "keys", "archive-keyring.pgp");
      await withDamaged(bundle, async () => {
        archive.mirror.put("keys/archive-keyring.pgp", await fs.readFile(bundle));
        expect(await outcome(archive.clientArgs(at, "update"))).to.equal(0);
      });
    });
  });

  it("as the profile", async () => {
    await inArchive(async (archive) => {
      await withDamaged(archive.profile, async () => {
        await outcome(verify(archive));
        await outcome(archive.clientArgs(at, "profile", "show"));
      });
    });
  });

  it("as archive.ini, as a package, and as the keys of the archive", async () => {
    await inArchive(async (archive) => {
      const publish = archive.keeperArgs(at, "publish", "--config", archive.config, "--dry-run");
      const files = [archive.config, archive.file("alpha_1.0-1_all.ipk")];
      files.push(join(archive.home, "certs", `${archive.key}.asc`));
      for (const file of files) {
        await withDamaged(file, async () => {
          await outcome(publish);
        });
      }
      const secret = join(archive.home, "private", `${archive.key}.asc`);
      const copy = archive.file("Copy");
      await fs.copyFile(archive.file("Packages"), copy);
      await withDamaged(secret, async () => {
        await outcome(archive.keeperArgs(at, "sign", copy, "--key", archive.key));
      });
    });
  });

  it("as any file of the client's state: refused, or what it says is as it was", async () => {
    await inUse(async (archive) => {
      const folder = join(archive.state, "example");
      const files = ["ledger.json", "feeds/base/index", "feeds/base/signature", "feeds/base/meta.json"];
      files.push(`certs/${archive.key}.pgp`);
      for (const name of files) {
        const file = join(folder, await fs.realpath(join(folder, name)).then((path) => path.slice(folder.length)));
        await withDamaged(file, async () => {
          await outcome(archive.clientArgs(at, "fetch", "alpha", "-o", archive.out));
        });
      }
      // Nothing else came, and with the files as they were, the package does.
      await archive.accept(at, "fetch", "alpha", "-o", archive.out);
      await archive.expectOut("alpha_1.0-1_all.ipk");
    });
  });

  it("as a compressed index from the network", async () => {
    await inUse(async (archive) => {
      archive.mirror.drop("feeds/base/Packages");
      const valid = gzipSync(await fs.readFile(archive.file("Packages")));
      await fc.assert(
        fc.asyncProperty(damaged(valid), async (bytes) => {
          archive.mirror.put("feeds/base/Packages.gz", bytes);
          await outcome(archive.clientArgs(at, "update"));
        }),
        runs,
      );
    });
  });

  it("as arguments", async () => {
    await inArchive(async (archive) => {
      const word = fc.string({ unit: "grapheme", maxLength: 30 }).filter((one) => !one.includes("\0"));
      const commands = ["update", "fetch", "verify", "chain", "status", "profile", "sign", "publish", "keygen"];
      const property = fc.asyncProperty(
        fc.constantFrom(...commands),
        fc.array(word, { maxLength: 3 }),
        async (name, words) => {
          const ended = await runHere([...archive.clientArgs(at, "--home", archive.home), name, ...words]);
          expect(ended.status).to.be.oneOf([0, ...declared]);
        },
      );
      await fc.assert(property, runs);
    });
  });
});
