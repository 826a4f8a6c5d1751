/** Paths that archives and clients share. */

/** The key bundle, below the archive's URL. */
export const bundlePath = "keys/archive-keyring.pgp";
