/**
 * Reads file descriptors that the caller opened. A file descriptor can be read only once, but a command may need its text for
 * several keys.
 */
import { closeSync, readFileSync } from "node:fs";

const texts = new Map<number, string>();

/**
 * Returns the whole text of a file descriptor. Reads and closes the file descriptor at the first call; later calls return the
 * same text.
 * @throws the system's error if the file descriptor can't be read
 */
export function readDescriptor(descriptor: number): string {
  const known = texts.get(descriptor);
  // The number may now belong to another file, so it is not read again.
  if (known !== undefined) return known;
  const text = readFileSync(descriptor, "utf8");
  if (descriptor > 2) closeSync(descriptor);
  texts.set(descriptor, text);
  return text;
}

/** Forgets the texts that were read, before the next command line. */
export function forgetDescriptors(): void {
  texts.clear();
}
