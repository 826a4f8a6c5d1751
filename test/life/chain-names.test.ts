// Chain, through the command line: whom a successor must name (T1).
import { expect } from "chai";
import { seedOf, withChain } from "../testkit/archives/chain.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, type UserId } from "../testkit/signature.ts";

const seed = seedOf("seed");
const key = ed25519Key("life named", { createdAt: day(10) });

function named(userId: UserId) {
  const signatures = [certification({ by: seed.key, of: key, userId, at: day(11) })];
  return certificate({ key, userIds: [{ userId, signatures }] });
}

const name = "Example Archive Signing Key";
const address = "archive@example.org";

/** A look-alike of each: the first letter is Cyrillic, the second a full-width one. */
const cyrillic = archiveId.replace("archive", "\u0430rchive");
const fullWidth = archiveId.replace("archive@", "\uff41rchive@");

describe("cases: chain, names", () => {
  for (const [what, userId] of [
    ["another name, the right address", `Example Archive Singing Key <${address}>`],
    ["no name", `<${address}>`],
    ["nothing but the address", address],
    ["a trailing space", `${archiveId} `],
    ["a leading space", ` ${archiveId}`],
    ["a trailing NUL", `${archiveId}\0`],
    ["two spaces", archiveId.replace(" <", "  <")],
    ["other case", archiveId.toUpperCase()],
    ["look-alike letters", cyrillic],
    ["full-width letters", fullWidth],
    ["the user ID and more", `${archiveId} (really)`],
    ["a part of the user ID", archiveId.slice(1)],
    ["no user ID at all", ""],
  ] as const) {
    it(`${what}: refused where the profile names the whole user ID`, async () => {
      const made = named(userId);
      await withChain({ seeds: [seed], bundle: [made], userId: archiveId }, async (chain) => {
        await chain.refuses(made, "untrusted_signer");
        expect((await chain.chain()).trusted.size).to.equal(1);
      });
    });
  }

  for (const [what, userId] of [
    ["a trailing space", `${archiveId} `],
    ["a space in the brackets", `${name} <${address} >`],
    ["another address that ends with it", `${name} <the-${address}>`],
    ["another address that begins with it", `${name} <${address}.example>`],
    ["other case", `${name} <Archive@example.org>`],
    ["look-alike letters", cyrillic],
    ["full-width letters", fullWidth],
    ["the address as a name", `${address} <else@example.org>`],
    ["two addresses, the right one first", `${name} <${address}> <else@example.org>`],
    ["two addresses, the right one last", `${name} <else@example.org> <${address}>`],
    ["the address in two pairs of brackets", `${name} <<${address}>>`],
    ["a byte that is no UTF-8", Buffer.concat([Buffer.from(`${name} <${address}`), Buffer.of(0xff), Buffer.from(">")])],
    ["nothing but the address", address],
  ] as const) {
    it(`${what}: refused where the profile names the address`, async () => {
      const made = named(userId);
      await withChain({ seeds: [seed], bundle: [made] }, async (chain) => {
        await chain.refuses(made, "untrusted_signer");
        expect((await chain.chain()).trusted.size).to.equal(1);
      });
    });
  }

  it("another name with the right address: accepted where the profile names the address", async () => {
    const made = named(`Example Archive Signing Key (2027) <${address}>`);
    await withChain({ seeds: [seed], bundle: [made] }, (chain) => chain.accepts(made, [seed]));
  });

  it("the exact user ID among others: accepted", async () => {
    const signatures = [certification({ by: seed.key, of: key, userId: archiveId, at: day(11) })];
    const made = certificate({ key, userIds: ["Somebody <else@example.org>", { userId: archiveId, signatures }] });
    await withChain({ seeds: [seed], bundle: [made], userId: archiveId }, (chain) => chain.accepts(made, [seed]));
  });

  it("the right user ID without the key's own signature: refused", async () => {
    const signatures = [certification({ by: seed.key, of: key, userId: archiveId, at: day(11) })];
    const made = certificate({
      key,
      userIds: [{ userId: archiveId, signatures, self: false }, "Else <e@example.org>"],
    });
    await withChain({ seeds: [seed], bundle: [made] }, async (chain) => {
      expect(await chain.refuses(made, "untrusted_signer")).to.contain("self-certified");
    });
  });
});
