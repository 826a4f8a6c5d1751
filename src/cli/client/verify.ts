/** Runs `feedkey verify`: verifies local files by the same rules as `update` verifies downloaded files. */

import { FeedkeyError } from "../../error.ts";
import type { VerifyOptions } from "../../index.ts";
import type { Context } from "../context.ts";
import { counted } from "../counted.ts";
import type { Outcome } from "../run.ts";
import { signaturesJson, signedBy } from "./show.ts";

interface VerifyCommandOptions extends Pick<VerifyOptions, "signature" | "feed" | "allowEmpty" | "resetState"> {
  readonly packages?: string;
  readonly complete?: boolean;
  /** False for `--no-state`: feedkey neither compares the index with the client's state nor changes the state. */
  readonly state?: boolean;
}

/**
 * Verifies an index, then package files against the index. The outcome contains the errors about single files.
 * @throws FeedkeyError `usage`; the code of the reason if feedkey refuses the index
 */
export async function verify(
  context: Context,
  indexPath: string,
  files: readonly string[],
  options: VerifyCommandOptions,
): Promise<Outcome> {
  const { packages: folder, state, complete, ...terms } = options;
  if (complete === true && folder === undefined) {
    throw new FeedkeyError("usage", "--complete needs --packages DIR");
  }
  return await context.withClient(async (client) => {
    const { index, packages, errors } = await client.verify(indexPath, {
      ...terms,
      files,
      folder: folder === undefined ? undefined : { path: folder, complete },
      audit: state === false,
      partial: true,
    });
    const { name } = index.feed;
    const matching =
      folder === undefined && files.length === 0
        ? ""
        : `, ${counted(packages.length, "package file")} ${packages.length === 1 ? "matches" : "match"} it`;
    return {
      // The text says "verified" only about the index: for package files, it gives only their number.
      text: `index verified: feed "${name}", ${counted(index.count, "package")}, ${signedBy(index)}${matching}`,
      json: {
        feed: name,
        index: indexPath,
        sha256: index.sha256,
        entries: index.count,
        signatures: signaturesJson(index),
        packages,
        refused: errors.map(({ code, message, details }) => ({ code, message, details })),
      },
      errors,
    };
  });
}
