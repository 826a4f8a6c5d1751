// Attack: a thief of a chain key puts keys that are not live between it and his own, or makes dead ones live again (T6, T7).
import { type ChainCase, seedOf, successorOf, withChain } from "../testkit/archives/chain.ts";
import { archiveId, selfSignature, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, keyRevocation } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";

const days = (count: number) => count * 86_400;
const first = seedOf("first");
const second = successorOf([first], "second");
const expired = { keyExpiresAfter: days(5) };

/** The thief's dead keys, in a row; each certified by the one before, and his living key at the end. */
function row(of: TestCertificate, count: number, options: object = expired): TestCertificate[] {
  const made: TestCertificate[] = [];
  for (let nth = 0; nth < count; nth++) made.push(successorOf([made.at(-1) ?? of], `dead ${nth}`, options));
  return [...made, successorOf([made.at(-1) ?? of], "thief")];
}

const retired = {
  key: ed25519Key("life retired", { createdAt: day(10) }),
  signatures: [
    keyRevocation({
      by: ed25519Key("life retired", { createdAt: day(10) }),
      of: ed25519Key("life retired", { createdAt: day(10) }),
      at: day(15),
      hashed: [reason(3)],
    }),
  ],
};

async function refusesThief(chain: ChainCase, thief: TestCertificate | undefined): Promise<void> {
  if (thief === undefined) throw new Error("no thief");
  await chain.refuses(thief, "fork");
}

describe("attack: dead keys in between", () => {
  const rows: Record<string, { keys: TestCertificate[]; trust?: string[] }> = {
    "one that has expired": { keys: row(first, 1) },
    "three of them": { keys: row(first, 3) },
    "one that was retired, where that is accepted": {
      keys: row(first, 1, retired),
      trust: ["retired-issuers = accept"],
    },
  };
  for (const [what, { keys, trust = [] }] of Object.entries(rows)) {
    const thief = keys.at(-1);
    it(`${what}: no new client follows`, async () => {
      await withChain({ seeds: [first], bundle: [second, ...keys], trust }, async (chain) => {
        await refusesThief(chain, thief);
        await chain.refuses(second, "fork");
      });
    });

    it(`${what}: who knows the rightful one keeps it`, async () => {
      await withChain({ seeds: [first], bundle: [second], trust }, async (chain) => {
        await chain.accepts(second, [first], day(16));
        await chain.putBundle([second, ...keys]);
        await refusesThief(chain, thief);
        await chain.accepts(second, [first]);
      });
    });

    it(`${what}: without a rival they are followed`, async () => {
      await withChain({ seeds: [first], bundle: keys, trust }, async (chain) => {
        await chain.accepts(thief ?? first, [first, ...keys.slice(0, -1)]);
      });
    });
  }

  it("the rightful successor has expired, and leads on", async () => {
    const old = successorOf([first], "second", { keyExpiresAfter: days(8) });
    const third = successorOf([old], "third", { certifiedAt: day(12) });
    const thief = successorOf([first], "thief");
    await withChain({ seeds: [first], bundle: [old, third] }, async (chain) => {
      await chain.accepts(third, [first, old], day(13));
      await chain.putBundle([old, third, thief]);
      await chain.refuses(thief, "fork");
      await chain.accepts(third, [first, old]);
    });
    await withChain({ seeds: [first], bundle: [old, third, thief] }, async (chain) => {
      await chain.refuses(thief, "fork");
    });
  });

  it("a key that was dead when it was accepted has no place to keep once it lives", async () => {
    const dead = successorOf([first], "dead 0", expired);
    const alive = successorOf([first], "dead 0", {
      ...expired,
      certifiedBy: [selfSignature({ key: dead.key, at: day(16) })],
    });
    await withChain({ seeds: [first], bundle: [second, dead] }, async (chain) => {
      // The client takes the dead one in, and does not know the rightful one yet.
      await chain.putBundle([dead]);
      await chain.chain(day(15));
      await chain.putBundle([second, alive]);
      await chain.refuses(alive, "fork");
    });
  });
});

describe("attack: an expired key is made to live again", () => {
  const until = { keyExpiresAfter: days(15) };
  const old = seedOf("old", until);
  const rightful = successorOf([old], "second");
  const extended = (at: number) => {
    return seedOf("old", { ...until, certifiedBy: [selfSignature({ key: old.key, at: day(at) })] });
  };

  for (const [what, at] of [
    ["dated after its end", 17],
    ["dated before its end", 12],
  ] as const) {
    it(`${what}: a client that knows its successor refuses it`, async () => {
      await withChain({ seeds: [old], bundle: [rightful] }, async (chain) => {
        await chain.accepts(old, [], day(13));
        await chain.putBundle([rightful, extended(at)]);
        await chain.refuses(old, "expired");
        await chain.accepts(rightful, [old]);
      });
    });

    it(`${what}: the keepers of an archive without a successor can do it`, async () => {
      await withChain({ seeds: [old], bundle: [] }, async (chain) => {
        await chain.accepts(old, [], day(13));
        await chain.putBundle([extended(at)]);
        await chain.accepts(old, []);
        // They go on from there: what they certify with it makes the successor.
        const next = successorOf([old], "third", { certifiedAt: day(18) });
        await chain.putBundle([next]);
        await chain.accepts(old, []);
        await chain.accepts(next, [old]);
      });
    });
  }

  it("in time, it counts beside a successor", async () => {
    await withChain({ seeds: [old], bundle: [rightful, extended(12)] }, async (chain) => {
      await chain.accepts(old, [], day(13));
      await chain.accepts(old, []);
    });
  });

  it("what its thief certifies then is refused", async () => {
    const thief = successorOf([], "thief", {
      certifiedBy: [
        certification({
          by: old.key,
          of: ed25519Key("life thief", { createdAt: day(10) }),
          userId: archiveId,
          at: day(16),
        }),
      ],
    });
    await withChain({ seeds: [old], bundle: [rightful] }, async (chain) => {
      await chain.accepts(rightful, [old], day(13));
      await chain.putBundle([rightful, extended(16), thief]);
      await chain.refuses(thief, "fork");
      await chain.accepts(rightful, [old]);
    });
    await withChain({ seeds: [old], bundle: [rightful, extended(16), thief] }, (chain) =>
      chain.refuses(thief, "fork").then(),
    );
  });
});
