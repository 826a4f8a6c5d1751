/** Descriptors that a caller hands over: each yields its text once, and a command may want it for several keys. */
import { closeSync, readFileSync } from "node:fs";

const texts = new Map<number, string>();

/**
 * All that a descriptor yields. It is read once and closed; asked again, the text is remembered.
 * @throws the system's error if it can't be read
 */
export function readDescriptor(descriptor: number): string {
  const known = texts.get(descriptor);
  // Its number may be another file's by now.
  if (known !== undefined) return known;
  const text = readFileSync(descriptor, "utf8");
  if (descriptor > 2) closeSync(descriptor);
  texts.set(descriptor, text);
  return text;
}

/** Forgets what was read: for the next command line. */
export function forgetDescriptors(): void {
  texts.clear();
}
