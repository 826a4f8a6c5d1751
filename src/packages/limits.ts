/**
 * Size limits for packages and compressed indexes. Real packages are far below these limits. feedkey refuses larger data
 * before it allocates memory for the data.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Maximum number of members in an `ar` archive. A package has three members; a signed package has a few more. */
export const MAX_AR_MEMBERS = 1000;

/** Maximum length of a member name in an `ar` archive, in bytes. */
export const MAX_AR_NAME = 4 * KiB;

/** Maximum size of the GNU table of long member names, in bytes. */
export const MAX_AR_NAME_TABLE = MiB;

/** Maximum size of the `debian-binary` member, which contains a version number, in bytes. */
export const MAX_FORMAT_VERSION = 128;

/** Maximum size of the compressed `control.tar.*`, in bytes. */
export const MAX_CONTROL_MEMBER = 8 * MiB;

/** Maximum size of the decompressed `control.tar`, in bytes. */
export const MAX_CONTROL_TAR = 32 * MiB;

/** Maximum size of the `control` file, in bytes. */
export const MAX_CONTROL_FILE = MiB;

/** Maximum number of decompressed bytes that feedkey reads from a package that is a compressed tar archive. */
export const MAX_OUTER_TAR = 2 * GiB;

/** Maximum decompressed size of a .zst file in memory, in bytes. feedkey needs only the first members of a package. */
export const MAX_ZSTD_AT_ONCE = 64 * MiB;

/** Maximum decompressed size of a .bz2 file in memory, in bytes. */
export const MAX_BZIP2_AT_ONCE = 64 * MiB;

/** Maximum size of a pkgsrc package's `+CONTENTS`, in bytes. `+CONTENTS` has two lines for each file of the package. */
export const MAX_PKGSRC_CONTENTS = 32 * MiB;

/**
 * Maximum size of `+PKG_HASH`, in bytes. The file has a line of 129 bytes for each block of the package. With the usual blocks of
 * 64 KiB, the limit is enough for a package of 8 GiB.
 */
export const MAX_PKG_HASH = 17 * MiB;

/** Maximum size of `+PKG_GPG_SIGNATURE`, in bytes. */
export const MAX_PKG_SIGNATURE = 64 * KiB;
