/**
 * Reads and writes pkg_install's signed packages. A signed package is an `ar` archive with three members: `+PKG_HASH`, a detached
 * signature of `+PKG_HASH`, and the package itself. feedkey's reader is stricter than pkg_add. It accepts only these members in this
 * order, and only the bytes between them that libarchive or binutils writes.
 */
import { type ArMember, HEADER_SIZE, readArMembers } from "./ar.ts";
import { bsdPrefixes, gnuPrefixes, ownerOf, paddingOf, plainOwner } from "./ar-headers.ts";
import { damage, quote } from "./damage.ts";
import { HashedSource } from "./hashed-source.ts";
import { MAX_PKG_HASH, MAX_PKG_SIGNATURE } from "./limits.ts";
import { formatPackageHash, type PackageHash } from "./package-hash.ts";
import { type ByteSource, partOf } from "./source.ts";

const hashName = "+PKG_HASH";
const signatureName = "+PKG_GPG_SIGNATURE";

export interface SignedParts {
  /** The bytes of `+PKG_HASH`, which the signature covers. */
  readonly hash: Uint8Array;
  /** The unchanged bytes of `+PKG_GPG_SIGNATURE`. */
  readonly signature: Uint8Array;
  /** The name of the member with the package itself. */
  readonly innerName: string;
  /** The package itself. */
  readonly inner: ByteSource;
}

/**
 * Splits a signed package into its parts. Does not verify the signature or the digests.
 * @throws FeedkeyError `bad_package` unless the package has exactly this form
 */
export function signedParts(source: ByteSource): SignedParts {
  const members = readArMembers(source);
  const [hash, signature, inner, ...others] = members;
  if (hash?.name !== hashName) throw damage(`expected ${quote(hashName)} as its first member`);
  if (signature?.name !== signatureName) throw damage(`expected ${quote(signatureName)} as its second member`);
  if (inner === undefined) throw damage("has no package inside");
  const [extra] = others;
  if (extra !== undefined)
    throw damage(`has the member ${quote(extra.name)} after the three members of a signed package`);
  if (hash.size > MAX_PKG_HASH || signature.size > MAX_PKG_SIGNATURE) {
    throw damage("has a hash file or a signature over the size limit", { reason: "limits" });
  }
  // All three members have the owner and the time of the unsigned package file.
  const owner = ownerOf(source.read(hash.offset - HEADER_SIZE, HEADER_SIZE));
  if (![bsdPrefixes, gnuPrefixes].some((prefixes) => isFramed(source, members, prefixes(members, owner)))) {
    throw damage("the archive does not have the form that pkg_admin or ar writes", { reason: "headers" });
  }
  return {
    hash: source.read(hash.offset, hash.size),
    signature: source.read(signature.offset, signature.size),
    innerName: inner.name,
    inner: partOf(source, inner.offset, inner.size),
  };
}

/** Whether the archive consists only of these prefixes, the members' contents, and the padding. */
function isFramed(source: ByteSource, members: readonly ArMember[], prefixes: readonly Uint8Array[]): boolean {
  let position = 0;
  for (const [index, { offset, size }] of members.entries()) {
    const prefix = prefixes[index] ?? new Uint8Array();
    if (offset !== position + prefix.length) return false;
    if (Buffer.compare(source.read(position, prefix.length), prefix) !== 0) return false;
    position = offset + size + paddingOf(size).length;
  }
  return position === source.size;
}

/**
 * Yields a signed package piece by piece, in the form that pkg_admin writes. The same input always gives the same bytes.
 * @param signature the armored signature
 * @throws FeedkeyError `size_mismatch` or `digest_mismatch` if the package has changed since it was hashed
 */
export function* signedPackage(
  hash: PackageHash,
  signature: Uint8Array,
  innerName: string,
  inner: ByteSource,
): Generator<Uint8Array, void, undefined> {
  const hashFile = formatPackageHash(hash);
  const members = [
    { name: hashName, size: hashFile.length },
    { name: signatureName, size: signature.length },
    { name: innerName, size: inner.size },
  ];
  const [first, second, third] = bsdPrefixes(members, plainOwner);
  if (first === undefined || second === undefined || third === undefined) return;
  yield Buffer.concat([first, hashFile, paddingOf(hashFile.length)]);
  yield Buffer.concat([second, signature, paddingOf(signature.length), third]);
  yield* new HashedSource(inner, hash).blocks();
  yield paddingOf(inner.size);
}
