/** Two thousand ways to change a signed package, none of which may pass. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { verifySignedPackage } from "../../src/client/packages/verify-package.ts";
import { FeedkeyError } from "../../src/error.ts";
import { generate } from "../../src/openpgp/secret/generate.ts";
import { type ArMember, readArMembers } from "../../src/packages/ar.ts";
import { bytesSource } from "../../src/packages/source.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import type { Profile } from "../../src/profile/types.ts";
import { type Judged, Knowledge } from "../../src/refresh/certificate-pool.ts";
import { signPackageFile } from "../../src/signing/sign-package.ts";
import { openSigningKey } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { userId } from "../testkit/archives/pkgsrc-archive.ts";
import { day } from "../testkit/dates.ts";
import { ar, type Member } from "../testkit/packages/build-package.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";

const runs = 2000;
const block = 65_536;

/** What an archive holds, to be put together in another way. */
function membersOf(bytes: Buffer): Member[] {
  return readArMembers(bytesSource(bytes)).map(({ name, offset, size }: ArMember) => {
    const data = bytes.subarray(offset, offset + size);
    return name.length > 16
      ? { name: `#1/${name.length}`, data: Buffer.concat([Buffer.from(name), data]) }
      : { name, data };
  });
}

type Mutation = (bytes: Buffer, other: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (bytes: Uint8Array, part: number) => Math.floor(part * bytes.length);
const inMembers = (change: (members: Member[], other: Member[]) => Member[]): Mutation => {
  return (bytes, other) => ar(change(membersOf(bytes), membersOf(other)));
};

const mutations: fc.Arbitrary<readonly [string, Mutation]> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.tuple(place, fc.nat(7)).map(([part, bit]) => {
      const change: Mutation = (bytes) => {
        const changed = Buffer.from(bytes);
        const position = at(bytes, part);
        changed[position] = (changed[position] ?? 0) ^ (1 << bit);
        return changed;
      };
      return [`flip bit ${bit} at ${part}`, change] as const;
    }),
  },
  {
    // The part that no block's digest covers: headers, hash file and signature.
    weight: 10,
    arbitrary: fc.tuple(fc.nat(1300), fc.nat(255)).map(([position, value]) => {
      const change: Mutation = (bytes) => {
        const changed = Buffer.from(bytes);
        changed[position] = value;
        return changed;
      };
      return [`byte ${position} = ${value}`, change] as const;
    }),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(place)
      .map(([part]) => [`cut at ${part}`, (bytes: Buffer) => bytes.subarray(0, at(bytes, part))] as const),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 })).map(([part, more]) => {
      const change: Mutation = (bytes) => {
        return Buffer.concat([bytes.subarray(0, at(bytes, part)), more, bytes.subarray(at(bytes, part))]);
      };
      return [`${more.length} bytes more at ${part}`, change] as const;
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 70 })
      .map((more) => ["bytes behind", (b: Buffer) => Buffer.concat([b, more])] as const),
  },
  {
    weight: 3,
    arbitrary: fc.shuffledSubarray([0, 1, 2], { minLength: 0 }).map((order) => {
      return [`members ${order}`, inMembers((all) => order.flatMap((index) => all[index] ?? []))] as const;
    }),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(3), fc.constantFrom("x", "+PKG_HASH", "tiny-1.0.tgz", "/", "//", "+PKG_SIGNATURE"), fc.string())
      .map(([index, name, data]) => {
        const extra = { name, data };
        return [
          `member ${name} at ${index}`,
          inMembers((all) => [...all.slice(0, index), extra, ...all.slice(index)]),
        ] as const;
      }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(2), fc.constantFrom("x", "+pkg_hash", "tiny-1.1.tgz", "+PKG_HASH/", "tiny-1.0.tgz/"))
      .map(
        ([index, name]) =>
          [
            `member ${index} called ${name}`,
            inMembers((all) => all.map((one, i) => (i === index ? { ...one, name } : one))),
          ] as const,
      ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(2).map((index) => {
      return [
        `member ${index} of another`,
        inMembers((all, other) => all.map((one, i) => (i === index ? (other[i] ?? one) : one))),
      ] as const;
    }),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(3), fc.nat(3)).map(([from, to]) => {
      const swap = inMembers((all) => {
        const inner = Buffer.from(all[2]?.data ?? "");
        const blocks = [0, 1, 2, 3].map((index) => inner.subarray(index * block, (index + 1) * block));
        const order = [0, 1, 2, 3].map((index) => (index === from ? to : index === to ? from : index));
        const swapped = Buffer.concat(order.map((index) => blocks[index] ?? Buffer.alloc(0)));
        return all.map((one, index) => (index === 2 ? { ...one, data: swapped } : one));
      });
      return [`blocks ${from} and ${to}`, swap] as const;
    }),
  },
);

describe("signed packages that were changed", () => {
  let folder: string;
  let judged: Judged;
  let good: Buffer[];

  before(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-mutated-"));
    const store = await KeyStore.open(join(folder, "home"));
    const made = await generate({ userId, algorithm: "rsa3072", at: day(0) });
    await store.add(made);
    const key = await openSigningKey(store, made.fingerprint, async () => "");
    const path = join(folder, "tiny-1.0.tgz");
    good = [];
    for (const bytes of [
      pkgsrcPackage(),
      pkgsrcPackage({ files: { "share/data": randomBytes(120_000).toString("hex") } }),
      pkgsrcPackage({ files: { other: "x" } }),
    ]) {
      await fs.writeFile(path, bytes);
      await signPackageFile(path, key, day(1), undefined);
      good.push(await fs.readFile(path));
    }
    const lines = ["[archive]", "name = E", "url = https://example.org/", `user-id = ${userId}`, "[trust]"];
    lines.push("keyring = x", `seeds = ${made.fingerprint}`, "keyservers = none", "");
    const profile: Profile = readProfile(lines.join("\n"), join(folder, "e.ini"));
    judged = await new Knowledge(profile, [key.raw]).judge(day(2), new Set(), new Set());
  });

  after(() => fs.rm(folder, { recursive: true, force: true }));

  const outcome = async (bytes: Uint8Array): Promise<string> => {
    const [path, output] = [join(folder, "tiny-1.0.tgz"), join(folder, "out.tgz")];
    await fs.writeFile(path, bytes);
    try {
      await verifySignedPackage(path, judged, { feed: "", threshold: 1 }, output);
      return "verified";
    } catch (error) {
      if (!(error instanceof FeedkeyError)) throw error;
      expect((await fs.readdir(folder)).sort()).to.deep.equal(["home", "tiny-1.0.tgz"]);
      return error.code;
    }
  };

  it("were good before", async () => {
    for (const bytes of good) {
      expect(await outcome(bytes)).to.equal("verified");
      await fs.rm(join(folder, "out.tgz"));
    }
    expect((good[1] ?? []).length).to.be.greaterThan(2 * block);
    // Put together again, they are what they were: what follows changes what it means to change.
    for (const bytes of good) expect(ar(membersOf(bytes)).length).to.equal(bytes.length);
  });

  it(`are refused, all ${runs} of them, and leave nothing behind`, async function () {
    this.timeout(600_000);
    const codes = new Map<string, number>();
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(mutations, fc.boolean(), async ([what, mutate], large) => {
        const bytes = good[large ? 1 : 0] ?? Buffer.alloc(0);
        const mutated = mutate(bytes, good[2] ?? Buffer.alloc(0));
        fc.pre(!mutated.equals(bytes));
        changed++;
        const code = await outcome(mutated);
        expect(code, what).to.be.oneOf([
          "bad_package",
          "bad_signature_data",
          "no_signature",
          "bad_signature",
          "untrusted_signer",
          "size_mismatch",
          "digest_mismatch",
        ]);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }),
      { numRuns: runs },
    );
    expect(changed).to.be.at.least(runs);
    for (const code of ["bad_package", "bad_signature", "digest_mismatch"])
      expect(codes.get(code), code).to.be.greaterThan(20);
  });
});
