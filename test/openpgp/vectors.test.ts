import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { answer, type Vector } from "../testkit/vector.ts";
import { makeVectors } from "../testkit/vector-cases.ts";

const folder = "test/vectors/signature";
const names = readdirSync(folder).flatMap((file) => (file.endsWith(".json") ? [file.replace(/\.json$/, "")] : []));
const load = (name: string): Vector => JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8"));

describe("signature vectors", () => {
  for (const name of names) {
    const vector = load(name);
    it(`${name}: ${vector.expect}`, async () => expect(await answer(vector)).to.equal(vector.expect));
  }

  it("get the same answer where the library checks every signature", async () => {
    const other: string[] = [];
    for (const name of names) {
      const vector = load(name);
      const slowly = await answer(vector, "library");
      if (slowly !== vector.expect) other.push(`${name}: ${slowly}`);
    }
    // EdDSA over a hash of less than 256 bits is no signature to the library, whatever it is told; T4 must hear revocations.
    expect(other).to.deep.equal([
      "md5: bad_signature",
      "revoked-sha1: good",
      "ripemd160: bad_signature",
      "self-signature-sha1: bad_certificate",
      "sha1: bad_signature",
      "sha224: bad_signature",
    ]);
  });

  it("are what the generator makes", () => {
    const made = makeVectors();
    expect(names.toSorted()).to.deep.equal([...made.keys()].sort());
    for (const [name, vector] of made) expect(load(name), name).to.deep.equal(vector);
  });
});
