/** Copies of one secret key united: no subkey is lost, also one of an algorithm that nothing here can read. */
import { expect } from "chai";
import { dearmor } from "../../src/openpgp/packet/armor.ts";
import { type Packet, readPackets } from "../../src/openpgp/packet/packets.ts";
import { uniteSecrets } from "../../src/openpgp/secret/secret-union.ts";
import { certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";

const primary = ed25519Key("union");
const first = ed25519Key("union first");
const second = ed25519Key("union second");

/** Like a key of tomorrow: the octet for its algorithm is not assigned. */
function ofUnknownAlgorithm(key: TestKey): TestKey {
  const body = Buffer.from(key.body);
  body[5] = 99;
  return { ...key, algorithm: 99, body };
}
const unknown = ofUnknownAlgorithm(ed25519Key("union unknown"));

function block(subkeys: readonly TestKey[], secrets = subkeys): string {
  return secretKeyBlock(certificate({ key: primary, subkeys }), secrets);
}

function secretSubkeys(armored: string | undefined): Packet[] {
  const [bytes = new Uint8Array()] = dearmor(Buffer.from(armored ?? ""), "PRIVATE KEY BLOCK");
  return [...readPackets(bytes)].filter(({ tag }) => tag === 7);
}

/** Which of the keys are among the secret subkeys, in their order. */
function names(armored: string | undefined): string[] {
  const all = { first, second, unknown };
  return secretSubkeys(armored).map(({ body }) => {
    const found = Object.entries(all).find(([, key]) => Buffer.from(body).indexOf(key.body) === 0);
    return found?.[0] ?? "?";
  });
}

describe("openpgp/secret-union", () => {
  it("adds a subkey and loses none, whatever its algorithm", async () => {
    expect(names(await uniteSecrets(block([first]), block([second])))).to.deep.equal(["first", "second"]);
    const united = await uniteSecrets(block([first, unknown]), block([second]));
    expect(names(united)).to.deep.equal(["first", "unknown", "second"]);
    expect(names(await uniteSecrets(block([first]), block([unknown, second])))).to.have.members([
      "first",
      "unknown",
      "second",
    ]);
  });

  it("keeps what it adds to as it is, and the signatures that bind a subkey", async () => {
    const present = block([first, unknown]);
    const united = (await uniteSecrets(present, block([second]))) ?? "";
    const [before = Buffer.of(), after = Buffer.of()] = [present, united].map((text) => {
      return Buffer.from(dearmor(Buffer.from(text), "PRIVATE KEY BLOCK")[0] ?? []);
    });
    expect(after.subarray(0, before.length).equals(before)).to.equal(true);
    expect([...readPackets(after)].map(({ tag }) => tag)).to.deep.equal([5, 13, 2, 7, 2, 7, 2, 7, 2]);
  });

  it("adds nothing twice, also where the copies are locked differently", async () => {
    const present = block([first, unknown]);
    expect(await uniteSecrets(present, block([first]))).to.equal(undefined);
    expect(await uniteSecrets(present, present)).to.equal(undefined);
    const locked = { ...unknown, secret: Buffer.from(unknown.secret).reverse() };
    expect(await uniteSecrets(present, block([first, unknown], [first, locked]))).to.equal(undefined);
  });
});
