// Attack: what a thief of a delegate's key can make a client remember, and what he can make it forget.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { seedOf, withChain } from "../testkit/archives/chain.ts";
import { certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, keyRevocation, withdrawal } from "../testkit/signature.ts";
import { notation, reason, trustLevel } from "../testkit/subpackets.ts";

const seed = seedOf("state-seed");
const [person, machine] = [ed25519Key("state-person"), ed25519Key("state-machine")];
const idOf = (key: TestKey) => `Builder ${key.keyId} <${key.keyId}@build.example.org>`;

function delegation(by: TestKey, of: TestKey, depth = 0) {
  const hashed = [notation("delegate@example.org", `depth=${depth}; feeds=*`)];
  if (depth > 0) hashed.push(trustLevel(depth + 1, 120));
  return certification({ by, of, userId: idOf(of), at: day(5), expiresAfter: 300 * 86_400, hashed });
}

const delegate = (key: TestKey, ...certifiedBy: ReturnType<typeof delegation>[]) => {
  return certificate({ key, userIds: [idOf(key)], certifiedBy });
};

async function stored(folder: string): Promise<string[]> {
  const names = await fs.readdir(join(folder, "state", "example", "certs"));
  return names.map((name) => name.replace(/\..*$/, ""));
}

describe("attack: delegates and the client's state", () => {
  it("keeps nothing of the crowd that a thief of a build machine's key makes", async () => {
    const crowd = Array.from({ length: 30 }, (_, nth) => ed25519Key(`state-crowd-${nth}`));
    const certificates = [
      delegate(machine, delegation(seed.key, machine)),
      ...crowd.map((key) => delegate(key, delegation(machine, key, 3))),
    ];
    await withChain({ seeds: [seed], bundle: certificates }, async (chain) => {
      expect((await chain.chain()).trusted.has(machine.fingerprint)).to.equal(true);
      const kept = await stored(chain.signatures.folder);
      expect(kept).to.have.members([seed.fingerprint, machine.fingerprint]);
      // Nor once the machine itself is gone.
      const gone = certificate({
        key: machine,
        userIds: [idOf(machine)],
        certifiedBy: [delegation(seed.key, machine)],
        signatures: [keyRevocation({ by: machine, of: machine, at: day(8) })],
      });
      await chain.putBundle([gone, ...certificates.slice(1)]);
      expect((await chain.chain()).trusted.has(machine.fingerprint)).to.equal(false);
      expect(await stored(chain.signatures.folder)).to.have.members(kept);
    });
  });

  it("remembers the revocation of a machine whose person was withdrawn in the meantime", async () => {
    const withPerson = delegate(person, delegation(seed.key, person, 1));
    const known = delegate(machine, delegation(person, machine));
    await withChain({ seeds: [seed], bundle: [withPerson, known] }, async (chain) => {
      expect((await chain.chain(day(10))).trusted.has(machine.fingerprint)).to.equal(true);
      const taken = withdrawal({ by: seed.key, of: person, userId: idOf(person), at: day(11) });
      await chain.putBundle([delegate(person, delegation(seed.key, person, 1), taken)]);
      await chain.chain(day(12));
      const revocation = keyRevocation({ by: machine, of: machine, at: day(13), hashed: [reason(2)] });
      await chain.putBundle([certificate({ key: machine, userIds: [idOf(machine)], signatures: [revocation] })]);
      await chain.chain(day(14));
      // Somebody else takes the machine on, and the bundle does not tell of its revocation any more.
      await chain.putBundle([delegate(machine, delegation(seed.key, machine))]);
      const { trusted, rejected } = await chain.chain(day(15));
      expect(trusted.has(machine.fingerprint)).to.equal(false);
      expect(rejected.get(machine.fingerprint)?.code).to.equal("revoked");
    });
  });
});
