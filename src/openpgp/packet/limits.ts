/** Upper bounds on OpenPGP data that feedkey reads: the library has no such limits. */
export const limits = {
  /** Size limit for a keyring, a bundle, or an answer from a key server. */
  keyringBytes: 16 * 1024 * 1024,
  /** How many user IDs and subkeys of a certificate are kept before those without a signature are dropped. */
  bareComponents: 1_000,
  /** How many missing certifiers a message names. */
  strangersNamed: 3,
  /**
   * How many good signatures of one kind by one key over one component are kept. Their order makes sure that no signature is
   * left out that a rule needs. The owner of a key can make a hundred thousand, and each rule would examine all of them.
   */
  goodSignatures: 100,
  /** Size limit for a user ID, as in GnuPG. */
  userIdBytes: 2048,
  /** Size limit for one packet. Real packets are far smaller, except user attributes with a picture. */
  packetBytes: 1024 * 1024,
  /** Size limit for a detached signature file. */
  signatureFileBytes: 256 * 1024,
  /** Number of signature packets in one detached signature file; each packet costs a public-key operation. */
  signaturesPerFile: 64,
  /**
   * The size of the shortest primary key: version 4 with an Ed25519 point. So the size limit for a keyring also limits its
   * certificates, to four hundred thousand, and feedkey can read them all. With a limit on their number, anybody could upload
   * enough certificates to hide the right one or a rival.
   */
  shortestKey: 38,
  /** RSA moduli above this size take seconds to use, and no archive has one. */
  rsaBits: 8192,
  /** The largest sizes in FIPS 186-4. DSA is never accepted, but its signatures are checked. */
  dsaBits: 3072,
  dsaGroupBits: 256,
  /**
   * Number of stored revocations of one target, the most severe first. One revocation decides, but it may not be
   * checkable yet.
   */
  revocationsOfOne: 100,
  /** Octets of stored revocations for a target in the chain, and for any other target. */
  revocationsOfNear: 256 * 1024,
  revocationsOfStranger: 2 * 1024,
  /** Octets of all revocations that can't be checked yet. */
  revocationsUnproven: 1024 * 1024,
  /** Octets of all stored revocations: far below `keyringBytes`, the limit when they are read again. */
  revocationsKept: 4 * 1024 * 1024,
  /** Octets of revocations that are accepted in one run for keys that are not available. */
  revocationsInOneRun: 32 * 1024 * 1024,
  /** Octets of one certificate in the client's state, and of all certificates there; older certificates have precedence. */
  certificateKept: 256 * 1024,
  certificatesKept: 32 * 1024 * 1024,
  /** Number of checks of signatures by weak keys, over all available certificates; DSA is slow. */
  weakChecks: 300,
  /**
   * Octets of one certificate that a key store, the bundle or the embedded server keeps: for its own signatures, for verified
   * signatures by other keys, and for certifications whose maker is not known yet. Each kind has its own limit, so that no
   * kind displaces another. A real certificate has a few kilobytes.
   */
  keptOwnBytes: 128 * 1024,
  keptOthersBytes: 128 * 1024,
  keptStrangersBytes: 32 * 1024,
  /** Number of certifications whose maker is not known yet. */
  keptStrangers: 64,
  /** Size limit for the request (the certificate) of a future delegate. */
  requestBytes: 1024 * 1024,
} as const;
