/** Builds packages by hand, byte by byte, so that each part can be made wrong. */
import { gzipSync } from "node:zlib";

export const CONTROL = [
  "Package: tiny",
  "Version: 1.0-1",
  "Architecture: all",
  "Maintainer: A. Keeper <keeper@example.org>",
  "Description: a package that holds nothing",
  " It is here to be read.",
  "",
].join("\n");

export interface TarFile {
  readonly name: string;
  readonly data?: string | Uint8Array;
  /** ustar type flag; `0` is a plain file. */
  readonly type?: string;
  /** What the header claims, where it shall not be the truth. */
  readonly size?: number;
  readonly link?: string;
}

/** A ustar archive (POSIX pax, ustar interchange format), with its end mark unless told otherwise. */
export function tar(files: readonly TarFile[], end: Uint8Array = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...files.map(tarEntry), end]);
}

export function tarEntry({ name, data = "", type = "0", size, link = "" }: TarFile): Buffer {
  const content = Buffer.from(data);
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(size ?? content.length).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** As dpkg-deb writes it: the folder, then the file. */
export function controlTar(control: string | Uint8Array = CONTROL): Buffer {
  return tar([
    { name: "./", type: "5" },
    { name: "./control", data: control },
  ]);
}

export interface Member {
  readonly name: string;
  readonly data: string | Uint8Array;
}

export const AR_MAGIC = Buffer.from("!<arch>\n");

/** An `ar` archive. Names go into the header as they are. */
export function ar(members: readonly Member[]): Buffer {
  return Buffer.concat([AR_MAGIC, ...members.map(({ name, data }) => arMember(name, Buffer.from(data)))]);
}

export function arMember(name: string, data: Uint8Array, size = data.length): Buffer {
  const header = [
    name.padEnd(16),
    "0".padEnd(12),
    "0".padEnd(6),
    "0".padEnd(6),
    "100644".padEnd(8),
    String(size).padEnd(10),
    "`\n",
  ].join("");
  return Buffer.concat([Buffer.from(header, "latin1"), data, Buffer.from(data.length % 2 === 1 ? "\n" : "")]);
}

export const VERSION: Member = { name: "debian-binary", data: "2.0\n" };
export const DATA: Member = { name: "data.tar.gz", data: gzipSync(tar([{ name: "./usr/", type: "5" }])) };

/** A .deb, or an .ipk in its newer form. */
export function deb(control: Member = { name: "control.tar.gz", data: gzipSync(controlTar()) }): Buffer {
  return ar([VERSION, control, DATA]);
}

/** A .deb whose control file says so. */
export function debOf(control: string): Buffer {
  return deb({ name: "control.tar.gz", data: gzipSync(controlTar(control)) });
}

/** An .ipk in its older form: the same members in a gzip-compressed tar. */
export function oldIpk(
  members: readonly Member[] = [VERSION, { name: "control.tar.gz", data: gzipSync(controlTar()) }, DATA],
): Buffer {
  return gzipSync(tar(members.map(({ name, data }) => ({ name: `./${name}`, data }))));
}
