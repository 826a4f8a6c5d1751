/**
 * Size limits for packages and compressed indexes. A real package stays far below these limits. feedkey refuses larger data
 * before it allocates memory for the data.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Number of members in an `ar` archive. A package has three members; a signed package has a few more. */
export const MAX_AR_MEMBERS = 1000;

/** Bytes of a member name in an `ar` archive, including long names. */
export const MAX_AR_NAME = 4 * KiB;

/** Bytes of the GNU table of long member names. */
export const MAX_AR_NAME_TABLE = MiB;

/** Bytes of the `debian-binary` member, which has a version number. */
export const MAX_FORMAT_VERSION = 128;

/** Bytes of `control.tar.*`, compressed. */
export const MAX_CONTROL_MEMBER = 8 * MiB;

/** Bytes of the decompressed `control.tar`. */
export const MAX_CONTROL_TAR = 32 * MiB;

/** Bytes of the `control` file. */
export const MAX_CONTROL_FILE = MiB;

/** Decompressed bytes before the wanted members in a package that is a compressed tar archive. */
export const MAX_OUTER_TAR = 2 * GiB;

/** Decompressed bytes of a .zst file in memory at once. The wanted members are at the beginning of a package. */
export const MAX_ZSTD_AT_ONCE = 64 * MiB;

/** Decompressed bytes of a .bz2 file in memory at once. */
export const MAX_BZIP2_AT_ONCE = 64 * MiB;

/** Bytes of a pkgsrc package's `+CONTENTS`, which has two lines for each file. */
export const MAX_PKGSRC_CONTENTS = 32 * MiB;

/** Bytes of `+PKG_HASH`, which has a line of 129 bytes for each block. With the usual 64 KiB blocks, this is enough for 8 GiB. */
export const MAX_PKG_HASH = 17 * MiB;

/** Bytes of `+PKG_GPG_SIGNATURE`. */
export const MAX_PKG_SIGNATURE = 64 * KiB;
