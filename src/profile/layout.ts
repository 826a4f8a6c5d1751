/** Places that both sides agree on. */

/** The key bundle, below the archive's URL. */
export const bundlePath = "keys/archive-keyring.pgp";
