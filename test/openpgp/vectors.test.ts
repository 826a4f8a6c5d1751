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

  it("are what the generator makes", () => {
    const made = makeVectors();
    expect(names.toSorted()).to.deep.equal([...made.keys()].sort());
    for (const [name, vector] of made) expect(load(name), name).to.deep.equal(vector);
  });
});
