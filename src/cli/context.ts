/** The context of a command: the global options, the time at which the command judges keys, and the reporter. */

import type { ClientOptions } from "../client/client-options.ts";
import { type Client, openClient } from "../client/open-client.ts";
import { showProfile } from "../client/profiles/profiles.ts";
import { homeFolder, stateFolder } from "../files/paths.ts";
import type { Profile } from "../index.ts";
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
  readonly at?: string | undefined;
  readonly color?: boolean;
}

export class Context {
  readonly options: GlobalOptions;
  /** The time at which the command judges keys and signatures. The command reads the clock only once. */
  readonly at: Instant;
  readonly reporter: CliReporter;

  /**
   * Makes a context.
   * @param at the time to use instead of `--at` or the clock, if another command runs this command
   * @throws FeedkeyError `usage` if `--at` is not a time
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

  /** Returns the same context with other global options. */
  with(options: GlobalOptions): Context {
    return new Context({ ...this.options, ...options }, this.reporter, options.at === undefined ? this.at : undefined);
  }

  /**
   * Reads the profile that `--profile` or $FEEDKEY_PROFILE names, else the profile called "default".
   * @throws FeedkeyError `usage`, `not_found`, `bad_profile`
   */
  async profile(): Promise<Profile> {
    return await showProfile(this.options.profile);
  }

  /**
   * Opens a client for the profile, runs an action with the client, and closes the client.
   * @throws FeedkeyError as `openClient` does, and every error of the action
   */
  async withClient<T>(
    action: (client: Client) => Promise<T>,
    terms: Pick<Partial<ClientOptions>, "profile" | "stateFolder" | "justRefreshed"> = {},
  ): Promise<T> {
    const { stateFolder, at, reporter } = this;
    const offline = this.options.offline === true;
    const profile = terms.profile ?? (await this.profile());
    const client = await openClient({ stateFolder, at, offline, reporter, ...terms, profile });
    try {
      return await action(client);
    } finally {
      await client.close();
    }
  }
}
