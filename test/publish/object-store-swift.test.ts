/** An archive published in a real object store, OpenStack Swift; and what of it the stand-in of other tests imitates. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { expect } from "chai";
import { signed } from "../../src/object-store/signed.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { ObjectStore } from "../testkit/servers/object-store.ts";
import { publicContainer, type Swift, skipWithoutSwift, startSwift, swiftKeys } from "../testkit/servers/swift.ts";

/** Status and code of an answer, and its ETag. */
async function ask(url: string, method: "GET" | "PUT" | "DELETE", body = "", more: Record<string, string> = {}) {
  const plain = { "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"), ...more };
  const headers = await signed(method, new URL(url), plain, { url, region: "us-east-1", keys: swiftKeys });
  const answer = await fetch(url, { method, headers, ...(body === "" ? {} : { body }) });
  const code = /<Code>(\w+)/.exec(await answer.text())?.[1];
  return [answer.status, code ?? answer.headers.get("etag") ?? ""];
}

/** What a server makes of requests about one object. */
async function behaviour(bucket: string): Promise<unknown[]> {
  const object = `${bucket}/a%2Bb~%20%21`;
  const other = createHash("sha256").update("other").digest("hex");
  return [
    await ask(object, "PUT", "hello"),
    await ask(object, "GET"),
    await ask(object, "PUT", "x", { "if-none-match": "*" }),
    await ask(object, "PUT", "x", { "if-match": '"5d41402abc4b2a76b9719d911017c592"' }),
    await ask(object, "PUT", "x", { "x-amz-content-sha256": other }),
    await ask(object, "DELETE"),
    await ask(object, "DELETE"),
    await ask(object, "GET"),
  ];
}

describe("an archive in OpenStack Swift", function () {
  this.timeout(120_000);
  let swift: Swift;

  before(async function () {
    skipWithoutSwift(this);
    swift = await startSwift();
    process.env.AWS_ACCESS_KEY_ID = swiftKeys.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = swiftKeys.secretAccessKey;
  });

  after(async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    await swift?.stop();
  });

  it("is published, read by clients, and changed", async () => {
    const place = await publicContainer(swift, "feeds");
    const archive = await TestArchive.make();
    try {
      const text = await fs.readFile(archive.config, "utf8");
      const lines = `root = s3://feeds/site\nroot-local = ${archive.site}\ns3-endpoint = ${swift.url}\n`;
      await fs.writeFile(archive.config, text.replace(/^root = .*\n/m, lines));
      await archive.writeProfile({ url: `${place}/site/` });
      await archive.addPackage("gamma+1~rc1", "2:1.0+b-1");
      const publish = async (at: number) => {
        const document = documentOf(await runHere(archive.keeperArgs(at, "publish", "--config", archive.config)));
        expect(document.error).to.equal(undefined);
        return document;
      };
      const first = await publish(published + hour);
      expect(first.objectStore).to.deep.include({ uploaded: 9, removed: 0 });
      expect(first.warnings?.join()).to.contain("does not support conditional writes");
      await archive.accept(published + 2 * hour, "update");
      await archive.accept(published + 2 * hour, "fetch", "alpha", "gamma+1~rc1", "--output", archive.out);
      const head = await fetch(`${place}/site/feeds/base/Packages`);
      expect(head.headers.get("cache-control")).to.equal("no-cache");
      await fs.rm(archive.file("beta_2.0-1_all.ipk"));
      expect((await publish(published + 3 * hour)).objectStore).to.deep.include({ uploaded: 4, removed: 1 });
      expect((await publish(published + 4 * hour)).objectStore).to.deep.include({ uploaded: 0, removed: 0 });
      await archive.accept(published + 4 * hour, "update");
      const gone = await fetch(`${place}/site/feeds/base/beta_2.0-1_all.ipk`);
      expect(gone.status).to.equal(404);
    } finally {
      await archive.remove();
    }
  });

  it("answers as the stand-in does", async () => {
    await publicContainer(swift, "facts");
    const standIn = await ObjectStore.start();
    standIn.conditions = false;
    try {
      expect(await behaviour(`${standIn.url}/facts`)).to.deep.equal(await behaviour(`${swift.url}/facts`));
    } finally {
      await standIn.close();
    }
  });
});
