/** Why compressed data can't be decompressed: it would exceed the limit, bytes follow its end, it is damaged, or nothing here reads its format. */
type Obstacle = "limits" | "trailing" | "damaged" | "unreadable";

/** Thrown by the decoders of single formats; `decompress` turns it into the caller's FeedkeyError. */
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
  return new Undecodable("limits", `decompresses to more than the ${limit} bytes that are read`);
}

/** Makes the error for bytes after the end of the compressed data. */
export function trailing(): Undecodable {
  return new Undecodable("trailing", "is followed by bytes that do not belong to it");
}

/** Makes the error for a failure in a decompression library: the libraries can't reliably tell damage from a missing end. */
export function damaged(cause: unknown): Undecodable {
  return new Undecodable("damaged", "is damaged or ends early", cause);
}
