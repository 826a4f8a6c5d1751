/**
 * Merges two copies of a secret key. For example, one copy may lack the primary key's secret, and the other copy may lack a newer
 * subkey.
 */
import { readPrivateKey, SecretKeyPacket, SecretSubkeyPacket } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import { armor, dearmor } from "../packet/armor.ts";
import { type Packet, readPackets, tags, writePackets } from "../packet/packets.ts";
import type { SecretPacket } from "./make-signature.ts";

/**
 * A primary key or a subkey, with all packets before the next key. feedkey keeps the bytes unchanged, because the OpenPGP library
 * would drop packets that it can't read.
 */
interface Component {
  /** A string that identifies the key in every copy, locked or not. */
  readonly name: string;
  readonly hasSecret: boolean;
  readonly key: Packet;
  readonly others: readonly Packet[];
}

/**
 * Reads a transferable secret key (RFC 9580 section 10.2).
 * @param hint the user's next step, if any
 * @throws FeedkeyError `bad_certificate` if the secret key is unreadable
 */
export async function readSecretKey(armored: string, hint?: string) {
  try {
    return await readPrivateKey({ armoredKey: armored });
  } catch (cause) {
    throw new FeedkeyError("bad_certificate", "the secret key can't be read", { cause, hint });
  }
}

/** Reads a secret key packet with the OpenPGP library. Returns undefined if the library does not support the key's algorithm. */
async function parse({ tag, body }: Packet): Promise<SecretPacket | undefined> {
  const packet = tag === tags.secretKey ? new SecretKeyPacket() : new SecretSubkeyPacket();
  try {
    await packet.read(body);
    return packet;
  } catch {
    return undefined;
  }
}

/**
 * Returns a string that identifies a key with an unknown algorithm: the key's first signature. The boundary between the key's
 * public and secret parts is unknown, but the binding signature is the same in every copy.
 */
function nameOfUnknown(key: Packet, others: readonly Packet[]): string {
  const { body } = others.find(({ tag }) => tag === tags.signature) ?? key;
  return Buffer.from(body).toString("hex");
}

async function componentsOf(armored: string): Promise<Component[]> {
  const [block = new Uint8Array()] = dearmor(Buffer.from(armored, "latin1"), "PRIVATE KEY BLOCK");
  const groups: { readonly key: Packet; readonly others: Packet[] }[] = [];
  for (const packet of readPackets(block)) {
    const isKey = packet.tag === tags.secretKey || packet.tag === tags.secretSubkey;
    if (isKey) groups.push({ key: packet, others: [] });
    else groups.at(-1)?.others.push(packet);
  }
  const components: Component[] = [];
  for (const { key, others } of groups) {
    const parsed = await parse(key);
    const name = parsed?.getFingerprint() ?? nameOfUnknown(key, others);
    components.push({ name, hasSecret: parsed === undefined || !parsed.isDummy(), key, others });
  }
  return components;
}

/**
 * Whether a copy contains every secret in a key, with the same bytes. A locked secret with different bytes does not count, because
 * it may be damaged.
 * @throws FeedkeyError `bad_certificate` if a secret key is unreadable
 */
export async function hasSameSecrets(copy: string, key: string): Promise<boolean> {
  for (const one of [copy, key]) await readSecretKey(one);
  const bytesOf = ({ key: { tag, body } }: Component) => `${tag} ${Buffer.from(body).toString("hex")}`;
  const copied = new Set((await componentsOf(copy)).map(bytesOf));
  return (await componentsOf(key)).every((one) => !one.hasSecret || copied.has(bytesOf(one)));
}

/**
 * Returns the present copy of a secret key, and adds every secret that only the other copy has. The secrets in the present copy
 * stay unchanged.
 * @param present an armored transferable secret key
 * @param other another copy of this key
 * @returns undefined if the other copy has no further secret
 * @throws FeedkeyError `bad_certificate` if a copy is unreadable, or the copies belong to different keys
 */
export async function uniteSecrets(present: string, other: string): Promise<string | undefined> {
  for (const one of [present, other]) await readSecretKey(one);
  const [here, there] = [await componentsOf(present), await componentsOf(other)];
  if (here[0]?.name !== there[0]?.name) {
    throw new FeedkeyError("bad_certificate", "the stored secret key and the new one are not copies of the same key", {
      hint: "restore the right file from a backup",
    });
  }
  const united = new Map(here.map((one) => [one.name, one]));
  let added = false;
  for (const one of there) {
    const known = united.get(one.name);
    if (!one.hasSecret || known?.hasSecret === true) continue;
    united.set(one.name, known === undefined ? one : { ...known, key: one.key });
    added = true;
  }
  if (!added) return undefined;
  const packets = [...united.values()].flatMap(({ key, others }) => [key, ...others]);
  return armor(writePackets(packets), "PRIVATE KEY BLOCK");
}
