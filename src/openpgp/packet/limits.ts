/** Limits on the OpenPGP data that feedkey reads or keeps; the OpenPGP library has no such limits. */
export const limits = {
  /** Size limit for a keyring, a bundle, or an answer from a key server. */
  keyringBytes: 16 * 1024 * 1024,
  /** The number of user IDs and subkeys in a certificate from which on feedkey drops those without a signature. */
  bareComponents: 1_000,
  /** The number of unknown certifiers that feedkey remembers for each user ID, to name them in messages. */
  strangersNamed: 3,
  /**
   * The number of good signatures of one kind, by one key over one component, that feedkey reads. The owner of a key
   * can make a hundred thousand, and each rule would examine all of them. The signatures are sorted first, so that no
   * signature is left out that a rule needs.
   */
  goodSignatures: 100,
  /** Size limit for a user ID, as in GnuPG. */
  userIdBytes: 2048,
  /** Size limit for one packet. Real packets are far smaller, except user attributes, which may contain a picture. */
  packetBytes: 1024 * 1024,
  /** Size limit for a detached signature file. */
  signatureFileBytes: 256 * 1024,
  /** The largest number of signature packets in one detached signature file, because each packet costs a public-key operation. */
  signaturesPerFile: 64,
  /**
   * The size of the shortest primary key: version 4 with an Ed25519 point. So the size limit for a keyring also bounds
   * its certificates: at most four hundred thousand, and feedkey can read all of them. With a limit on their number,
   * instead, anybody could upload enough certificates to hide the right certificate or a rival.
   */
  shortestKey: 38,
  /** The largest RSA modulus in bits: a larger one takes seconds to use, and no archive has one. */
  rsaBits: 8192,
  /** The largest DSA sizes in FIPS 186-4, in bits. No rule accepts a DSA key, but feedkey checks its signatures. */
  dsaBits: 3072,
  dsaGroupBits: 256,
  /**
   * The number of revocations stored for one certificate, the most severe first. One revocation is enough to revoke a
   * key, but feedkey may not be able to check the first ones yet.
   */
  revocationsOfOne: 100,
  /** The size limit in octets for the stored revocations in one certificate: in the chain, and outside the chain. */
  revocationsOfNear: 256 * 1024,
  revocationsOfStranger: 2 * 1024,
  /** The size limit in octets for all stored revocations that feedkey can't check yet. */
  revocationsUnproven: 1024 * 1024,
  /** The size limit in octets for all stored revocations: far below `keyringBytes`, which limits reading them again. */
  revocationsKept: 4 * 1024 * 1024,
  /** The size limit in octets for revocations of keys that are not available, in one run. */
  revocationsInOneRun: 32 * 1024 * 1024,
  /**
   * The size limits in octets for one certificate in the client's state, and for all certificates there. If not all
   * fit, older certificates stay.
   */
  certificateKept: 256 * 1024,
  certificatesKept: 32 * 1024 * 1024,
  /** The largest number of checked signatures by weak keys, over all available certificates, because DSA is slow. */
  weakChecks: 300,
  /**
   * The size limits in octets for one certificate in a key store, in the bundle or in the embedded server: for its own
   * signatures, for verified signatures by other keys, and for certifications whose maker's key is not known yet. Each
   * kind has a limit of its own, so that no kind displaces another. A real certificate has a few kilobytes.
   */
  keptOwnBytes: 128 * 1024,
  keptOthersBytes: 128 * 1024,
  keptStrangersBytes: 32 * 1024,
  /** The largest number of stored certifications whose maker's key is not known yet. */
  keptStrangers: 64,
  /** Size limit for a delegation request, which is the certificate of a future delegate. */
  requestBytes: 1024 * 1024,
} as const;
