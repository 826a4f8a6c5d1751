/** Use case: signs a pkgsrc package for pkg_add, which reads only RSA signatures by keys of version 4. */
import { basename, join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { stageStream } from "../files/staged-stream.ts";
import { packageName } from "../formats/pkgsrc/package-summary.ts";
import { readSignatureFile } from "../openpgp/check/detached.ts";
import { armor } from "../openpgp/packet/armor.ts";
import { nameThePackage } from "../packages/damage.ts";
import { isPackageName } from "../packages/file-names.ts";
import { formatPackageHash, hashPackage } from "../packages/package-hash.ts";
import { isSignedPackage, readContents } from "../packages/pkgsrc-package.ts";
import { signedPackage } from "../packages/signed-package.ts";
import { type ByteSource, withPackage } from "../packages/source.ts";
import { type Instant, wholeSecond } from "../time.ts";
import type { SigningKey } from "./signing-key.ts";

export interface SignedPackageFile {
  readonly package: string;
  /** The path of the signed package. */
  readonly path: string;
  /** The size of the unsigned package, in bytes. */
  readonly size: number;
}

/**
 * Throws if pkg_add can't read signatures by this key.
 * @param signature the binary signature
 * @throws FeedkeyError `bad_config` if the key is not an RSA key of version 4, if its key ID begins with 00, or if the signature does not
 * name the key
 */
function refuseUnreadable(signature: Uint8Array, { facts }: SigningKey): void {
  const [made] = readSignatureFile(signature, "the signature just made");
  const maker = made !== undefined && "raw" in made ? made.raw.issuer.fingerprint : undefined;
  const key = [facts.primary, ...facts.subkeys].find(({ fingerprint }) => fingerprint === maker);
  const refuse = (why: string) =>
    new FeedkeyError("bad_config", `pkg_add can't verify signatures by ${maker ?? "this key"}: ${why}`, {
      details: { fingerprint: facts.primary.fingerprint, signingKey: maker },
      hint: "make an RSA key for packages: feedkey keygen --algorithm rsa3072",
    });
  if (key === undefined) throw refuse("the signature does not name its key");
  if (key.algorithm !== "rsa") throw refuse(`the key is ${escapeText(key.algorithm)}, not RSA`);
  if (key.version !== 4) throw refuse(`the key's version is ${key.version}, not 4`);
  // netpgpverify drops leading zero octets from the key ID, and then does not find the key.
  if (key.keyId.startsWith("00")) throw refuse(`the key ID, ${key.keyId}, begins with 00`);
}

const endings: Readonly<Record<string, string>> = { "1f8b": ".tgz", "425a": ".tbz", fd37: ".txz", "28b5": ".tzst" };

/** Returns the file name that a package must have. Programs such as pkg_install rely on this name. */
function nameOf(source: ByteSource, pkgname: string): string {
  const magic = Buffer.from(source.read(0, 2)).toString("hex");
  return `${pkgname}${endings[magic] ?? ".tgz"}`;
}

/**
 * Signs a package.
 * @param folder the folder for the signed package; if undefined, the signed package replaces the unsigned package
 * @throws FeedkeyError `not_found`, `bad_package`; `bad_path` if the file does not have its package's name; `usage` if the package is
 * already signed; `bad_config` if pkg_add can't read signatures by the key; `output` if the file can't be written; `revoked` or another
 * code if the key may not sign
 */
export async function signPackageFile(
  path: string,
  key: SigningKey,
  at: Instant,
  folder: string | undefined,
): Promise<SignedPackageFile> {
  try {
    return await withPackage(path, (source) => signOpen(source, path, key, at, folder));
  } catch (error) {
    throw nameThePackage(path, error);
  }
}

async function signOpen(
  source: ByteSource,
  path: string,
  key: SigningKey,
  at: Instant,
  folder: string | undefined,
): Promise<SignedPackageFile> {
  if (isSignedPackage(source)) {
    throw new FeedkeyError("usage", `package "${escapeText(path)}" is already signed`, {
      details: { path },
      hint: "first extract the unsigned package: feedkey verify-package FILE -o PLAIN",
    });
  }
  const pkgname = packageName(await readContents(source));
  const name = nameOf(source, pkgname);
  if (basename(path) !== name || !isPackageName(name, "pkgsrc")) {
    throw new FeedkeyError(
      "bad_path",
      `package "${escapeText(path)}" contains ${escapeText(pkgname)}, but its file name does not match`,
      {
        details: { path, package: pkgname, expected: name },
        hint: `rename the file to ${escapeText(name)}: clients refuse a signed package with another file name`,
      },
    );
  }
  const hash = hashPackage(source, pkgname);
  // OpenPGP signatures have dates in whole seconds.
  const signature = await key.secret.signDocument(formatPackageHash(hash), key, { at: wholeSecond(at) });
  refuseUnreadable(signature, key);
  const target = folder === undefined ? path : join(folder, name);
  const file = await stageStream(target, { mode: 0o644 });
  try {
    for (const piece of signedPackage(hash, Buffer.from(armor(signature, "SIGNATURE")), name, source)) {
      await file.write(piece);
    }
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
  return { package: pkgname, path: target, size: source.size };
}
