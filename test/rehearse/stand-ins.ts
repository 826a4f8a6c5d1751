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

/** Reads its configuration as opkg does, and lets gpg decide with the home that it names. */
export const opkg = `
while [ $# -gt 0 ]; do
  case $1 in --conf) conf=$2; shift ;; --offline-root) root=$2; shift ;; update) verb=update ;; esac
  shift
done
[ "$verb" = update ] && [ -d "$root" ] || exit 9
grep -qx 'option check_signature 1' "$conf" && grep -qx 'option signature_type gpg-asc' "$conf" || exit 9
feed=$(sed -n 's|^src feed file://||p' "$conf")
home=$(sed -n 's/^option gpg_dir //p' "$conf")
exec gpg --homedir "$home" --batch --no-autostart --verify "$feed/Packages.asc" "$feed/Packages"
`;

/** Takes a signed package apart as pkg_admin does, and lets gpgv decide with the keyring that pkg_install.conf names. */
export const pkgAdmin = `
[ "$1" = -C ] && [ "$3" = check-signature ] || exit 9
ring=$(sed -n 's/^GPG_KEYRING_VERIFY=//p' "$2")
ar p "$4" +PKG_HASH > "$HOME/hash" && ar p "$4" +PKG_GPG_SIGNATURE > "$HOME/signature" || exit 9
exec gpgv --keyring "$ring" "$HOME/signature" "$HOME/hash"
`;
