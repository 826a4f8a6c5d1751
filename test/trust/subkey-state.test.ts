/** A signing subkey's part of T7: bound, acknowledged, in force. */
import { expect } from "chai";
import { refuseSubkey } from "../../src/trust/key-state.ts";
import { withUnhashed } from "../testkit/altered.ts";
import { binding, certificate, type SubkeyOptions } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { factsOf } from "../testkit/judging.ts";
import { ed25519Key, rsaKey } from "../testkit/keys.ts";
import { subkeySignature } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const a = ed25519Key("a");
const signer = ed25519Key("signer");
const days = (n: number) => n * 86_400;

async function subkeyCode(options: Partial<SubkeyOptions>, at = day(100)): Promise<string> {
  const [facts] = (await factsOf(certificate({ key: a, subkeys: [{ key: signer, ...options }] }))).subkeys;
  if (facts === undefined) throw new Error("no subkey");
  return refuseSubkey(facts, at)?.code ?? "good";
}

describe("trust/key-state: a signing subkey now (T7)", () => {
  const pair = { primary: a, subkey: signer };
  it("passes when bound, for signing, and acknowledged", async () => expect(await subkeyCode({})).to.equal("good"));

  for (const [what, options, code] of [
    ["not bound", { bound: false }, "bad_signature"],
    ["bound by a weak hash", { hash: "sha1" }, "bad_signature"],
    ["bound by an expired signature", { expiresAfter: 60 }, "bad_signature"],
    ["bound in the future", { at: day(101) }, "bad_signature"],
    ["bound before it was made", { at: day(-1) }, "bad_signature"],
    ["bound with something critical unknown", { hashed: [sub.critical(sub.raw(100))] }, "bad_signature"],
    ["for encryption", { flags: ["encrypt"] }, "bad_signature"],
    ["for certifying", { flags: ["certify"] }, "bad_signature"],
    ["for nothing", { flags: [] }, "bad_signature"],
    ["without back-signature", { backSignature: "none" }, "bad_signature"],
    [
      "with one by a stranger",
      { backSignature: subkeySignature(0x19, { ...pair, by: ed25519Key("x"), at: day(0) }) },
      "bad_signature",
    ],
    [
      "with one for another primary",
      { backSignature: subkeySignature(0x19, { by: signer, primary: ed25519Key("x"), subkey: signer, at: day(0) }) },
      "bad_signature",
    ],
    [
      "with one that has expired",
      { backSignature: subkeySignature(0x19, { ...pair, by: signer, at: day(0), expiresAfter: 60 }) },
      "bad_signature",
    ],
    [
      "with one from the future",
      { backSignature: subkeySignature(0x19, { ...pair, by: signer, at: day(101) }) },
      "bad_signature",
    ],
    [
      "with one by a weak hash",
      { backSignature: subkeySignature(0x19, { ...pair, by: signer, at: day(0), hash: "sha1" }) },
      "weak_algorithm",
    ],
    ["expired", { keyExpiresAfter: days(99) }, "expired"],
    [
      "soft-revoked",
      { signatures: [subkeySignature(0x28, { ...pair, by: a, at: day(1), hashed: [sub.reason(1)] })] },
      "revoked",
    ],
    [
      "hard-revoked, in the future",
      { signatures: [subkeySignature(0x28, { ...pair, by: a, at: day(200) })] },
      "revoked",
    ],
    [
      "revoked with SHA-1",
      { signatures: [subkeySignature(0x28, { ...pair, by: a, at: day(1), hash: "sha1" })] },
      "revoked",
    ],
    ["weak", { key: rsaKey("rsa1024") }, "weak_algorithm"],
  ] as const) {
    it(`is refused: ${what}`, async () => expect(await subkeyCode(options as Partial<SubkeyOptions>)).to.equal(code));
  }

  it("is refused when a flagless binding leaves its use open", async () => {
    const bare = subkeySignature(0x18, { ...pair, by: a, at: day(0) });
    expect(await subkeyCode({ bound: false, signatures: [bare] })).to.equal("bad_signature");
  });

  it("is not revoked by itself", async () => {
    expect(await subkeyCode({ signatures: [subkeySignature(0x28, { ...pair, by: signer, at: day(1) })] })).to.equal(
      "good",
    );
  });

  it("follows its newest binding", async () => {
    const { packets } = certificate({ key: a, subkeys: [{ key: signer, at: day(9), flags: ["encrypt"] }] });
    const newer = packets.filter(({ tag }) => tag === 2).slice(-1);
    expect(await subkeyCode({ signatures: newer })).to.equal("bad_signature");
    expect(await subkeyCode({ signatures: newer }, day(5))).to.equal("good");
  });

  it("counts a back-signature that one of several equal bindings has, in whatever order", async () => {
    // It may stand in the unhashed area: then anybody can make a copy without it, or with a useless one.
    const bare = binding(a, { key: signer, backSignature: "none" });
    const back = (more: object = {}) => subkeySignature(0x19, { ...pair, by: signer, at: day(0), ...more });
    const good = withUnhashed(bare, sub.area([sub.embedded(back().body)]));
    const weak = withUnhashed(bare, sub.area([sub.embedded(back({ hash: "sha1" }).body)]));
    const ended = withUnhashed(bare, sub.area([sub.embedded(back({ expiresAfter: 60 }).body)]));
    for (const signatures of [
      [bare, weak, ended, good],
      [good, ended, weak, bare],
    ]) {
      expect(await subkeyCode({ bound: false, signatures })).to.equal("good");
    }
    expect(await subkeyCode({ bound: false, signatures: [bare, weak] })).to.equal("weak_algorithm");
    expect(await subkeyCode({ bound: false, signatures: [bare, ended] })).to.equal("bad_signature");
  });

  it("keeps its revocation when the certificate lists it twice", async () => {
    const revocation = subkeySignature(0x28, { ...pair, by: a, at: day(1) });
    const made = certificate({
      key: a,
      subkeys: [{ key: signer }, { key: signer, bound: false, signatures: [revocation] }],
    });
    const { subkeys } = await factsOf(made);
    expect(subkeys.map((subkey) => refuseSubkey(subkey, day(100))?.code)).to.deep.equal(["revoked"]);
  });
});
