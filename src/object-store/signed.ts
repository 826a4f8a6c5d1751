/** Requests with the signature that object stores ask for (AWS Signature Version 4). */
import type { Question } from "../net/types.ts";
import type { StoreAccess } from "./access.ts";

/** An object's name in a URL: the signature is over one way to write it. */
export function encodedPath(name: string): string {
  const odd = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return name
    .split("/")
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, odd))
    .join("/");
}

/** Returns a request's headers with its AWS signature, dated now. @param headers must contain the digest of the body */
export async function signed(
  method: Question["method"],
  url: URL,
  headers: Readonly<Record<string, string>>,
  { keys, region }: StoreAccess,
): Promise<Record<string, string>> {
  // Loaded late: only few archives need it.
  const { AwsV4Signer } = await import("aws4fetch");
  const signer = new AwsV4Signer({ method, url: url.href, headers: { ...headers }, ...keys, region, service: "s3" });
  return Object.fromEntries((await signer.sign()).headers);
}
