/** Upper bounds on what is read as OpenPGP data: the library has none of its own. */
export const limits = {
  /** A keyring, a bundle or an answer of a key server. */
  keyringBytes: 16 * 1024 * 1024,
  /** How many user IDs and subkeys of a certificate are kept before those without a signature are dropped. */
  bareComponents: 1_000,
  /** How many missing makers of certifications are named in messages. */
  strangersNamed: 3,
  /**
   * Good signatures of one kind by one key over one thing; the order makes sure that none is left out that a rule needs. The
   * owner of a key can make a hundred thousand, and each rule would examine all of them.
   */
  goodSignatures: 100,
  /** GnuPG's own limit. */
  userIdBytes: 2048,
  /** One packet. Real ones are far smaller, except user attributes with a picture. */
  packetBytes: 1024 * 1024,
  /** A detached signature file. */
  signatureFileBytes: 256 * 1024,
  /** Signature packets in one detached file; each costs a public-key operation. */
  signaturesPerFile: 64,
  /**
   * The shortest primary key: version 4 with an Ed25519 point. So the size of a keyring limits its certificates to four hundred
   * thousand, and all can be read. With a limit on their number, anybody could upload enough to hide the rightful one or a
   * rival.
   */
  shortestKey: 38,
  /** RSA moduli above this cost seconds to use and no archive has one. */
  rsaBits: 8192,
  /** The largest in FIPS 186-4; DSA is never accepted, but its signatures are checked. */
  dsaBits: 3072,
  dsaGroupBits: 256,
  /** Stored revocations of one target, the most severe first: one decides, but it may not be checkable yet. */
  revocationsOfOne: 100,
  /** Octets of stored revocations for a target in the chain, and for any other. */
  revocationsOfNear: 256 * 1024,
  revocationsOfStranger: 2 * 1024,
  /** Octets of all revocations that can't be checked yet. */
  revocationsUnproven: 1024 * 1024,
  /** Octets in all: far below `keyringBytes`, the limit when they are read. */
  revocationsKept: 4 * 1024 * 1024,
  /** Octets accepted in one run for keys that are not available. */
  revocationsInOneRun: 32 * 1024 * 1024,
  /** Octets of a certificate in the client's state, and of all of them; older ones have precedence. */
  certificateKept: 256 * 1024,
  certificatesKept: 32 * 1024 * 1024,
  /** Checks of signatures by weak keys, over all available certificates; DSA is slow. */
  weakChecks: 300,
  /**
   * Bytes of one certificate that a key store, the bundle or the embedded server keeps: its own signatures, verified ones of
   * other keys, and certifications whose maker is unknown yet. Each kind has its own limit, so that none displaces another. A
   * real certificate has a few kilobytes.
   */
  keptOwnBytes: 128 * 1024,
  keptOthersBytes: 128 * 1024,
  keptStrangersBytes: 32 * 1024,
  /** Certifications whose maker is unknown yet. */
  keptStrangers: 64,
  /** The request (certificate) of a future delegate. */
  requestBytes: 1024 * 1024,
} as const;
