/** Reads the line `root = s3://BUCKET/PREFIX` in `archive.ini`. */
import { withoutTrailing } from "../trailing.ts";
import type { ErrorAt } from "./config-error.ts";
import type { IniValue } from "./ini.ts";
import type { Section } from "./section.ts";
import type { BucketPlace } from "./types.ts";

const onlyWithBucket = ["root-local", "s3-endpoint", "s3-region"];

/**
 * Reads the object store in which the archive is published.
 * @returns undefined if the root is a folder
 * @throws what `errorAt` makes, if the root or a setting for object stores is not valid
 */
export function readBucket(section: Section, root: IniValue, errorAt: ErrorAt): BucketPlace | undefined {
  if (!root.text.startsWith("s3:")) {
    for (const key of onlyWithBucket) {
      const value = section.raw(key);
      if (value !== undefined)
        throw errorAt(
          value.line,
          `"${key}" can be used only if the archive is in an object store, with root = s3://BUCKET/PREFIX`,
        );
    }
    return undefined;
  }
  const [, bucket, prefix] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(root.text) ?? [];
  const parts = (prefix ?? "").split("/").filter((part) => part !== "");
  if (bucket === undefined || parts.some((part) => part === "." || part === "..")) {
    throw errorAt(root.line, `"root" is not a place in an object store: "${root.text}"`, "write s3://BUCKET/PREFIX");
  }
  return {
    bucket,
    prefix: parts.map((part) => `${part}/`).join(""),
    endpoint: readEndpoint(section.optional("s3-endpoint"), errorAt),
    region: readRegion(section.optional("s3-region"), errorAt),
  };
}

function readEndpoint(value: IniValue | undefined, errorAt: ErrorAt): string | undefined {
  if (value === undefined) return undefined;
  const endpoint = endpointOf(value.text);
  if (endpoint !== undefined) return endpoint;
  throw errorAt(
    value.line,
    '"s3-endpoint" is not the address of a server',
    "write an address such as https://s3.example.org",
  );
}

/**
 * Returns a server's address without a trailing slash; undefined if the text is not an http or https URL, or has a user name, a
 * password, a query or a fragment.
 */
export function endpointOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    return undefined;
  return url.search === "" && url.hash === "" ? withoutTrailing(`${url.origin}${url.pathname}`, "/") : undefined;
}

function readRegion(value: IniValue | undefined, errorAt: ErrorAt): string | undefined {
  if (value === undefined || isRegion(value.text)) return value?.text;
  throw errorAt(
    value.line,
    `"s3-region" is not a region: "${value.text}"`,
    "write the name of a region, such as eu-central-1",
  );
}

/** Whether a text can be the name of a region. */
export function isRegion(text: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(text);
}
