/** Generates a new signing subkey for the machine that publishes. The primary key is kept offline. */
import { config, decryptKey, type PrivateKey, readPrivateKey } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import type { Duration, Instant } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { type Algorithm, kinds } from "./generate.ts";
import { lifetimeSeconds, type SecretPacket } from "./make-signature.ts";
import { restateBindings } from "./self-statement.ts";

interface WithNewSubkey {
  readonly subkey: Fingerprint;
  /** The whole key with all secrets, unlocked and armored. */
  readonly whole: string;
  /** The key with only the new subkey's secret, unlocked and armored. */
  readonly staying: string;
  /** The key's certificate with the new subkey, in binary form. */
  readonly certificate: Uint8Array;
}

/** Generates a new signing subkey. @throws FeedkeyError `usage` for a version 6 key; `bad_certificate` for an unreadable key */
export async function withNewSubkey(
  armored: string,
  terms: {
    readonly algorithm: Algorithm;
    readonly lifetime: Duration | undefined;
    readonly at: Instant;
    readonly passphrase: string | undefined;
  },
): Promise<WithNewSubkey> {
  const { algorithm, lifetime, at, passphrase } = terms;
  let key = await readPrivateKey({ armoredKey: armored });
  if (algorithm === "ed25519-v6" || key.keyPacket.version === 6) {
    throw new FeedkeyError(
      "usage",
      "feedkey can't yet add a signing subkey to a version 6 key, or a version 6 subkey to any key",
      {
        hint: "choose --algorithm ed25519, p256 or rsa3072 for a version 4 key; rotate a version 6 key instead",
      },
    );
  }
  if (passphrase !== undefined) key = await decryptKey({ privateKey: key, passphrase });
  const before = new Set(key.subkeys.map((one) => one.getFingerprint()));
  const more = await key.addSubkey({
    ...kinds[algorithm],
    ...(lifetime === undefined ? {} : { keyExpirationTime: lifetimeSeconds(at + lifetime, at) }),
    sign: true,
    date: new Date(at),
    config: { ...config, v6Keys: false },
  });
  const subkey = more.subkeys.find((one) => !before.has(one.getFingerprint()));
  if (subkey === undefined) throw new FeedkeyError("internal", "the OpenPGP library did not make a subkey");
  await restateBindings(more, [subkey], new Date(at));
  const whole = more.armor();
  const staying = (await readPrivateKey({ armoredKey: whole })) as PrivateKey;
  for (const { keyPacket } of staying.getKeys()) {
    if (keyPacket.getFingerprint() !== subkey.getFingerprint()) (keyPacket as SecretPacket).makeDummy();
  }
  return {
    subkey: subkey.getFingerprint().toUpperCase(),
    whole,
    staying: staying.armor(),
    certificate: more.toPublic().write() as Uint8Array,
  };
}
