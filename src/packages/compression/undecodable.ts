/**
 * Why data can't be decompressed: the content would exceed the limit, bytes follow the data's end, the data is damaged, or feedkey has
 * no decoder for the format.
 */
type Obstacle = "limits" | "trailing" | "damaged" | "unreadable";

/** The error that the decoders throw. `decompress` turns this error into a FeedkeyError with the caller's code. */
export class Undecodable extends Error {
  readonly obstacle: Obstacle;

  constructor(obstacle: Obstacle, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Undecodable";
    this.obstacle = obstacle;
  }
}

/** Makes the error for content over the limit. @param limit in bytes */
export function exceeds(limit: number): Undecodable {
  return new Undecodable("limits", `decompresses to more than ${limit} bytes, the limit`);
}

/** Makes the error for bytes after the end of the compressed data. */
export function trailing(): Undecodable {
  return new Undecodable("trailing", "has unexpected bytes after its end");
}

/** Makes the error for a failure in a decompression library. The libraries can't reliably distinguish damage from a missing end. */
export function damaged(cause: unknown): Undecodable {
  return new Undecodable("damaged", "is damaged or ends early", cause);
}
