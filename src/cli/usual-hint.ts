/** The hints for errors that have no hint of their own, because the man page promises a hint with every error. */
import type { ErrorCode, FeedkeyError } from "../error.ts";

const signedBadly = "the last good index stays in use; ask the archive's keepers, and do not install what was refused";
const damaged = "the file is damaged or of the wrong kind: fetch the file or make the file again";
const configured =
  "correct the file, then try again; docs/profile.md and docs/archive-ini.md list the possible settings";

const usual: Readonly<Record<ErrorCode, string>> = {
  no_signature: signedBadly,
  bad_signature: signedBadly,
  untrusted_signer: signedBadly,
  revoked: "use another key: everyone who knows of the revocation refuses this key",
  expired: 'extend the key with "feedkey key extend", or use its successor; check this machine\'s clock too',
  not_yet_valid: "check this machine's clock, then the archive's",
  weak_algorithm: "use a key of another algorithm and SHA-256 or better",
  rollback: signedBadly,
  stale: signedBadly,
  wrong_feed: signedBadly,
  no_digest: signedBadly,
  digest_mismatch: signedBadly,
  size_mismatch: signedBadly,
  not_listed: "publish the file, or remove it",
  fork: signedBadly,
  unchecked_revocation: "make sure that a key server of the profile can be reached, then try again",
  bad_path: "use plain paths below the folder, without symbolic links and special characters",
  would_break: "nothing was changed; with --force, feedkey continues anyway",
  ends_soon: 'extend the key, renew the delegation or finish the rotation; see "feedkey status"',
  usage: 'see "feedkey --help" or "feedkey COMMAND --help"',
  bad_index: damaged,
  bad_signature_data: damaged,
  bad_certificate: damaged,
  bad_package: "build the package again, or copy the package again",
  not_found: "check the name, that the file exists, and that you may read it",
  unavailable: "check the address and the network, then try again",
  internal: "this is a bug in feedkey: run again with --debug",
  output: "check that there is space, that you may write there, and that the path is right",
  bad_state: "the last good state is untouched; see docs/reliability.md",
  locked: "another run is in progress: wait until it ends, then try again",
  bad_profile: configured,
  bad_config: configured,
  no_seed: "get the fingerprint of the archive's key from a source that you trust, and put it into the profile's seeds",
};

const whereToReport =
  "if it happens again, run the command with --debug, and report what it prints to the project from which you got feedkey; SECURITY.md says how to report a vulnerability";

/** Returns the hint for an error. For a bug, the hint also says where to report the bug. */
export function hintOf({ code, hint = usual[code] }: FeedkeyError): string {
  return code === "internal" ? `${hint}; ${whereToReport}` : hint;
}
