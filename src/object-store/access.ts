/** Finds the URL, the region and the keys for an object store, in the places where Amazon's own programs look. */
import { homedir } from "node:os";
import { join } from "node:path";
import { FeedkeyError, systemCode } from "../error.ts";
import { escapeText } from "../escape.ts";
import { readTrustedFile } from "../files/trusted-file.ts";
import { endpointOf, isRegion } from "../profile/bucket.ts";
import { errorsOf } from "../profile/config-error.ts";
import { readIni } from "../profile/ini.ts";
import type { BucketPlace } from "../profile/types.ts";

interface StoreKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface StoreAccess {
  /** The bucket's URL, without a slash at the end. */
  readonly url: string;
  readonly region: string;
  readonly keys: StoreKeys;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Finds the URL, region and keys for a bucket. @throws FeedkeyError `bad_config`; no message contains a key */
export async function storeAccess(place: BucketPlace, env: Environment = process.env): Promise<StoreAccess> {
  const region = place.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || "us-east-1");
  if (!isRegion(region)) throw bad("AWS_REGION is not the name of a region", "give a name such as eu-central-1");
  return { url: urlOf(place, region, env), region, keys: keysOf(env) ?? (await keysInFile(env)) };
}

/**
 * Returns the bucket's URL. If an endpoint is given, the bucket's name goes into the path, unless the endpoint's host name
 * begins with it.
 */
function urlOf({ bucket, endpoint }: BucketPlace, region: string, env: Environment): string {
  const given = endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL);
  if (given === undefined || given === "") {
    // Amazon's wildcard certificate does not match dots, so a bucket with dots in its name goes into the path instead of the
    // host name.
    const [own, path] = bucket.includes(".") ? ["", `/${bucket}`] : [`${bucket}.`, ""];
    return `https://${own}s3.${region}.amazonaws.com${path}`;
  }
  const url = endpointOf(given);
  if (url === undefined) {
    throw bad("AWS_ENDPOINT_URL is not the address of a server", "give an address such as https://s3.example.org");
  }
  return new URL(url).hostname.startsWith(`${bucket}.`) ? url : `${url}/${bucket}`;
}

function keysOf(env: Environment): StoreKeys | undefined {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env;
  if (!id && !secret) return undefined;
  return checked(id, secret, token, "the environment");
}

async function keysInFile(env: Environment): Promise<StoreKeys> {
  const path = env.AWS_SHARED_CREDENTIALS_FILE || join(homedir(), ".aws", "credentials");
  const profile = env.AWS_PROFILE || "default";
  const hint = `set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write aws_access_key_id and aws_secret_access_key into ${escapeText(path)}`;
  try {
    const use = { what: "the file of object store keys", code: "bad_config", isSecret: true } as const;
    const text = (await readTrustedFile(path, use)).toString("utf8");
    // The error must not quote the line, as the INI reader's own error would: the line may be a secret.
    const plain = errorsOf("bad_config", path);
    const sections = readIni(text, (line) => plain(line, "the line is not one of a file of object store keys"));
    const values = sections.find(({ name }) => name === profile)?.values;
    if (values === undefined) throw bad(`${escapeText(path)} has no section [${escapeText(profile)}]`, hint);
    const value = (key: string) => values.get(key)?.text;
    return checked(value("aws_access_key_id"), value("aws_secret_access_key"), value("aws_session_token"), path);
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    throw bad(`no keys for the object store are set, and ${escapeText(path)} can't be read`, hint);
  }
}

function checked(id = "", secret = "", token: string | undefined, where: string): StoreKeys {
  const isPlain = (text: string) => /^[\x21-\x7e]{1,8192}$/.test(text);
  if (!isPlain(id) || !isPlain(secret) || !(token === undefined || token === "" || isPlain(token))) {
    throw bad(
      `the key of the object store in ${escapeText(where)} is not complete`,
      "give both the key ID and the secret, each without spaces",
    );
  }
  return { accessKeyId: id, secretAccessKey: secret, ...(token ? { sessionToken: token } : {}) };
}

function bad(message: string, hint: string): FeedkeyError {
  return new FeedkeyError("bad_config", message, { hint });
}
