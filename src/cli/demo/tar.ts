/** Makes minimal tar archives for the demo's packages: regular files with short names (POSIX ustar, tar(5)). */

const block = 512;

/** Returns a tar archive. @param files the contents of each file, by its name, which has at most 100 ASCII characters */
export function tar(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries = [...files].flatMap(([name, bytes]) => [
    header(name, bytes.length),
    bytes,
    Buffer.alloc((block - (bytes.length % block)) % block),
  ]);
  return Buffer.concat([...entries, Buffer.alloc(2 * block)]);
}

function header(name: string, size: number): Uint8Array {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, digits: number) =>
    bytes.write(value.toString(8).padStart(digits, "0"), at, "latin1");
  bytes.write(name, 0, 100, "latin1");
  octal(0o644, 100, 7);
  // Owner and group are 0, the date is 1970-01-01.
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(0, 136, 11);
  bytes.write("ustar\x0000", 257, "latin1");
  bytes.write("0", 156, "latin1");
  // The checksum covers the header with spaces in the checksum's field.
  bytes.fill(" ", 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  octal(sum, 148, 6);
  bytes[154] = 0;
  return bytes;
}
