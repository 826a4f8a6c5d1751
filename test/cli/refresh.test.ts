/** When `feedkey refresh` calls itself done: a timer goes on to the next command only then. */
import { expect } from "chai";
import { LiveArchive } from "../testkit/archives/live-archive.ts";

describe("feedkey refresh", () => {
  let archive: LiveArchive;
  let key: string;

  beforeEach(async () => {
    archive = await LiveArchive.make();
    key = await archive.keygen();
    await archive.publish(key);
    await archive.ship(key);
  });

  afterEach(() => archive.remove());

  it("is done when it hears of a revocation: nobody need be asked about that key any more", async () => {
    const successor = await archive.rotate("--at-once");
    const first = await archive.accept("refresh");
    expect(first.added).to.have.members([key, successor]);
    await archive.revokeAsCompromised(successor);
    const { dropped, checked, warnings } = await archive.accept("refresh");
    expect(dropped).to.deep.equal([successor]);
    expect(checked).to.deep.equal({ [key]: "found" });
    expect(warnings?.join("\n")).to.include(`key ${successor} is dropped, although it was accepted before`);
    const again = await archive.accept("refresh");
    expect(again.dropped).to.deep.equal([]);
  });

  it("is not done when nobody answers, the first time neither", async () => {
    const unavailable = { code: "unavailable", status: 69 };
    await archive.stopKeyserver();
    const { error } = await archive.refuse(unavailable, "refresh");
    expect(error?.details.fingerprint).to.equal(key);
  });

  it("is not done when nobody answers about a key in use, which stays accepted within grace", async () => {
    await archive.accept("refresh");
    await archive.stopKeyserver();
    const refused = await archive.refuse({ code: "unavailable", status: 69 }, "refresh");
    expect(refused.error?.details.fingerprint).to.equal(key);
    expect(refused.dropped).to.deep.equal([]);
    expect(refused.trusted).to.have.length(1);
  });
});
