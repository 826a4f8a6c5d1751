/** The quick reading beside the one that decides: what the first finds, the second finds too. */

import { gzipSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { readControlFrom } from "../../src/package/control.ts";
import { findControlMember, findControlQuickly, inflateControl } from "../../src/package/control-quick.ts";
import { bytesSource } from "../../src/package/source.ts";
import { ar, controlTar, tar, VERSION } from "./build-package.ts";

const text = "Package: a\nVersion: 1\n";
const gz = (data: Uint8Array) => ({ name: "control.tar.gz", data: gzipSync(data) });
const data = { name: "data.tar.gz", data: gzipSync(tar([])) };

function quickly(file: Buffer): Uint8Array | undefined {
  const member = findControlMember(file, file.length);
  if (member === undefined || !member.name.endsWith(".gz")) return undefined;
  const archive = inflateControl(member.bytes);
  return archive && findControlQuickly(archive);
}

async function slowly(file: Buffer): Promise<Uint8Array | undefined> {
  return await readControlFrom(bytesSource(file)).then(
    ({ control }) => control,
    () => undefined,
  );
}

describe("package/control-quick", () => {
  const usual = ar([VERSION, gz(controlTar(text)), data]);

  it("reads a package in the usual form", () => {
    expect(Buffer.from(quickly(usual) ?? []).toString()).to.equal(text);
  });

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
    "data before control": ar([VERSION, data, gz(controlTar(text))]),
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
    it(`leaves to the other reading: ${what}`, () => expect(quickly(file)).to.equal(undefined));
  }

  it("never finds what the other reading does not", async () => {
    let found = 0;
    const plain = controlTar(text);
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.nat(plain.length - 1),
        fc.integer({ min: 0, max: 255 }),
        async (inside, at, value) => {
          // Inside of the tar archive, whose compression would hide nearly every change, or in the package itself.
          const archive = Buffer.from(plain);
          if (inside) archive[at % 1024] = value;
          const file = ar([VERSION, gz(archive), data]);
          if (!inside) file[at % file.length] = value;
          const quick = quickly(file);
          if (quick === undefined) return;
          found++;
          expect(Buffer.from(quick)).to.deep.equal(Buffer.from((await slowly(file)) ?? []));
        },
      ),
      { numRuns: 1500 },
    );
    expect(found).to.be.above(20);
  });
});
