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
 * opkg 0.9.0 (GPGME) in these points, as measured: it looks for gpg_dir below the offline root, makes an empty home where there
 * is none, lets gpg start what it wants to start, stops at the first signature that is not good, wants trust, and says why before its
 * last line.
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
 * pkg_admin 20130902 (netpgpverify) in these points, as measured: it takes a signed package apart, reads the keyring that
 * pkg_install.conf names, wants that binary, and reads none of it where one key is not RSA.
 */
export const pkgAdmin = `
[ "$1" = -C ] && [ "$3" = check-signature ] || exit 9
ring=$(sed -n 's/^GPG_KEYRING_VERIFY=//p' "$2")
if gpg --homedir "$HOME" --batch --list-packets "$ring" 2>&- | grep -A1 'public .*key packet' | grep -q 'algo [^1]'; then
  echo 'pkg_admin: unable to read keyring' >&2
  exit 1
fi
ar p "$4" +PKG_HASH > "$HOME/hash" && ar p "$4" +PKG_GPG_SIGNATURE > "$HOME/signature" || exit 9
exec gpgv --keyring "$ring" "$HOME/signature" "$HOME/hash"
`;
