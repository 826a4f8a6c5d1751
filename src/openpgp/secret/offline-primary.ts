/** Primary keys that only certify: a master's, alone; or one to be carried away, with a signing subkey that stays. */
import { enums, generateKey, type PrivateKey, readPrivateKey } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import { type generate, kinds, lock, type NewKey, revocationsOf, splitUserId } from "./generate.ts";
import { lifetimeSeconds, type SecretPacket } from "./make-signature.ts";
import { SecretKey } from "./secret-key.ts";
import { restateSelf } from "./self-statement.ts";

export interface SplitKey {
  /** Everything: for the machine or stick that leaves. */
  readonly whole: NewKey;
  /** Without the primary key's secret (GnuPG's "dummy" form): for the machine that publishes. */
  readonly staying: NewKey;
}

type KeyOptions = Parameters<typeof generate>[0];

/** @throws FeedkeyError `usage` for a user ID without name and address, or for v6 keys */
async function generateCertifying(
  options: KeyOptions,
  subkeys: "with a signing subkey" | "alone",
): Promise<PrivateKey> {
  const { userId, algorithm, at, lifetime } = options;
  if (algorithm === "ed25519-v6") {
    throw new FeedkeyError("usage", "a v6 key can't have a primary that only certifies yet", {
      hint: "choose ed25519, p256 or rsa3072",
    });
  }
  const date = new Date(at);
  const seconds = lifetime === undefined ? {} : { keyExpirationTime: lifetimeSeconds(at + lifetime, at) };
  const { privateKey: key } = await generateKey({
    ...kinds[algorithm],
    ...seconds,
    userIDs: [splitUserId(userId, options.userIdForm)],
    subkeys: subkeys === "alone" ? [] : [{ ...kinds[algorithm], ...seconds, sign: true }],
    date,
    format: "object",
  });
  await restateSelf(key, date, enums.keyFlags.certifyKeys);
  return key;
}

async function asNewKey(key: PrivateKey, { at, passphrase }: KeyOptions): Promise<NewKey> {
  return {
    fingerprint: key.getFingerprint().toUpperCase(),
    certificate: key.toPublic().armor(),
    revocations: await revocationsOf(await SecretKey.open(key.armor(), async () => ""), at),
    privateKey: passphrase === undefined ? key.armor() : await lock(key.armor(), passphrase),
  };
}

/**
 * Makes a master key: it certifies and never signs, and has no subkey.
 * @throws FeedkeyError `usage` for a user ID without name and address, or for v6 keys
 */
export async function generateMaster(options: KeyOptions): Promise<NewKey> {
  return await asNewKey(await generateCertifying(options, "alone"), options);
}

/**
 * Makes a key whose primary only certifies and a subkey that signs. Both parts are locked with the same passphrase.
 * @throws FeedkeyError `usage` for a user ID without name and address, or for v6 keys
 */
export async function generateSplit(options: KeyOptions): Promise<SplitKey> {
  const whole = await asNewKey(await generateCertifying(options, "with a signing subkey"), options);
  const staying = await readPrivateKey({ armoredKey: whole.privateKey });
  (staying.keyPacket as SecretPacket).makeDummy();
  return { whole, staying: { ...whole, privateKey: staying.armor() } };
}
