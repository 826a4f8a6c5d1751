/** Sets up dnf or zypper: writes a .repo file with a repository for each feed, and the key file that the timer keeps up to date. */
import { withoutTrailing } from "../trailing.ts";
import { dnfCache, dnfKeyFolder, dnfRepositories } from "./dnf-rings.ts";
import { rpmDatabases, zypperCache, zypperKeyFolder } from "./rpm-database.ts";
import { readRepositories, wordsOf } from "./rpm-system.ts";
import {
  type Configured,
  contradiction,
  feedsIn,
  feedUrl,
  inTarget,
  type Terms,
  textFile,
  textsIn,
  written,
} from "./setup-item.ts";

/** How the setups of dnf and zypper differ. */
interface Kind {
  readonly program: "dnf" | "zypper";
  /** The folder of .repo files, below the root. */
  readonly folder: string;
  readonly keyFile: string;
  /** Returns the lines that each repository has only for this program. */
  lines(packageSignatures: boolean): readonly string[];
  /** The folders to which an export writes in addition to the key file's folder. */
  readonly writes: readonly string[];
}

/**
 * Returns dnf's configuration.
 * @throws FeedkeyError `bad_profile` if the profile has no rpm-md feed; `bad_config` if another file conflicts
 */
export async function configureDnf(terms: Terms): Promise<Configured> {
  const keyFile = `${dnfKeyFolder}/RPM-GPG-KEY-${terms.profile.name}`;
  return await configure(terms, {
    program: "dnf",
    folder: dnfRepositories,
    keyFile,
    lines: (strict) => ["repo_gpgcheck=1", `gpgcheck=${strict ? 1 : 0}`, `gpgkey=file://${inTarget(keyFile)}`],
    // Exports also write to rpm's database, even if dnf does not check packages now: the database may have keys from a time when it did.
    writes: [dnfCache, ...rpmDatabases],
  });
}

/**
 * Returns zypper's configuration.
 * @throws FeedkeyError as `configureDnf` does
 */
export async function configureZypper(terms: Terms): Promise<Configured> {
  return await configure(terms, {
    program: "zypper",
    folder: "etc/zypp/repos.d",
    keyFile: `${zypperKeyFolder}/${terms.profile.name}-zypper.asc`,
    // The lines have no `gpgkey`, because zypper would import a removed key again from this URL.
    lines: (strict) => [
      "autorefresh=1",
      "type=rpm-md",
      "gpgcheck=1",
      "repo_gpgcheck=1",
      `pkg_gpgcheck=${strict ? 1 : 0}`,
    ],
    writes: [zypperCache, ...rpmDatabases],
  });
}

async function configure({ profile, root, only, gpgcheck }: Terms, kind: Kind): Promise<Configured> {
  const { program, folder, keyFile } = kind;
  const { feeds, left } = feedsIn("rpm-md", profile);
  const path = `${folder}/${profile.name}.repo`;
  const addresses = feeds.map((feed) => feedUrl(profile, feed));
  await refuseRivals({ root }, folder, path, addresses);
  const sections = feeds.map((feed, place) => {
    const head = [`[${profile.name}-${feed.name}]`, `name=${profile.name} ${feed.name}`, `baseurl=${addresses[place]}`];
    return [...head, "enabled=1", ...kind.lines(gpgcheck)].join("\n");
  });
  const head = [written(program, profile.name), `# ${gpgcheck ? strictly : usually}`];
  return {
    keyrings: [{ path: keyFile, feeds: only, alsoWrites: kind.writes }],
    // The key file comes last, because its export looks for the repositories that name it.
    items: [textFile(path, [...head, sections.join("\n\n")]), { kind: "export", path: keyFile }],
    warnings: warningsFor(left, kind, gpgcheck),
    byHand: [],
  };
}

const usually =
  "Packages are checked by the SHA-256 in the signed metadata; gpgcheck=1 would also require a signature in each package.";
const strictly = "Each package must also have a signature of its own by one of the archive's keys.";

function warningsFor(left: readonly string[], { program }: Kind, gpgcheck: boolean): string[] {
  const warnings = [...left];
  if (gpgcheck)
    warnings.push(`${program} will refuse every package that is not signed itself, which feedkey does not do`);
  if (program === "zypper")
    warnings.push(
      "zypper has one keyring for all repositories: the archive's keys can sign every other repository too",
    );
  return warnings;
}

/** Throws if another .repo file has a repository with the same URL: packages from there would be checked with other keys, or not at all. */
async function refuseRivals(
  { root }: Pick<Terms, "root">,
  folder: string,
  own: string,
  addresses: readonly string[],
): Promise<void> {
  const plain = (address: string) => withoutTrailing(address, "/");
  const ours = new Set(addresses.map(plain));
  for (const { path, text } of await textsIn(root, folder, [".repo"], own)) {
    const words = readRepositories(text).flatMap(({ values }) => wordsOf(values.get("baseurl")));
    const same = words.find((word) => ours.has(plain(word)));
    if (same === undefined) continue;
    throw contradiction(
      path,
      `names ${same} already`,
      "packages would also come from that entry, checked with other keys: remove the entry",
    );
  }
}
