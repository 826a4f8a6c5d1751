/** Places that both sides agree on (design, section 8). */

/** The key bundle, below the archive's URL. */
export const bundlePath = "keys/archive-keyring.pgp";
