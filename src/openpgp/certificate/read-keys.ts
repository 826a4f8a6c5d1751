/** Reads certificates from files and from servers' answers: armored or binary, in any number of blocks. */
import { type Dearmored, dearmorToEnd } from "../packet/armor.ts";
import { type Keyring, readKeyring } from "./certificate.ts";
import { asLatin1, isText, kindOfFile } from "./kind-of-file.ts";
import { collect } from "./merge.ts";

/**
 * Reads every certificate in a file with any name. Skips bad certificates and lists them in `problems`. If the file has no
 * certificates, `problems` names the kind of file.
 */
export function readKeys(bytes: Uint8Array): Keyring {
  const kind = kindOfFile(bytes);
  if (kind === undefined && !isText(bytes)) return readKeyring(bytes);
  const text = asLatin1(bytes);
  const armored = dearmorToEnd(text, "PUBLIC KEY BLOCK");
  const blocks = armored.blocks.map(readKeyring);
  const broken = brokenIn(armored);
  // Damaged secret keys count too, because a file of certificates must not contain any secret key.
  const secret = countOf(dearmorToEnd(text, "PRIVATE KEY BLOCK"));
  const isEmpty = countOf(armored) + secret === 0;
  const nothing =
    kind === undefined ? "there is no armored certificate in it" : `there is no certificate in it: it is ${kind}`;
  return {
    // A revocation in one block may belong to a key in another block.
    certificates: [...collect(blocks.flatMap(({ certificates }) => certificates)).values()],
    loose: blocks.flatMap(({ loose }) => loose),
    secretKeys: secret + blocks.reduce((sum, { secretKeys }) => sum + secretKeys, 0),
    isWhole: broken.length === 0 && blocks.every(({ isWhole }) => isWhole),
    problems: [...blocks.flatMap(({ problems }) => problems), ...broken, ...(isEmpty ? [nothing] : [])],
  };
}

function countOf({ blocks, broken, beginning }: Dearmored): number {
  return blocks.length + broken.length + (beginning === undefined ? 0 : 1);
}

function brokenIn({ broken, beginning }: Dearmored): string[] {
  const reasons = beginning === undefined ? broken : [...broken, "it has no end"];
  return reasons.map((reason) => `an armored block is broken: ${reason}`);
}
