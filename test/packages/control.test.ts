import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { readControlFrom } from "../../src/packages/control.ts";
import { nameThePackage } from "../../src/packages/damage.ts";
import { type ByteSource, bytesSource, withPackage } from "../../src/packages/source.ts";
import {
  ar,
  CONTROL,
  controlTar,
  DATA,
  deb,
  type Member,
  oldIpk,
  type TarFile,
  tar,
  VERSION,
} from "../testkit/packages/build-package.ts";
import { expectDamage } from "../testkit/packages/package-refusal.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { refusalOf } from "../testkit/refusal.ts";

const read = (bytes: Uint8Array) => readControlFrom(bytesSource(bytes));
const textOf = async (bytes: Uint8Array) => Buffer.from((await read(bytes)).control).toString();
const gz = (bytes: Uint8Array): Member => ({ name: "control.tar.gz", data: gzipSync(bytes) });
/** A package whose control archive has these entries. */
const holding = (...files: readonly TarFile[]) => deb(gz(tar(files)));
const file: TarFile = { name: "./control", data: CONTROL };

const controls: readonly Member[] = [
  { name: "control.tar", data: controlTar() },
  gz(controlTar()),
  { name: "control.tar.xz", data: fs.readFileSync("test/vectors/package/control.tar.xz") },
  { name: "control.tar.zst", data: fs.readFileSync("test/vectors/package/control.tar.zst") },
];

describe("control data of a package", () => {
  for (const control of controls) {
    it(`is read from ${control.name} in an ar archive`, async () => {
      expect(await textOf(deb(control))).to.equal(CONTROL);
      expect((await read(deb(control))).format).to.equal("ar");
    });

    it(`is read from ${control.name} in a tar archive`, async () => {
      expect(await textOf(oldIpk([VERSION, control, DATA]))).to.equal(CONTROL);
      expect((await read(oldIpk([VERSION, control, DATA]))).format).to.equal("tar");
    });
  }

  it("keeps the bytes as they are", async () => {
    const bytes = Buffer.from("Package: caf\xe9\r\n\0\n", "latin1");
    expect(Buffer.from((await read(deb(gz(controlTar(bytes))))).control)).to.deep.equal(bytes);
  });

  it("is found wherever it stands in the control archive, with or without ./", async () => {
    const script = { name: "./postinst", data: "#!/bin/sh\n".repeat(400) };
    expect(await textOf(holding(script, file, { name: "md5sums", data: "x" }))).to.equal(CONTROL);
    expect(await textOf(holding({ name: "control", data: CONTROL }))).to.equal(CONTROL);
    expect(await textOf(holding({ name: "./sub/control", data: "Package: other\n" }, file))).to.equal(CONTROL);
  });

  it("is found behind pax and GNU headers for long names", async () => {
    const long = `./${"n".repeat(150)}`;
    const record = ` path=${long}\n`;
    const pax = { name: "./PaxHeader", type: "x", data: `${record.length + 3}${record}` };
    const gnu = { name: "././@LongLink", type: "L", data: `${long}\0` };
    expect(await textOf(holding(pax, { name: "short", data: "1" }, gnu, { name: "short", data: "2" }, file))).to.equal(
      CONTROL,
    );
  });

  it("is found behind the data in an old package", async () => {
    expect(await textOf(oldIpk([VERSION, DATA, gz(controlTar())]))).to.equal(CONTROL);
  });

  it("may be followed by other members, such as signatures", async () => {
    expect(await textOf(ar([VERSION, gz(controlTar()), DATA, { name: "_gpgorigin", data: "sig" }]))).to.equal(CONTROL);
  });

  it("costs no more than the head of a large package", async () => {
    const filler = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef");
    const data = { name: "data.tar.gz", data: gzipSync(filler, { level: 0 }) };
    for (const bytes of [ar([VERSION, gz(controlTar()), data]), oldIpk([VERSION, gz(controlTar()), data])]) {
      let bytesRead = 0;
      const whole = bytesSource(bytes);
      const counting: ByteSource = {
        size: whole.size,
        read(position, length) {
          bytesRead += length;
          return whole.read(position, length);
        },
      };
      await readControlFrom(counting);
      expect(bytesRead).to.be.below(1024 * 1024);
    }
  });
});

describe("a package file", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "feedkey-package-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));
  const readControl = (path: string) => {
    return withPackage(path, readControlFrom).catch((error: unknown) => Promise.reject(nameThePackage(path, error)));
  };

  it("is read from the disk", async () => {
    fs.writeFileSync(join(folder, "a.ipk"), oldIpk());
    expect(Buffer.from((await readControl(join(folder, "a.ipk"))).control).toString()).to.equal(CONTROL);
  });

  it("is named in what is said about it", async () => {
    const path = join(folder, "a\x1b[2J.deb");
    fs.writeFileSync(path, "!<arch>\n");
    const error = await expectDamage(
      () => readControl(path),
      /^package ".*\/a\\x1b\[2J\.deb": has no member "control\.tar"/,
    );
    expect(error.details.path).to.equal(path);
    expect(error.hint).to.be.a("string");
  });

  it("that is missing is not_found", async () => {
    const error = await refusalOf(() => readControl(join(folder, "none.deb")));
    expect(error.code).to.equal("not_found");
    expect(error.details).to.deep.equal({ path: join(folder, "none.deb") });
  });

  it("that is a folder or a named pipe is refused without waiting", async () => {
    await expectDamage(() => readControl(folder), /is not a regular file/);
    execFileSync("mkfifo", [join(folder, "pipe.deb")]);
    await expectDamage(() => readControl(join(folder, "pipe.deb")), /is not a regular file/);
  });

  it("of the real world is read as dpkg-deb reads it (FEEDKEY_REAL_DEBS)", async function () {
    const real = process.env.FEEDKEY_REAL_DEBS;
    if (!presentOrSkip(this, real, "FEEDKEY_REAL_DEBS names no folder")) return;
    this.timeout(600_000);
    const debs = fs.readdirSync(real).filter((name) => name.endsWith(".deb"));
    expect(debs).to.not.have.length(0);
    for (const name of debs) {
      const path = join(real, name);
      const { control } = await readControl(path);
      expect(Buffer.from(control).toString("latin1"), name).to.equal(
        execFileSync("dpkg-deb", ["--info", path, "control"]).toString("latin1"),
      );
    }
  });
});
