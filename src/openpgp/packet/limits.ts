/** Upper bounds on what is read as OpenPGP data: the library has none of its own. */
export const limits = {
  /** A keyring, a bundle or an answer of a key server. */
  keyringBytes: 16 * 1024 * 1024,
  /** A certificate's user IDs and subkeys, before those that have no signature make room for what comes next. */
  bareComponents: 1_000,
  /** Makers of certifications whose certificates are missing: named to people, who read no more than a few. */
  strangersNamed: 3,
  /**
   * Good signatures of one kind by one key over one thing, in an order that leaves out none that a rule could ask for. Who
   * holds a key can make a hundred thousand, and each rule would go over all of them.
   */
  goodSignatures: 100,
  /** GnuPG's own limit. */
  userIdBytes: 2048,
  /** One packet: real ones (user attributes with a picture aside) are far below. */
  packetBytes: 1024 * 1024,
  /** A detached signature file. */
  signatureFileBytes: 256 * 1024,
  /** Signature packets in one detached file; each costs a public-key operation. */
  signaturesPerFile: 64,
  /**
   * The shortest primary key: version 4 with an Ed25519 point. So a keyring's bytes hold four hundred thousand certificates
   * at most, and all are read: were it a count that ended them, anybody could upload so many that the rightful one, or a
   * rival, behind them goes unseen.
   */
  shortestKey: 38,
  /** RSA moduli above this cost seconds to use and no archive has one. */
  rsaBits: 8192,
  /** The largest that FIPS 186-4 has; DSA is never accepted, but its verdict is asked for. */
  dsaBits: 3072,
  dsaGroupBits: 256,
  /** Revocations remembered of one target, the gravest first: one decides, the others are for when it can't be checked yet. */
  revocationsOfOne: 100,
  /** Octets of revocations remembered of a target in the chain, and of any other. */
  revocationsOfNear: 256 * 1024,
  revocationsOfStranger: 2 * 1024,
  /** Octets of what nobody could check yet, in all. */
  revocationsUnproven: 1024 * 1024,
  /** Octets in all: far below `keyringBytes`, by which they are read. */
  revocationsKept: 4 * 1024 * 1024,
  /** Octets taken in one run about keys that are not at hand. */
  revocationsInOneRun: 32 * 1024 * 1024,
  /** A certificate in the client's state, and all of them, those that were there first. */
  certificateKept: 256 * 1024,
  certificatesKept: 32 * 1024 * 1024,
  /** Checks of what weak keys say, over all certificates at hand; DSA takes some ten milliseconds for each. */
  weakChecks: 300,
  /**
   * Bytes of one certificate that a key store, the bundle or the embedded server keeps: its own words, other keys' verified
   * words about it, and certifications whose maker is unknown yet. Each has a room of its own, so that nobody's words push
   * out another's. A real certificate has some kilobytes.
   */
  keptOwnBytes: 128 * 1024,
  keptOthersBytes: 128 * 1024,
  keptStrangersBytes: 32 * 1024,
  /** Certifications whose maker is unknown yet. */
  keptStrangers: 64,
  /** What a delegate-to-be hands in. */
  requestBytes: 1024 * 1024,
} as const;
