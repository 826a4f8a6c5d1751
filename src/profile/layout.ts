/** Paths on which archives and clients agree. */

/** The path of the key bundle below the archive's URL. */
export const bundlePath = "keys/archive-keyring.pgp";
