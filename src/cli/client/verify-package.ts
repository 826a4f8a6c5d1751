/** Runs `feedkey verify-package`: verifies signed pkgsrc packages. */

import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { VerifiedPackage } from "../../index.ts";
import { iso } from "../../time.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";

interface VerifyPackageOptions {
  readonly output?: string;
  readonly feed?: string;
  readonly state?: boolean;
  readonly resetState?: boolean;
}

/**
 * Verifies each package. The outcome contains an error for each refused package.
 * @throws FeedkeyError `usage`, and as `Context.withClient`
 */
export async function verifyPackage(
  context: Context,
  files: readonly string[],
  { output, feed, state, resetState }: VerifyPackageOptions,
): Promise<Outcome> {
  if (output !== undefined && files.length > 1) {
    throw new FeedkeyError("usage", "--output can be given only with one file");
  }
  return await context.withClient(async (client) => {
    const wanted = files.map((path) => ({ path, output }));
    const terms = { feed, audit: state === false, resetState, partial: true };
    const { packages, errors } = await client.verifyPackages(wanted, terms);
    return {
      text: packages.map((one) => describe(one, output)).join("\n"),
      json: { packages: packages.map(asJson), output: packages.length > 0 ? (output ?? null) : null },
      errors,
    };
  });
}

function describe({ path, package: name, verdict }: VerifiedPackage, output: string | undefined): string {
  const signers = [...new Set(verdict.signers.map(({ certificate }) => certificate))].join(", ");
  const taken = output === undefined ? "" : `; the package inside: ${escapeText(output)}`;
  const signed = `signed ${iso(verdict.createdAt)} by ${signers}`;
  return `${escapeText(path)}: package verified: ${escapeText(name)}, ${signed}${taken}`;
}

function asJson({ path, package: name, size, verdict }: VerifiedPackage) {
  const signatures = verdict.signers.map(({ createdAt, certificate, signingKey }) => {
    return { createdAt: iso(createdAt), certificate, signingKey };
  });
  return { path, package: name, size, signatures };
}
