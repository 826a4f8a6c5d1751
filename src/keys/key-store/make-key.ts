/** Use case: make a new key in the key store, with its certificate and its revocation certificates. */
import { FeedkeyError } from "../../error.ts";
import { type Algorithm, generate, type NewKey } from "../../openpgp/secret/generate.ts";
import { generateMaster, generateSplit } from "../../openpgp/secret/offline-primary.ts";
import { KeyStore } from "../../store/key-store.ts";
import type { Duration, Instant } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { addSecretKey } from "../store-certificate.ts";

interface MakeKeyTerms {
  readonly userId: string;
  readonly algorithm: Algorithm;
  readonly at: Instant;
  /** The validity period of the key; undefined if the key never expires. */
  readonly lifetime: Duration | undefined;
  /** The passphrase for all parts of the key; undefined for no passphrase. */
  readonly passphrase: string | undefined;
  /** Folder of another key store, which gets the whole key. This key store then gets only the secret of a signing subkey. */
  readonly offlinePrimary?: string | undefined;
  /** Whether to make a master key: a key that certifies other keys and never signs an index. */
  readonly certifyOnly?: boolean | undefined;
}

/**
 * Makes a key whose primary secret is kept in another key store. The whole key is stored there first, so that a crash does not
 * leave a subkey without its primary key.
 */
async function makeSplit(terms: MakeKeyTerms, folder: string): Promise<NewKey> {
  const { whole, staying } = await generateSplit(terms);
  const away = await KeyStore.open(folder);
  await addSecretKey(away, whole);
  // The key is read back now, so that a problem shows before the key is used.
  await away.privateKey(whole.fingerprint);
  return staying;
}

async function make(terms: MakeKeyTerms): Promise<NewKey> {
  const { offlinePrimary, certifyOnly } = terms;
  if (certifyOnly !== true) {
    return offlinePrimary === undefined ? await generate(terms) : await makeSplit(terms, offlinePrimary);
  }
  if (offlinePrimary === undefined) return await generateMaster(terms);
  throw new FeedkeyError("usage", "--certify-only and --offline-primary can't be combined", {
    hint: "a master key has no signing subkey that could stay on this machine: use --certify-only alone, on the machine where you keep the master key",
  });
}

/**
 * Makes a key and stores the key.
 * @throws FeedkeyError `usage`: when the terms are not valid; `output` or `bad_config`: when the key can't be stored
 */
export async function makeKey(store: KeyStore, terms: MakeKeyTerms): Promise<Fingerprint> {
  const key = await make(terms);
  await addSecretKey(store, key);
  return key.fingerprint;
}
