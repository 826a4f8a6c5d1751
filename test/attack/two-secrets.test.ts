// Attack on nobody's part: gpg exports two secret keys in one block. Each file of the store must hold its own alone.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { importKey } from "../../src/keys/import-key.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { dearmor } from "../../src/openpgp/packet/armor.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { armored, concat } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";

const keys = ["one", "two"].map((name) => ed25519Key(`two-secrets-${name}`));
const binary = concat(
  ...keys.flatMap((key) => dearmor(Buffer.from(secretKeyBlock(certificate({ key }))), "PRIVATE KEY BLOCK")),
);

describe("attack: several secret keys in one block", () => {
  for (const [form, bytes] of [
    ["binary", binary],
    ["armored", Buffer.from(armored("PRIVATE KEY BLOCK", binary))],
  ] as const) {
    it(`${form}: each is imported, into a file of its own`, async () => {
      const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-two-"));
      try {
        const store = await KeyStore.open(folder);
        await importKey(store, bytes, day(1), () => Promise.resolve(""));
        expect(await store.list()).to.have.members(keys.map(({ fingerprint }) => fingerprint));
        for (const { fingerprint } of keys) {
          const file = Buffer.from(await store.privateKey(fingerprint));
          const [block] = dearmor(file, "PRIVATE KEY BLOCK");
          expect(readKeys(block ?? new Uint8Array()).secretKeys, "secret keys in the file").to.equal(1);
        }
      } finally {
        await fs.rm(folder, { recursive: true });
      }
    });
  }
});
