/** `feedkey profile init`: a profile from an archive's bundle, for a fingerprint that came over another way. */

import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readCa } from "../../client/load-profile.ts";
import { FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { commitStaged, stageAll } from "../../files/atomic.ts";
import { ensureFolder } from "../../files/folder.ts";
import { formatNames } from "../../formats/formats.ts";
import { createTransport } from "../../net/transport.ts";
import { writeCertificate } from "../../openpgp/certificate/certificate.ts";
import { attachLoose, collect } from "../../openpgp/certificate/merge.ts";
import { readKeys } from "../../openpgp/certificate/read-keys.ts";
import { armor } from "../../openpgp/packet/armor.ts";
import { limits } from "../../openpgp/packet/limits.ts";
import { bundlePath } from "../../profile/layout.ts";
import { readProfile } from "../../profile/read-profile.ts";
import type { Feed } from "../../profile/types.ts";
import { formatProfile } from "../../profile/write-profile.ts";
import { rootOf } from "../../refresh/download.ts";
import { hexDigits, isFingerprint } from "../../store/fingerprint.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { takeSeeds } from "./bundle-seeds.ts";
import type { ProfileInitOptions } from "./profile.ts";

/** @throws FeedkeyError `usage`: a key ID names no key for certain */
function fullFingerprint(text: string): string {
  const hex = hexDigits(text);
  if (isFingerprint(hex)) return hex;
  throw new FeedkeyError("usage", `"${text}" is not a full fingerprint`, {
    hint: "all 40 or 64 hex digits are needed, from the archive's keepers and not from the archive itself",
  });
}

async function readBundle(context: Context, archive: string, ca: string | undefined) {
  const transport = createTransport({ offline: context.options.offline === true, ...(await readCa(ca)) });
  try {
    const url = new URL(bundlePath, archive);
    const terms = { maxBytes: limits.keyringBytes, policy: "archive", ...rootOf(archive) } as const;
    const answer = await transport.get(url, terms);
    if (answer.status === 200) {
      const { certificates, loose } = readKeys(answer.body);
      return attachLoose(collect(certificates), loose);
    }
    throw new FeedkeyError("not_found", `there is no key bundle at ${url.href}`, {
      details: { url: url.href, status: answer.status },
      hint: "is this the archive's root? its keepers publish the bundle with feedkey publish",
    });
  } finally {
    await transport.close();
  }
}

/** The strict defaults, written out so that the reader of the profile sees them. */
const trustDefaults = {
  wkd: false,
  revocationCheck: "always",
  grace: 14 * 86_400_000,
  retiredIssuers: "refuse",
  threshold: 1,
  maxIndexAge: undefined,
  requireFeedName: false,
  requireExpiry: false,
} as const;

function feedsOf(texts: readonly string[], word: string): Feed[] {
  const format = formatNames.find((name) => name === word);
  if (format === undefined) {
    throw new FeedkeyError("usage", `there is no format "${escapeText(word)}"`, {
      hint: `choose one of ${formatNames.join(", ")}`,
    });
  }
  return texts.map((text) => {
    const [name = "", path = ""] = [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)];
    if (text.includes("=") && name !== "" && path !== "") {
      return { name, path, format, index: undefined, packages: "feed" };
    }
    throw new FeedkeyError("usage", `--feed does not understand "${text}"`, {
      hint: "write it as name=path/below/the/url",
    });
  });
}

/** It becomes the name of a file and of a folder. @throws FeedkeyError `usage` */
function nameOf(archive: string, options: ProfileInitOptions): string {
  const name = options.name ?? (new URL(archive).hostname || "archive");
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new FeedkeyError("usage", `"${escapeText(name)}" can't be the name of a profile`, {
    hint: "choose one of letters, digits, dots, hyphens and underscores with --name",
  });
}

/** A profile there may be an older one with further seeds, or lines that its user added. @throws FeedkeyError `output` */
async function refuseToReplace(file: string, options: ProfileInitOptions): Promise<void> {
  if (options.force === true) return;
  try {
    await lstat(file);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return;
    throw error;
  }
  throw new FeedkeyError("output", `there is a profile at ${escapeText(file)} already`, {
    details: { path: file },
    hint: "choose another name with --name or another folder with -o; --force replaces it",
  });
}

/** Copies of authorities, so that the profile needs nothing from elsewhere. @throws FeedkeyError `bad_profile` */
async function authorities(folder: string, name: string, { ca, keyserverCa }: ProfileInitOptions) {
  const files: { path: string; data: string; mode: number }[] = [];
  const copy = async (from: string | undefined, ending: string) => {
    const read = await readCa(from);
    if (read.ca === undefined) return undefined;
    const path = `ca/${name}${ending}.pem`;
    files.push({ path: join(folder, path), data: read.ca, mode: 0o644 });
    return path;
  };
  return { files, ca: await copy(ca, ""), keyserverCa: await copy(keyserverCa, "-keyservers") };
}

/** What a new profile does not say, or says in silence. */
function warnOfGaps({ reporter }: Context, { keyservers, feed = [] }: ProfileInitOptions): void {
  if (keyservers === undefined) {
    reporter.warn(
      "keyservers = none: a revocation reaches this client through the archive's own bundle only; name key servers with " +
        "--keyservers hkps://HOST",
    );
  }
  if (feed.length === 0) reporter.warn("the profile has no feed yet: name each with --feed NAME=PATH");
}

/** Writes the profile and its keyring, or nothing. @throws FeedkeyError `usage`, `output`, `not_found`, `untrusted_signer`, `bad_certificate` */
export async function init(context: Context, address: string, options: ProfileInitOptions): Promise<Outcome> {
  const archive = address.endsWith("/") ? address : `${address}/`;
  if (!URL.canParse(archive)) throw new FeedkeyError("usage", `"${address}" is no URL`);
  const name = nameOf(archive, options);
  const seeds = options.fingerprint.map(fullFingerprint);
  const folder = resolve(options.output);
  const file = join(folder, `${name}.ini`);
  await refuseToReplace(file, options);
  const feeds = feedsOf(options.feed ?? [], options.format);
  const copies = await authorities(folder, name, options);
  const bundle = await readBundle(context, archive, options.ca);
  const { certificates, identity } = await takeSeeds(context, bundle, seeds);
  const { keyservers = "none" } = options;
  const text = formatProfile({
    archive: {
      name,
      url: archive,
      mirrors: [],
      ca: copies.ca,
      redirects: "any",
      identity,
      verify: "required",
    },
    trust: {
      ...trustDefaults,
      keyring: `keyrings/${name}`,
      seeds,
      keyservers: keyservers === "none" ? [] : keyservers.split(/\s*,\s*/),
      keyserverCa: copies.keyserverCa,
    },
    feeds,
  });
  // What is written must be a profile that reads.
  readProfile(text, file);
  const keyring = join(folder, "keyrings", name);
  // Whatever the umask: a keyring that others can write to would be refused.
  await ensureFolder(keyring, 0o755);
  const keys = certificates.map((certificate) => ({
    path: join(keyring, `${certificate.fingerprint}.asc`),
    data: armor(writeCertificate(certificate), "PUBLIC KEY BLOCK"),
    mode: 0o644,
  }));
  if (copies.files.length > 0) await ensureFolder(join(folder, "ca"), 0o755);
  await commitStaged(await stageAll([...keys, ...copies.files, { path: file, data: text, mode: 0o644 }]));
  warnOfGaps(context, options);
  const called = identity.kind === "user-id" ? identity.userId : `<${identity.email}>`;
  const lines = [
    `wrote ${escapeText(file)} with seed ${seeds.join(", ")} (${escapeText(called)})`,
    `key servers: ${keyservers}`,
    `next: feedkey --profile ${file} update`,
  ];
  const named = identity.kind === "user-id" ? { userId: identity.userId } : { userEmail: identity.email };
  return { text: lines.join("\n"), json: { file, seeds, ...named, keyring } };
}
