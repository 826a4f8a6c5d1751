/** Limits on the OpenPGP data that feedkey reads or keeps. The OpenPGP library does not have these limits. */
export const limits = {
  /** Size limit for a keyring, a key bundle, or an answer from a key server. */
  keyringBytes: 16 * 1024 * 1024,
  /** If a certificate has this number of user IDs and subkeys, feedkey drops user IDs and subkeys without a signature. */
  bareComponents: 1_000,
  /** The number of unknown certifiers that feedkey remembers for each user ID, to name them in messages. */
  strangersNamed: 3,
  /**
   * The number of good signatures of one kind, by one key over one component, that feedkey reads. The owner of a key can make a
   * hundred thousand signatures, and each rule would examine all of them. feedkey sorts the signatures first, so that the limit
   * drops no signature that a rule needs.
   */
  goodSignatures: 100,
  /** Size limit for a user ID, as in GnuPG. */
  userIdBytes: 2048,
  /** Size limit for one packet. Real packets are far smaller, except user attributes, which may contain pictures. */
  packetBytes: 1024 * 1024,
  /** Size limit for a detached signature file. */
  signatureFileBytes: 256 * 1024,
  /** The largest number of signature packets in one detached signature file. Each packet costs a public-key operation. */
  signaturesPerFile: 64,
  /**
   * The size of the shortest primary key: version 4 with an Ed25519 point. So the size limit for a keyring also limits the number
   * of certificates, to at most four hundred thousand. feedkey can read that many. With a limit on the number itself, anyone could
   * upload enough certificates to hide the right certificate or a rival certificate.
   */
  shortestKey: 38,
  /** The largest RSA modulus in bits. Checks with a larger modulus take seconds, and no archive uses a larger modulus. */
  rsaBits: 8192,
  /** The largest DSA sizes in FIPS 186-4, in bits. No rule accepts a DSA key, but feedkey checks signatures by DSA keys. */
  dsaBits: 3072,
  dsaGroupBits: 256,
  /**
   * The number of stored revocations for one certificate, the most severe first. One revocation is enough to revoke a key, but
   * feedkey may not be able to check the first revocations yet.
   */
  revocationsOfOne: 100,
  /** The size limits in octets for the stored revocations in one certificate: for certificates inside and outside the chain. */
  revocationsOfNear: 256 * 1024,
  revocationsOfStranger: 2 * 1024,
  /** The size limit in octets for all stored revocations that feedkey can't check yet. */
  revocationsUnproven: 1024 * 1024,
  /** The size limit in octets for all stored revocations. It is far below `keyringBytes`, the limit for reading the revocations again. */
  revocationsKept: 4 * 1024 * 1024,
  /** The size limit in octets for revocations of keys that are not available, in one run. */
  revocationsInOneRun: 32 * 1024 * 1024,
  /**
   * The size limits in octets for one certificate in the client's state, and for all certificates in the state. If not all
   * certificates fit, the older certificates stay.
   */
  certificateKept: 256 * 1024,
  certificatesKept: 32 * 1024 * 1024,
  /** The largest number of checked signatures by weak keys, for all available certificates together. DSA is slow. */
  weakChecks: 300,
  /**
   * The size limits in octets for one certificate in a key store, in the key bundle or in the embedded key server. They apply to the
   * key's own signatures, to verified signatures by other keys, and to certifications whose maker's key is not known yet. Each kind
   * has a separate limit, so that no kind displaces another. A real certificate has a few kilobytes.
   */
  keptOwnBytes: 128 * 1024,
  keptOthersBytes: 128 * 1024,
  keptStrangersBytes: 32 * 1024,
  /** The largest number of stored certifications whose maker's key is not known yet. */
  keptStrangers: 64,
  /** Size limit for a delegation request, which is the certificate of a future delegate. */
  requestBytes: 1024 * 1024,
} as const;
