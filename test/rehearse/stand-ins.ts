/** Programs put first on the search path: to see where a client works, to hold it there, and for those that Debian does not have. */
import * as fs from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Runs an action with other environment variables; undefined takes one away. */
export async function withEnvironment<T>(
  changes: Readonly<Record<string, string | undefined>>,
  action: () => Promise<T>,
): Promise<T> {
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, process.env[name]]));
  const set = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  set(changes);
  try {
    return await action();
  } finally {
    set(before);
  }
}

/** Writes a shell script as a program. @returns the search path with it in front */
export async function standIn(folder: string, name: string, script: string): Promise<string> {
  await fs.mkdir(folder, { recursive: true });
  await fs.writeFile(join(folder, name), `#!/bin/sh\n${script}`, { mode: 0o755 });
  return [folder, process.env.PATH ?? ""].join(delimiter);
}

/**
 * Imitates opkg 0.9.0 built with GPGME and libcurl, beside gpg 2.2.40. Measured facts that it keeps:
 * - it looks for gpg_dir below the offline root, and makes an empty home where there is none;
 * - gpg starts its dirmngr there unless the home's gpg.conf says no-autostart, and that leaves files;
 * - it reads Packages and Packages.asc for `src` and gpg-asc;
 * - it judges signatures in the order of the file, refuses at the first that is not good, and accepts at the first good one;
 * - with TrustOnly it wants ownertrust of the key;
 * - it gives the reason in the line before its last one, and ends with 1.
 */
export const opkg = `
while [ $# -gt 0 ]; do
  case $1 in --conf) conf=$2; shift ;; --offline-root) root=$2; shift ;; update) verb=update ;; esac
  shift
done
[ "$verb" = update ] && [ -d "$root" ] || exit 9
grep -qx 'option check_signature 1' "$conf" && grep -qx 'option signature_type gpg-asc' "$conf" || exit 9
feed=$(sed -n 's|^src feed file://||p' "$conf")
home=$root$(sed -n 's/^option gpg_dir //p' "$conf")
mkdir -p -m 700 "$home"
if ! grep -qsx no-autostart "$home/gpg.conf"; then echo left > "$home/crls.d"; fi
status=$(gpg --homedir "$home" --batch --no-autostart --status-fd 1 --verify "$feed/Packages.asc" "$feed/Packages" 2>&-)
case $status in
  *'] ERRSIG '*) why='No public key' ;;
  *'] BADSIG '*) why='Bad signature' ;;
  *'] TRUST_ULTIMATE'* | *'] TRUST_FULLY'*) exit 0 ;;
  *) why='General error' ;;
esac
echo "error: opkg_verify_gpg_signature: Signature status returned error: $why." >&2
echo "error: pkg_src_verify: Signature verification failed for feed." >&2
exit 1
`;

/**
 * Imitates pkg_admin of pkg_install 20130902 with netpgpverify. Measured facts that it keeps:
 * - `-C FILE` names pkg_install.conf, and the keyring is what GPG_KEYRING_VERIFY says there;
 * - the keyring must be binary, and none of it is read where one key in it is not RSA;
 * - the signature is the member +PKG_GPG_SIGNATURE, over the bytes of +PKG_HASH;
 * - the issuer's key ID must be in the hashed area, and must not begin with 00;
 * - revoked and expired keys are accepted, as gpgv does.
 */
export const pkgAdmin = `
[ "$1" = -C ] && [ "$3" = check-signature ] || exit 9
ring=$(sed -n 's/^GPG_KEYRING_VERIFY=//p' "$2")
if gpg --homedir "$HOME" --batch --list-packets "$ring" 2>&- | grep -A1 'public .*key packet' | grep -q 'algo \\([^1]\\|1[^,]\\)' ||
  [ "$(head -c 1 "$ring" | od -An -tu1)" -lt 128 ]; then
  echo 'pkg_admin: unable to read keyring' >&2
  exit 1
fi
ar p "$4" +PKG_HASH > "$HOME/hash" && ar p "$4" +PKG_GPG_SIGNATURE > "$HOME/signature" || exit 9
if ! gpg --homedir "$HOME" --batch --list-packets "$HOME/signature" 2>&- | grep -q 'hashed subpkt 16 .*key ID [^0]\\|hashed subpkt 16 .*key ID 0[^0]'; then
  echo 'pkg_admin: unable to verify signature' >&2
  exit 1
fi
exec gpgv --keyring "$ring" "$HOME/signature" "$HOME/hash"
`;
