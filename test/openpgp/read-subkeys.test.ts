import { expect } from "chai";
import { withUnhashed } from "../testkit/altered.ts";
import { binding, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { dataSignature, subkeySignature } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const [a, b, subkey] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("sub")];
const year = 365 * 86_400;

const codes = (list: readonly { reason: number | undefined; kind: string }[]) =>
  list.map(({ kind, reason }) => [kind, reason]);

describe("openpgp/read-facts: subkeys", () => {
  it("with binding, expiry, flags and back-signature", async () => {
    const made = certificate({ key: a, subkeys: [{ key: subkey, at: day(1), keyExpiresAfter: year }] });
    const [facts] = (await factsOf(made)).subkeys;
    const [bound] = facts?.bindings ?? [];
    expect(facts?.fingerprint).to.equal(subkey.fingerprint);
    expect(bound).to.deep.include({ type: 0x18, key: a.fingerprint, keyExpiresAt: day(0) + year * 1000 });
    expect(bound?.flags).to.deep.equal({ certify: false, sign: true });
    expect(bound?.backSignature).to.include({ type: 0x19, key: subkey.fingerprint, createdAt: day(1) });
  });

  it("whose back-signature stands in the unhashed area, behind others that are none", async () => {
    const back = subkeySignature(0x19, { by: subkey, primary: a, subkey, at: day(1) });
    const bare = binding(a, { key: subkey, backSignature: "none" });
    const area = sub.area([
      sub.embedded(Uint8Array.of(1)),
      sub.embedded(dataSignature({ by: subkey, at: day(1), data: Buffer.from("x") }).body),
      sub.embedded(back.body),
    ]);
    for (const unhashed of [sub.area([sub.embedded(back.body)]), area]) {
      const made = certificate({
        key: a,
        subkeys: [{ key: subkey, bound: false, signatures: [withUnhashed(bare, unhashed)] }],
      });
      const [facts] = (await factsOf(made)).subkeys;
      expect(facts?.bindings[0]?.backSignature).to.not.equal(undefined);
    }
  });

  for (const [what, back] of [
    ["none", "none"],
    ["one by another key", subkeySignature(0x19, { by: b, primary: a, subkey, at: day(1) })],
    ["one for another primary", subkeySignature(0x19, { by: subkey, primary: b, subkey, at: day(1) })],
    ["one for another subkey", subkeySignature(0x19, { by: subkey, primary: a, subkey: b, at: day(1) })],
    ["a binding in its place", subkeySignature(0x18, { by: subkey, primary: a, subkey, at: day(1) })],
  ] as const) {
    it(`with a back-signature that does not count: ${what}`, async () => {
      const made = certificate({ key: a, subkeys: [{ key: subkey, backSignature: back }] });
      const [facts] = (await factsOf(made)).subkeys;
      expect(facts?.bindings).to.have.length(1);
      expect(facts?.bindings[0]?.backSignature).to.equal(undefined);
    });
  }

  it("with their revocations by the primary, not by themselves or strangers", async () => {
    const pair = { primary: a, subkey, at: day(1) };
    const made = certificate({
      key: a,
      subkeys: [
        {
          key: subkey,
          signatures: [
            subkeySignature(0x28, { ...pair, by: a, hashed: [sub.reason(1)] }),
            subkeySignature(0x28, { ...pair, by: subkey }),
            subkeySignature(0x28, { ...pair, by: b }),
          ],
        },
      ],
    });
    const [facts] = (await factsOf(made, certificate({ key: b }))).subkeys;
    expect(codes(facts?.revocations ?? [])).to.deep.equal([["soft", 1]]);
  });

  it("that can't be used are left out, the others keep their own signatures", async () => {
    const unusable = { ...b, body: Uint8Array.of(4, 0, 0, 0, 0, 99) };
    const made = certificate({ key: a, subkeys: [{ key: unusable, bound: false }, subkey] });
    const facts = await factsOf(made);
    expect(facts.subkeys.map((one) => [one.fingerprint, one.bindings.length])).to.deep.equal([[subkey.fingerprint, 1]]);
  });
});
