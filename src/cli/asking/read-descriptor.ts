/** Reads descriptors that the caller opened. Each can be read only once, but a command may need the text for several keys. */
import { closeSync, readFileSync } from "node:fs";

const texts = new Map<number, string>();

/**
 * The whole text of a descriptor. It is read once and closed; later calls return the same text.
 * @throws the system's error if it can't be read
 */
export function readDescriptor(descriptor: number): string {
  const known = texts.get(descriptor);
  // The number may now belong to another file.
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
