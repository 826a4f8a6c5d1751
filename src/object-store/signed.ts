/** Signs requests to object stores (AWS Signature Version 4). */
import type { Question } from "../net/types.ts";
import type { StoreAccess } from "./access.ts";

/** Returns an object's name as a path in a URL, in the only encoding that the signature allows. */
export function encodedPath(name: string): string {
  const odd = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return name
    .split("/")
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, odd))
    .join("/");
}

/** Returns the headers of a request with an AWS signature, dated now. @param headers the other headers, with the body's digest */
export async function signed(
  method: Question["method"],
  url: URL,
  headers: Readonly<Record<string, string>>,
  { keys, region }: StoreAccess,
): Promise<Record<string, string>> {
  // feedkey loads the library only here, because few archives need it.
  const { AwsV4Signer } = await import("aws4fetch");
  const signer = new AwsV4Signer({ method, url: url.href, headers: { ...headers }, ...keys, region, service: "s3" });
  return Object.fromEntries((await signer.sign()).headers);
}
