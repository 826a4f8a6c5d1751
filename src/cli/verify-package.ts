/** `feedkey verify-package`: verify signed pkgsrc packages. */

import type { Judged } from "../client/knowledge.ts";
import { learnMore, refresh } from "../client/refresh.ts";
import type { Session } from "../client/session.ts";
import { type VerifiedPackage, verifySignedPackage } from "../client/verify-package.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { iso } from "../time.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";
import { chosenFeeds } from "./update.ts";

export interface VerifyPackageOptions {
  readonly output?: string;
  readonly feed?: string;
  readonly state?: boolean;
  readonly resetState?: boolean;
}

interface Checked {
  readonly good: VerifiedPackage[];
  readonly errors: FeedkeyError[];
}

/** The feed that delegates must be allowed to sign for: the one named, or the only one. */
function feedName(session: Session, name: string | undefined): string {
  const [only, ...others] = chosenFeeds(session.profile, name === undefined ? [] : [name]);
  return only === undefined || others.length > 0 ? "" : only.name;
}

/** Verifies each package; what is refused is in the outcome. @throws FeedkeyError `usage`, and as opening the client */
export async function verifyPackage(
  context: Context,
  files: readonly string[],
  options: VerifyPackageOptions,
): Promise<Outcome> {
  const { output } = options;
  if (output !== undefined && files.length > 1) {
    throw new FeedkeyError("usage", "--output takes the package out of one file, not of several");
  }
  const terms = { readOnly: options.state === false, resetState: options.resetState === true };
  return await context.withSession(terms, async (session) => {
    const policy = { feed: feedName(session, options.feed), threshold: session.profile.trust.threshold };
    const verifyAll = async (judged: Judged): Promise<Checked> => {
      const good: VerifiedPackage[] = [];
      const errors: FeedkeyError[] = [];
      for (const file of files) {
        try {
          good.push(await verifySignedPackage(file, judged, policy, output));
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          errors.push(error);
        }
      }
      return { good, errors };
    };
    let { good, errors } = await verifyAll(await refresh(session));
    const news = await learnMore(session, errors);
    if (news !== undefined) ({ good, errors } = await verifyAll(news));
    return {
      text: good.map((one) => describe(one, output)).join("\n"),
      json: { packages: good.map(asJson), output: good.length > 0 ? (output ?? null) : null },
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
