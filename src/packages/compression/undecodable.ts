/** Why compressed data cannot be had: it would exceed the cap, bytes follow its end, or it is damaged. */
export type Obstacle = "limits" | "trailing" | "damaged";

/** Thrown by the decoders of single formats; `decompress` turns it into the caller's FeedkeyError. */
export class Undecodable extends Error {
  readonly obstacle: Obstacle;

  constructor(obstacle: Obstacle, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Undecodable";
    this.obstacle = obstacle;
  }
}

/** More comes out than may be read. @param limit in bytes */
export function exceeds(limit: number): Undecodable {
  return new Undecodable("limits", `decompresses to more than the ${limit} bytes that are read`);
}

/** Something stands behind the end of the compressed data. */
export function trailing(): Undecodable {
  return new Undecodable("trailing", "is followed by bytes that do not belong to it");
}

/** For what a decoding library throws: none of them tells damage from a missing end reliably. */
export function damaged(cause: unknown): Undecodable {
  return new Undecodable("damaged", "is damaged or ends early", cause);
}
