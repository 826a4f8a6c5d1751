/** Signs with a key whose secret is in GnuPG or on a card (`key = gpg:FPR`). gpg makes the signatures, and feedkey verifies them. */
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { runGpg } from "../files/programs.ts";
import { type RawCertificate, readKeyring } from "../openpgp/certificate/certificate.ts";
import { checkSignatures, readSignatureFile } from "../openpgp/check/detached.ts";
import { KeyIndex } from "../openpgp/check/key-index.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { Fingerprint } from "../trust/facts.ts";
import { refusePrimary } from "../trust/key-state.ts";
import { type DocumentSigner, isSubkey, judgedTogether, ownerOf, type PassphraseSource } from "./signing-key.ts";

/** Runs gpg with the user's own GnuPG home, agent and cards. */
async function gpg(args: readonly string[], input: Uint8Array, passphrase?: string): Promise<Uint8Array> {
  // In loopback mode, the agent gets the passphrase from gpg and does not ask the user.
  const given = passphrase === undefined ? [] : ["--pinentry-mode", "loopback", "--passphrase-fd", "3"];
  const secret = passphrase === undefined ? undefined : `${passphrase}\n`;
  // gpg.conf may contain options that must not apply to an index, so the options here override them.
  const ran = await runGpg(["--no-armor", "--no-textmode", ...given, ...args], { input, secret });
  if (ran.cause !== undefined) {
    throw new FeedkeyError("bad_config", "gpg can't be started", {
      cause: ran.cause,
      hint: "install GnuPG, or import the key into feedkey's key store",
    });
  }
  if (ran.status === 0) return ran.stdout;
  const words = escapeText(ran.stderr.trim().split("\n").at(-1) ?? "");
  throw new FeedkeyError("bad_config", `gpg failed (${ran.status ?? "killed"}): ${words}`, {
    details: { status: ran.status ?? null },
    hint:
      passphrase === undefined
        ? "try the same with gpg itself; check that the card is inserted and the agent runs; without a terminal, use --passphrase-file"
        : "try the same with gpg itself; check the passphrase and the card, and that gpg-agent has allow-loopback-pinentry set",
  });
}

/**
 * Exports the certificate of a key from GnuPG.
 * @throws FeedkeyError `not_found` if GnuPG does not have the key; `bad_config` if gpg can't be run or fails
 */
export async function gpgCertificate(fingerprint: Fingerprint): Promise<RawCertificate> {
  const bytes = await gpg(["--export", fingerprint], new Uint8Array());
  const { certificates } = readKeyring(bytes);
  const found = certificates.find((certificate) => certificate.fingerprint === fingerprint);
  if (found !== undefined) return found;
  const owner = ownerOf(await judgedTogether(certificates), fingerprint);
  if (owner !== undefined) throw isSubkey(fingerprint, owner, `gpg:${owner}`);
  throw new FeedkeyError("not_found", `GnuPG has no key ${fingerprint}`, {
    details: { fingerprint },
    hint: "gpg --list-secret-keys shows the keys in GnuPG; GNUPGHOME names the folder in which gpg searches",
  });
}

/**
 * Returns a signer that runs gpg. The signer signs a binary document or a text with SHA-256, and marks no notation as critical.
 * @param passphrase the source of the passphrase for gpg; if this source has `asks`, gpg's agent asks the user instead
 */
export function gpgSigner(fingerprint: Fingerprint, passphrase: PassphraseSource): DocumentSigner {
  return {
    async signDocument(data, certificate, content) {
      const document = data instanceof HashedDocument ? data : new HashedDocument(data);
      // The key store's copy of the certificate may have a revocation that GnuPG lacks.
      const refused = refusePrimary(certificate.facts, content.at);
      if (refused !== undefined) {
        throw new FeedkeyError(refused.code, `can't sign with ${fingerprint}: ${refused.reason}`, {
          details: { fingerprint },
          hint: "clients would refuse signatures by this key: choose the archive's present key",
        });
      }
      const expires =
        content.expiresAt === undefined ? "0" : `seconds=${Math.ceil((content.expiresAt - content.at) / 1000)}`;
      const notations = (content.notations ?? []).flatMap(({ name, value }) => ["--sig-notation", `${name}=${value}`]);
      const terms = ["--digest-algo", "SHA256", "--no-ask-sig-expire", "--default-sig-expire", expires, ...notations];
      const mode = document.type === 0x01 ? ["--textmode"] : [];
      const args = ["--local-user", fingerprint, ...terms, ...mode, "--output", "-", "--detach-sign", "-"];
      const made = await gpg(
        args,
        document.covered,
        passphrase.asks === true ? undefined : await passphrase(fingerprint),
      );
      const [only, ...others] = readSignatureFile(made, "gpg's output");
      const checked = only && (await checkSignatures([only], document, await KeyIndex.of([certificate.raw])));
      if (checked?.[0]?.status === "good" && others.length === 0) return made;
      throw new FeedkeyError("bad_config", `gpg did not return exactly one valid signature by ${fingerprint}`, {
        details: { fingerprint },
        hint: "check gpg.conf for options that add signers, such as local-user, and run gpg --list-secret-keys",
      });
    },
  };
}
