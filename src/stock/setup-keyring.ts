/**
 * Checks whether a setup's keyring still contains only the archive's keys. Its digest does not show this, because the timer changes the
 * keyring.
 */

import { FeedkeyError, orRefusal, unlessRefused } from "../error.ts";
import type { Found, TargetRoot } from "../files/target-root.ts";
import { writeCertificates } from "../openpgp/certificate/certificate.ts";
import { readKeys } from "../openpgp/certificate/read-keys.ts";
import { armor } from "../openpgp/packet/armor.ts";
import { ClientStateView } from "../store/client-state-view.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { foreignFile, keysOfHome, removeHome } from "./gnupg-home.ts";
import { stateName } from "./setup-item.ts";

/** Returns the keys that the system's client knows; `export` chooses from these keys. */
async function knownKeys(root: TargetRoot, profile: string): Promise<ReadonlySet<Fingerprint>> {
  const state = await orRefusal(async () => ClientStateView.openReadOnly(await root.hostPath(stateName), profile));
  return new Set(state instanceof FeedkeyError ? [] : state.certificates().keys());
}

/**
 * Returns the fingerprints in a keyring file; undefined if the file contains anything but certificates in the form that `export` writes.
 */
function keysOf(bytes: Uint8Array): Fingerprint[] | undefined {
  return unlessRefused(() => {
    const { certificates, secretKeys } = readKeys(bytes);
    const keyring = writeCertificates(certificates);
    const same = keyring.equals(bytes) || armor(keyring, "PUBLIC KEY BLOCK") === Buffer.from(bytes).toString("utf8");
    return same && secretKeys === 0 ? certificates.map(({ fingerprint }) => fingerprint) : undefined;
  });
}

/**
 * Returns why feedkey may not remove a keyring; undefined if it may.
 * @param path the path, below the root, of a keyring file or of opkg's GnuPG home
 */
export async function foreignKeyring(
  root: TargetRoot,
  path: string,
  found: Found,
  profile: string,
): Promise<string | undefined> {
  if (found.kind === "absent" || (found.kind === "folder" && found.names.length === 0)) return undefined;
  let keys = found.kind === "file" ? keysOf(found.bytes) : undefined;
  if (found.kind === "folder") {
    const home = await root.hostPath(path);
    const foreign = await foreignFile(home, found.names);
    if (foreign !== undefined) return foreign;
    keys = await keysOfHome(home);
    if (keys === undefined) return "can't be checked without gpg";
  }
  if (keys === undefined) return "is no longer a keyring as feedkey writes it";
  const known = await knownKeys(root, profile);
  const stranger = keys.find((key) => !known.has(key));
  return stranger === undefined ? undefined : `contains a key that is not the archive's, ${stranger}`;
}

/**
 * Removes a keyring for which `foreignKeyring` returned undefined, and what a killed run left beside it.
 * @throws FeedkeyError `output` or `bad_path` if the keyring can't be removed
 */
export async function removeKeyring(root: TargetRoot, path: string, found: Found): Promise<void> {
  if (found.kind === "file") await root.remove(path);
  else await removeHome(await root.hostPath(path));
}
