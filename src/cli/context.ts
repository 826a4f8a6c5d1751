/** What every command gets: the global options, read once, and the ports. */
import { Session as ClientSession, type Session, type SessionOptions } from "../client/session.ts";
import { FeedkeyError, systemCode } from "../error.ts";
import { createTransport } from "../net/transport.ts";
import { readProfile } from "../profile/read-profile.ts";
import type { Profile } from "../profile/types.ts";
import { findProfile, homeFolder, stateFolder } from "../store/paths.ts";
import { readTrustedFile } from "../store/trusted-file.ts";
import { type Instant, parseTime } from "../time.ts";
import type { CliReporter } from "./reporter.ts";

export interface GlobalOptions {
  readonly profile?: string;
  readonly state?: string;
  readonly home?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly debug?: boolean;
  readonly offline?: boolean;
  readonly at?: string;
  readonly color?: boolean;
}

export class Context {
  readonly options: GlobalOptions;
  /** The reference time: the clock is read once. */
  readonly at: Instant;
  readonly reporter: CliReporter;

  /**
   * @param at the reference time of a command that this one is a part of
   * @throws FeedkeyError `usage`
   */
  constructor(options: GlobalOptions, reporter: CliReporter, at?: Instant) {
    this.options = options;
    this.at = at ?? (options.at === undefined ? Date.now() : parseTime(options.at));
    this.reporter = reporter;
  }

  get home(): string {
    return homeFolder(this.options.home);
  }

  get stateFolder(): string {
    return stateFolder(this.options.state);
  }

  /** @throws FeedkeyError `usage`, `not_found`, `bad_profile` */
  async profile(): Promise<Profile> {
    const { profile } = this.options;
    if (profile === undefined) {
      throw new FeedkeyError("usage", "no profile is named", {
        hint: 'say which archive with --profile NAME or FILE; "feedkey profile list" shows those at hand',
      });
    }
    return await loadProfile(await findProfile(profile));
  }

  /**
   * Opens the client for the profile and closes everything afterwards.
   * @throws FeedkeyError as `Session.open` and the action
   */
  async withSession<T>(
    terms: Partial<Pick<SessionOptions, "profile" | "stateFolder" | "resetState" | "readOnly" | "justRefreshed">>,
    action: (session: Session) => Promise<T>,
  ): Promise<T> {
    const profile = terms.profile ?? (await this.profile());
    const offline = this.options.offline === true || terms.justRefreshed === true;
    const transport = createTransport({ offline, ...(await readCa(profile.archive.ca)) });
    const keyserverTransport = createTransport({ offline, ...(await readCa(profile.trust.keyserverCa)) });
    try {
      const session = await ClientSession.open({
        stateFolder: this.stateFolder,
        at: this.at,
        offline,
        transport,
        keyserverTransport,
        reporter: this.reporter,
        ...terms,
        profile,
      });
      try {
        return await action(session);
      } finally {
        await session.close();
      }
    } finally {
      await transport.close();
      await keyserverTransport.close();
    }
  }
}

/** @throws FeedkeyError `bad_profile`, `not_found` */
export async function loadProfile(file: string): Promise<Profile> {
  return readProfile(await readText(file), file);
}

async function readText(file: string): Promise<string> {
  try {
    return (await readTrustedFile(file, { what: "the profile", code: "bad_profile" })).toString("utf8");
  } catch (cause) {
    if (cause instanceof FeedkeyError) throw cause;
    throw new FeedkeyError("not_found", `${file} can't be read`, {
      cause,
      details: { path: file, reason: systemCode(cause) },
    });
  }
}

async function readCa(file: string | undefined): Promise<{ ca: string } | Record<string, never>> {
  if (file === undefined) return {};
  try {
    const use = { what: "the certificate authority", code: "bad_profile" } as const;
    return { ca: (await readTrustedFile(file, use)).toString("utf8") };
  } catch (cause) {
    if (cause instanceof FeedkeyError) throw cause;
    throw new FeedkeyError("bad_profile", `the certificate authority ${file} can't be read`, {
      cause,
      details: { path: file, reason: systemCode(cause) },
      hint: 'check the lines "ca" and "keyserver-ca" of the profile',
    });
  }
}
