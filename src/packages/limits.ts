/**
 * Upper bounds for what is read from a package or a compressed index. A real package stays far below them; anything above is
 * refused before memory is taken for it.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Members of an `ar` archive. A package has three, a signed one a few more. */
export const MAX_AR_MEMBERS = 1000;

/** Bytes of one member name in an `ar` archive, long forms included. */
export const MAX_AR_NAME = 4 * KiB;

/** Bytes of the GNU table of long member names. */
export const MAX_AR_NAME_TABLE = MiB;

/** Bytes of the `debian-binary` member, which has a version number. */
export const MAX_FORMAT_VERSION = 128;

/** Bytes of `control.tar.*`, compressed. */
export const MAX_CONTROL_MEMBER = 8 * MiB;

/** Bytes of `control.tar` once decompressed. */
export const MAX_CONTROL_TAR = 32 * MiB;

/** Bytes of the `control` file. */
export const MAX_CONTROL_FILE = MiB;

/** Decompressed bytes of a compressed outer tar before the wanted members. */
export const MAX_OUTER_TAR = 2 * GiB;

/** Decompressed bytes of a .zst in memory at once: the wanted members are at a package's beginning. */
export const MAX_ZSTD_AT_ONCE = 64 * MiB;

/** The same of a .bz2. */
export const MAX_BZIP2_AT_ONCE = 64 * MiB;

/** Bytes of a pkgsrc package's `+CONTENTS`, which has two lines for each file. */
export const MAX_PKGSRC_CONTENTS = 32 * MiB;

/** Bytes of `+PKG_HASH`: a line of 129 bytes for each block of, usually, 64 KiB; this is enough for 8 GiB. */
export const MAX_PKG_HASH = 17 * MiB;

/** Bytes of `+PKG_GPG_SIGNATURE`. */
export const MAX_PKG_SIGNATURE = 64 * KiB;
