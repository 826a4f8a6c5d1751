/**
 * Use case: verify a signed pkgsrc package. feedkey first judges the signature by the rules for an index (T7, T8). Then it
 * verifies each block before it uses the block, and names the output file only after it has verified all blocks.
 */
import { basename } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { stageStream } from "../../files/staged-stream.ts";
import { packageName } from "../../formats/pkgsrc/package-summary.ts";
import { checkSignatures, makersNamed, readSignatureFile } from "../../openpgp/check/detached.ts";
import { armor, dearmor } from "../../openpgp/packet/armor.ts";
import { damage, quote } from "../../packages/damage.ts";
import { isPackageName } from "../../packages/file-names.ts";
import { HashedSource } from "../../packages/hashed-source.ts";
import { type PackageHash, parsePackageHash } from "../../packages/package-hash.ts";
import { isSignedPackage, readContents } from "../../packages/pkgsrc-package.ts";
import { type SignedParts, signedParts } from "../../packages/signed-package.ts";
import { type ByteSource, withPackage } from "../../packages/source.ts";
import type { Judged } from "../../refresh/certificate-pool.ts";
import { type IndexVerdict, judgeIndex } from "../../trust/index-signature.ts";

/** What the signature in a signed package must satisfy. */
interface PackagePolicy {
  /** The feed that a delegate must be allowed to sign; if empty, the delegate need only be allowed to sign some feed. */
  readonly feed: string;
  readonly threshold: number;
}

export interface VerifiedPackage {
  readonly path: string;
  /** The package's name and version, as they were signed. */
  readonly package: string;
  /** Size in bytes of the package inside the signed file. */
  readonly size: number;
  readonly verdict: IndexVerdict;
}

/**
 * Verifies a signed package.
 * @param output the file to which feedkey writes the inner package after it has verified the whole package
 * @throws FeedkeyError `no_signature` if the package is unsigned; `bad_package` if it differs from what pkg_admin writes; the
 *   refusal of the signature; `size_mismatch`, `digest_mismatch`; `bad_path` if the file has another package's name
 */
export async function verifySignedPackage(
  path: string,
  judged: Judged,
  policy: PackagePolicy,
  output?: string,
): Promise<VerifiedPackage> {
  try {
    return await withPackage(path, (source) => verifyOpen(source, path, judged, policy, output));
  } catch (error) {
    throw nameIt(path, error);
  }
}

/** Returns the error with the package's path before its message. */
function nameIt(path: string, error: unknown): unknown {
  if (!(error instanceof FeedkeyError) || error.code === "internal" || error.code === "output") return error;
  const { code, message, details, hint, cause } = error;
  return new FeedkeyError(code, `package ${quote(path)}: ${message}`, { details: { ...details, path }, cause, hint });
}

async function verifyOpen(
  source: ByteSource,
  path: string,
  judged: Judged,
  policy: PackagePolicy,
  output: string | undefined,
): Promise<VerifiedPackage> {
  if (!isSignedPackage(source)) {
    throw new FeedkeyError("no_signature", "it is not signed", {
      hint: "verify the package with the index of its feed instead: feedkey verify INDEX PACKAGE",
    });
  }
  const parts = signedParts(source);
  const verdict = await judgeSignature(parts, judged, policy);
  const hash = parsePackageHash(parts.hash);
  refuseOtherNames(path, parts, hash);
  const inner = new HashedSource(parts.inner, hash);
  await release(inner, hash.pkgname, output);
  return { path, package: hash.pkgname, size: hash.fileSize, verdict };
}

/** Refuses anything but exactly one signature in canonical armor, because no digest covers the bytes of this file. */
function refuseLooseArmor(bytes: Uint8Array): void {
  // Only the armor headers that gpg may write are allowed (RFC 9580 section 6.2.2).
  const text = Buffer.from(bytes).toString("latin1");
  const plain = text.replace(/^(-----BEGIN PGP SIGNATURE-----\n)(?:(?:Version|Comment): [\x20-\x7e]*\n)+\n/, "$1\n");
  const [packets, ...others] = dearmor(bytes, "SIGNATURE");
  const right = packets === undefined ? "" : armor(packets, "SIGNATURE");
  if (others.length === 0 && (plain === right || plain === right.replace(/\n=.{4}\n-/, "\n-"))) return;
  throw new FeedkeyError("bad_signature_data", '"+PKG_GPG_SIGNATURE" is not one armored signature as gpg writes it');
}

async function judgeSignature(parts: SignedParts, judged: Judged, policy: PackagePolicy): Promise<IndexVerdict> {
  refuseLooseArmor(parts.signature);
  const signatures = readSignatureFile(parts.signature, '"+PKG_GPG_SIGNATURE"');
  if (signatures.length > 1) {
    throw new FeedkeyError(
      "bad_signature_data",
      `expected one signature in "+PKG_GPG_SIGNATURE", found ${signatures.length}`,
    );
  }
  const { keys, trust } = (await judged.including?.(makersNamed(signatures))) ?? judged;
  const checked = await checkSignatures(signatures, parts.hash, keys);
  const terms = { requireFeedName: false, requireExpiry: false, maxIndexAge: undefined };
  const verdict = judgeIndex(checked, trust, { ...policy, ...terms });
  if ("signers" in verdict) return verdict;
  const { code, reason, issuer } = verdict;
  const scope = policy.feed === "" ? "; if its signer may sign for some feeds only, give the feed with --feed" : "";
  throw new FeedkeyError(code, `the signature by ${issuer} is refused: ${reason}`, {
    details: { signer: issuer, because: reason },
    hint: `do not install the package${scope}`,
  });
}

/** Refuses a package whose file name is that of another package: people and pkg_add would mistake this package for the other. */
function refuseOtherNames(path: string, { innerName }: SignedParts, { pkgname }: PackageHash): void {
  const isNamed = (name: string) => {
    const ending = name.slice(pkgname.length);
    return name.startsWith(pkgname) && isPackageName(ending, "pkgsrc") && ending.lastIndexOf(".") === 0;
  };
  if (!isNamed(innerName)) {
    throw damage(`the package inside is called ${quote(innerName)}, but ${quote(pkgname)} was signed`);
  }
  if (isNamed(basename(path))) return;
  const problem = `the signed package is ${escapeText(pkgname)}, which does not match the file's name`;
  throw new FeedkeyError("bad_path", problem, {
    details: { package: pkgname },
    hint: `someone may have put this file in the place of another package; if this is the package that you want, rename the file to ${escapeText(innerName)}`,
  });
}

/** Reads and verifies all blocks, compares the name in the package, and only then gives the output file its name. */
async function release(inner: HashedSource, pkgname: string, output: string | undefined): Promise<void> {
  const file = output === undefined ? undefined : await stageStream(output);
  try {
    for (const block of inner.blocks()) await file?.write(block);
    const name = packageName(await readContents(inner));
    if (name !== pkgname)
      throw damage(`the package inside is ${escapeText(name)}, but ${escapeText(pkgname)} was signed`);
    await file?.commit();
  } catch (error) {
    await file?.discard();
    throw error;
  }
}
