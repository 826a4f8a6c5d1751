/** Sets up pacman: writes a section into pacman.conf for each repository, and the keyring that the timer keeps up to date. */
import { FeedkeyError } from "../error.ts";
import { keyringFolder } from "./pacman-keyring.ts";
import { type Configured, contradiction, feedsIn, feedUrl, type Item, makeBlock, type Terms } from "./setup-item.ts";

const conf = "etc/pacman.conf";

/**
 * The signature settings of each repository. A trusted key must sign the database. The database has the digest of each package, so packages
 * need no signature; but if a package has one, it must be good and by a trusted key.
 */
const level = "SigLevel = DatabaseRequired DatabaseTrustedOnly PackageOptional PackageTrustedOnly";

/**
 * Returns pacman's configuration.
 * @throws FeedkeyError `bad_profile` if the profile has no pacman feed; `bad_config` if pacman.conf already has a section with a
 * repository's name
 */
export async function configurePacman({ profile, root, only }: Terms): Promise<Configured> {
  const { feeds, left } = feedsIn("pacman", profile);
  const repositories = feeds.map((feed) => ({
    name: repositoryOf(feed.index ?? `${feed.name}.db`),
    url: feedUrl(profile, feed),
  }));
  const text = (await root.text(conf)) ?? "";
  const others = new Set([...withoutBlock(text).matchAll(/^\s*\[([^\]\n]+)\]/gm)].map(([, name]) => name));
  const rival = repositories.find(({ name }) => others.has(name));
  if (rival !== undefined) {
    const hint = "remove that section: pacman accepts only one section for each repository";
    throw contradiction(conf, `has a section [${rival.name}] already`, hint);
  }
  const folder = keyringFolder(await root.text("usr/bin/pacman-key")) ?? "/usr/share/pacman/keyrings";
  const path = `${folder.slice(1)}/${profile.name}.gpg`;
  const sections = repositories.flatMap(({ name, url }) => [`[${name}]`, level, `Server = ${url}`]);
  const note = `feedkey setup pacman --profile ${profile.name} --remove takes it away`;
  // The block comes last in pacman.conf: if two repositories have the same package, pacman takes it from the first.
  const block: Item = { kind: "block", path: conf, text: makeBlock(note, sections), isLast: true };
  return {
    keyrings: [{ path, feeds: only, alsoWrites: ["etc/pacman.d"] }],
    items: [{ kind: "export", path }, block],
    warnings: [
      ...left,
      "pacman has one keyring for all repositories: the archive's keys can sign every other repository too",
    ],
    byHand: [],
  };
}

/** Returns a repository's name from the name of its database. For a section [NAME], pacman requests NAME.db. */
function repositoryOf(index: string): string {
  const name = /^([^\s\][]+)\.db$/.exec(index)?.[1];
  if (name !== undefined) return name;
  throw new FeedkeyError("bad_profile", `pacman can't be set up for a database "${index}"`, {
    hint: 'pacman downloads only databases called NAME.db: in the profile, give the line "index" of this feed such a name, or remove the line',
  });
}

function withoutBlock(text: string): string {
  return text.replace(/^# feedkey: begin\b[\s\S]*?^# feedkey: end\n/m, "");
}
