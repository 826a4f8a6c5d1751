/** Archives with many keys, and a client's profile for them: chains and delegates that no archive has made yet. */
import * as fs from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { archiveId, certificate, type TestCertificate } from "../../test/testkit/certificate.ts";
import { day } from "../../test/testkit/dates.ts";
import { allFramed } from "../../test/testkit/framing.ts";
import { ed25519Key, type TestKey } from "../../test/testkit/keys.ts";
import { certification, dataSignature } from "../../test/testkit/signature.ts";
import { notation } from "../../test/testkit/subpackets.ts";

const hour = 3_600_000;

/** Certificates, the seed first, and the key that signs the index. */
export interface ManyKeys {
  readonly certificates: readonly TestCertificate[];
  readonly signer: TestKey;
}

function signerOf(certificates: readonly TestCertificate[]): ManyKeys {
  const last = certificates.at(-1);
  if (last === undefined) throw new Error("no key");
  return { certificates, signer: last.key };
}

/** Keys each certified by the one before, an hour apart; the last one signs. */
export function makeChain(count: number): ManyKeys {
  const keys = Array.from({ length: count }, (_, place) =>
    ed25519Key(`chain ${place}`, { createdAt: day(0) + place * hour }),
  );
  return signerOf(
    keys.map((key, place) => {
      const by = keys[place - 1];
      const at = key.createdAt;
      return certificate({
        key,
        certifiedBy: by === undefined ? [] : [certification({ by, of: key, userId: archiveId, at })],
      });
    }),
  );
}

/** A seed and keys that it made delegates; the last one signs. */
export function makeDelegates(count: number): ManyKeys {
  const master = ed25519Key("master of many");
  const delegates = Array.from({ length: count }, (_, place) => {
    const key = ed25519Key(`delegate ${place}`);
    const userId = `Machine ${place} <machine${place}@build.example.org>`;
    const terms = [notation("delegate@example.org", "depth=0; feeds=*")];
    const made = certification({
      by: master,
      of: key,
      userId,
      at: day(1),
      hashed: terms,
      expiresAfter: 36_500 * 86_400,
    });
    return certificate({ key, userIds: [userId], certifiedBy: [made] });
  });
  return signerOf([certificate({ key: master }), ...delegates]);
}

/** Files of a client. */
export interface Client {
  /** The archive's folder. */
  readonly served: string;
  readonly index: string;
  readonly profile: string;
  readonly state: string;
}

/** Writes an index of one package, with its signature. */
export function writeIndex(index: string, signer: TestKey, at: number): void {
  const text = Buffer.from("Package: a\nVersion: 1\nFilename: a.ipk\nSize: 1\n\n");
  fs.writeFileSync(index, text);
  fs.writeFileSync(`${index}.sig`, allFramed([dataSignature({ by: signer, at, data: text, feed: "base" })]));
}

/**
 * Writes an index with its signature and a profile.
 * @param shipped how many of the certificates the profile's keyring has
 * @param keyservers lines for the profile
 * @param url of the archive; by default its folder's
 */
export function writeClient(
  folder: string,
  { certificates, signer }: ManyKeys,
  shipped: number,
  keyservers: readonly string[],
  url?: string,
): Client {
  const served = join(folder, "served");
  const index = join(folder, "Packages");
  writeIndex(index, signer, Math.max(day(10), signer.createdAt));
  for (const name of [served, join(folder, "keyring")]) fs.mkdirSync(name, { recursive: true });
  const keyring = certificates.slice(0, shipped).map(({ bytes }) => bytes);
  fs.writeFileSync(join(folder, "keyring", "seeds.pgp"), Buffer.concat(keyring));
  const profile = join(folder, "many.ini");
  const lines = [
    "[archive]",
    "name = Many",
    `url = ${url ?? `${pathToFileURL(served).href}/`}`,
    "user-email = archive@example.org",
    "[trust]",
    "keyring = keyring",
    `seeds = ${certificates[0]?.fingerprint}`,
    ...keyservers,
    "[feed base]",
    "format = opkg",
    "path = .",
    "",
  ];
  fs.writeFileSync(profile, lines.join("\n"));
  return { served, index, profile, state: join(folder, "state") };
}
