/**
 * Reads file descriptors that the program inherited. feedkey can read a pipe only once, but may need the passphrase in it for
 * several keys, so it keeps the text.
 */
import { closeSync, readFileSync } from "node:fs";

const texts = new Map<number, string>();

/**
 * Returns the whole text from a file descriptor. The first call reads and closes the file descriptor; later calls return the
 * same text.
 * @throws the system's error if the file descriptor can't be read
 */
export function readDescriptor(descriptor: number): string {
  const known = texts.get(descriptor);
  // After the first call the number may belong to another file, so it must not be read again.
  if (known !== undefined) return known;
  const text = readFileSync(descriptor, "utf8");
  if (descriptor > 2) closeSync(descriptor);
  texts.set(descriptor, text);
  return text;
}

/** Discards the texts that this module has kept, before the program runs another command line. */
export function forgetDescriptors(): void {
  texts.clear();
}
