/** Control data in packages of the usual form, and in those that differ from it in one thing. */
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { readControlFrom } from "../../src/packages/control.ts";
import { bytesSource } from "../../src/packages/source.ts";
import { ar, controlTar, oldIpk, tar, VERSION } from "../testkit/packages/build-package.ts";

const text = "Package: a\nVersion: 1\n";
const gz = (data: Uint8Array) => ({ name: "control.tar.gz", data: gzipSync(data) });
const data = { name: "data.tar.gz", data: gzipSync(tar([])) };
const read = async (file: Uint8Array) =>
  Buffer.from((await readControlFrom(bytesSource(file))).control).toString("latin1");

describe("package/control: forms", () => {
  it("is read from the usual form", async () => {
    expect(await read(ar([VERSION, gz(controlTar(text)), data]))).to.equal(text);
  });

  const control = gz(controlTar(text));
  const unended = { name: "debian-binary", data: "2.0" };
  for (const [what, members] of Object.entries({
    "data before control": [VERSION, data, control],
    "debian-binary last": [control, data, VERSION],
    "debian-binary last, data first": [data, control, VERSION],
    "no debian-binary": [control, data],
    "a version without its newline": [unended, control, data],
  })) {
    it(`is read with ${what}, in either form`, async () => {
      expect(await read(ar(members))).to.equal(text);
      expect(await read(oldIpk(members))).to.equal(text);
    });
  }

  for (const [what, file] of Object.entries({
    "two control files": ar([
      VERSION,
      gz(
        tar([
          { name: "./control", data: text },
          { name: "./control", data: text },
        ]),
      ),
      data,
    ]),
    "no control file": ar([VERSION, gz(tar([{ name: "./other", data: text }])), data]),
    "a fourth member": ar([VERSION, gz(controlTar(text)), data, { name: "more", data: "x" }]),
    "no data": ar([VERSION, gz(controlTar(text))]),
    "another version": ar([{ name: "debian-binary", data: "3.0\n" }, gz(controlTar(text)), data]),
    "a control archive without its end": ar([VERSION, gz(controlTar(text).subarray(0, 1024)), data]),
    "bytes behind the end of the control archive": ar([
      VERSION,
      gz(Buffer.concat([controlTar(text), Buffer.from("x")])),
      data,
    ]),
    "a path that leads out": ar([
      VERSION,
      gz(
        tar([
          { name: "../x", data: "" },
          { name: "./control", data: text },
        ]),
      ),
      data,
    ]),
    ...Object.fromEntries(
      [".//control", "././control", "./control/.", "control/", "/"].map((name) => [
        `the control file under another spelling, ${name}, which is unpacked over the first`,
        ar([
          VERSION,
          gz(
            tar([
              { name: "./control", data: text },
              { name, data: "Package: b\nVersion: 2\n" },
            ]),
          ),
          data,
        ]),
      ]),
    ),
    "a last member without its padding": ar([VERSION, gz(controlTar(text)), { name: "data.tar", data: "x" }]).subarray(
      0,
      -1,
    ),
    "bytes behind the compressed archive": ar([
      VERSION,
      { name: "control.tar.gz", data: Buffer.concat([gzipSync(controlTar(text)), Buffer.of(0)]) },
      data,
    ]),
  })) {
    it(`${what === "a fourth member" ? "is found beside" : "is refused for"} ${what}`, async () => {
      const found = await read(file).catch((error: unknown) => error);
      if (what === "a fourth member") expect(found).to.equal(text);
      else expect(found).to.be.instanceOf(FeedkeyError).with.property("code", "bad_package");
    });
  }

  it("is what stands behind its header, or refused, whatever byte is changed", async () => {
    let found = 0;
    const plain = controlTar(text);
    // Behind the header of the folder and its own.
    const contentAt = 2 * 512;
    await fc.assert(
      fc.asyncProperty(fc.nat(plain.length - 1), fc.integer({ min: 0, max: 255 }), async (at, value) => {
        const archive = Buffer.from(plain);
        archive[at] = value;
        const said = await read(ar([VERSION, gz(archive), data])).catch((error: unknown) => {
          expect(error).to.be.instanceOf(FeedkeyError).with.property("code", "bad_package");
        });
        if (said === undefined) return;
        found++;
        expect(said).to.equal(archive.toString("latin1", contentAt, contentAt + text.length));
      }),
      { numRuns: 1500 },
    );
    expect(found).to.be.above(20);
  });
});
