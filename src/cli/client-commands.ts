/** Defines the commands for clients. */
import type { Command } from "commander";
import type { ArchiveStatusOptions } from "./archive/archive-status.ts";
import type { Runner } from "./run.ts";
import { withWarnings } from "./shared-options.ts";

/** Adds the commands for clients to the program. */
export function addClientCommands(program: Command, run: Runner): void {
  const profile = program.command("profile").description("list, show, check and write profiles of archives");
  profile
    .command("list")
    .description("list the available profiles")
    .action(run("profile", async () => (await import("./client/profile.ts")).list));
  profile
    .command("show [name]")
    .description("show what a profile says")
    .action(run("profile", async () => (await import("./client/profile.ts")).show));
  profile
    .command("check [name]")
    .description("check a profile and its keyring")
    .action(run("profile", async () => (await import("./client/profile.ts")).check));
  profile
    .command("add-seed <fingerprint...>")
    .description("add keys from the archive's key bundle to the seeds of the profile")
    .action(run("profile", async () => (await import("./client/profile.ts")).addSeed));
  profile
    .command("init <url>")
    .description("write a profile for an archive, with a key from its key bundle as the seed")
    .requiredOption(
      "--fingerprint <fpr...>",
      "full fingerprint of the archive's key, which you got from a source that you trust",
    )
    .option("--name <name>", "name of the profile (default: the host name in the URL)")
    .option("--feed <name=path...>", "feeds of the archive, each with its folder below the URL")
    .option("--feeds <file>", "read the profile's [feed] sections from a file, or from standard input if FILE is -")
    .option("--format <format>", "the format of the feeds: opkg or pkgsrc", "opkg")
    .option("--keyservers <urls>", "key servers as hkps://HOST, separated by commas, or none (default: none)")
    .option("--ca <file>", "PEM file with CA certificates for the archive's servers, in addition to the system's CAs")
    .option(
      "--keyserver-ca <file>",
      "PEM file with CA certificates for the key servers, in addition to the system's CAs",
    )
    .option("-o, --output <dir>", "folder to write the profile and its keyring into", ".")
    .option("--force", "replace an existing profile with the same name")
    .action(run("profile", async () => (await import("./client/profile-init.ts")).init));
  program
    .command("refresh")
    .description("ask the key servers and the archive for successors and revocations")
    .option("--reset-state", "delete the client state of this profile and start again from its seeds")
    .action(run("refresh", async () => (await import("./client/chain.ts")).refresh));
  program
    .command("chain")
    .description("show how a seed leads to each trusted key, and why the other keys are not trusted")
    .option("--svg", "write an SVG picture, which browsers can show")
    .option("--dot", "write a graph in the DOT language of Graphviz")
    .option("--reset-state", "delete the client state of this profile and start again from its seeds")
    .action(run("chain", async () => (await import("./client/chain.ts")).chain));
  program
    .command("export <path>")
    .description("write the keys that may sign now into a keyring for another program")
    .requiredOption("--for <program>", "the program: gpgv, apt, dnf, zypper, pacman, opkg or pkg_install")
    .option("--feed <name...>", "write only keys that may sign these feeds (default: every feed of the profile)")
    .option("--no-refresh", "ask no server, because you have just run refresh")
    .action(run("export", async () => (await import("./client/export.ts")).exportTo));
  program
    .command("setup <program>")
    .description("set up opkg, pkg_install, apt, dnf, zypper or pacman: write configuration, keyring and timer")
    .option("--root <dir>", "root folder of the system to set up", "/")
    .option("--timer <kind>", "kind of timer: systemd, cron or none (default: what that system has)")
    .option("--no-keyring", "write no keyring now: the first run of the timer writes the keyring")
    .option("--feed <name...>", "set up only these feeds (default: every feed of the profile)")
    .option("--suite <name...>", 'for apt: the suites to use (default: the variable "suite" in the profile)')
    .option(
      "--component <name...>",
      'for apt: the components to use (default: the variable "component" in the profile)',
    )
    .option("--prefix <dir>", "for pkg_install: the prefix of pkgsrc (default: where pkg_install is found)")
    .option("--gpgcheck", "for dnf and zypper: also require a signature on each package")
    .option("--feedkey <path>", "path of the feedkey program in that system")
    .option("--remove", "undo the setup: remove every file that is unchanged since the setup wrote it")
    .option("--dry-run", "print the plan and change nothing")
    .action(run("setup", async () => (await import("./client/setup.ts")).setup));
  withWarnings(program.command("status"))
    .description("show the age and expiry of feeds and keys, and what will stop working on which date; asks no server")
    .option(
      "--config <file>",
      "archive.ini of your own archive: show which keys and delegations end soon; the exit status is 1 if any does",
    )
    .option("--prometheus", "print metrics for the textfile collector of Prometheus")
    .action((options: ArchiveStatusOptions) => {
      if (options.config === undefined && options.warnWithin === undefined)
        return run("status", async () => (await import("./client/status.ts")).status)(options);
      return run("archive-status", async () => (await import("./archive/archive-status.ts")).archiveStatus)(options);
    });
  program
    .command("update [feed...]")
    .description("download and verify the indexes of all feeds, or of the named feeds")
    .option("--allow-empty", "accept an index without packages even if the last accepted index had some")
    .option("--allow-releaseinfo-change", "accept an apt repository whose Origin, Label or Codename changed")
    .option("--reset-state", "delete the client state of this profile and start again from its seeds")
    .action(run("update", async () => (await import("./client/update.ts")).update));
  program
    .command("list [pattern...]")
    .description(
      "list packages of the accepted indexes by name; in a pattern, * matches any characters and ? matches one",
    )
    .option("--feed <name...>", "search only these feeds")
    .action(run("list", async () => (await import("./client/list.ts")).list));
  program
    .command("search <word...>")
    .description("list packages of the accepted indexes that have all the words in their name or description")
    .option("--feed <name...>", "search only these feeds")
    .action(run("search", async () => (await import("./client/list.ts")).search));
  program
    .command("show <package>")
    .description("show what the accepted indexes say about a package, and which keys signed these indexes")
    .option("--feed <name...>", "search only these feeds")
    .action(run("show", async () => (await import("./client/list.ts")).show));
  program
    .command("fetch [package...]")
    .description("download packages (NAME or NAME=VERSION, with wildcards) and verify them with the signed indexes")
    .option("-o, --output <dir>", "folder for the packages", ".")
    .option("--feed <name...>", "fetch only from these feeds")
    .option("--all", "fetch every version of every package")
    .option("--latest", "fetch the newest version of every package")
    .option("--with-depends", "also fetch the dependencies of the packages, as far as the feeds have them")
    .option("--cache <dir>", "keep packages in a cache folder (at most 4 GiB), which later runs use again")
    .option("--reset-state", "delete the client state of this profile and start again from its seeds")
    .action(run("fetch", async () => (await import("./client/fetch.ts")).fetch));
  program
    .command("mirror <feed> <dir> [package...]")
    .description(
      "make or update a verified mirror of a feed, or of some of its packages (NAME or NAME=VERSION, with wildcards)",
    )
    .option("--latest", "mirror only the newest version of each package")
    .option("--with-depends", "also mirror the dependencies of the packages")
    .option("--reset-state", "delete the client state of this profile and start again from its seeds")
    .action(run("mirror", async () => (await import("./client/mirror.ts")).mirror));
  program
    .command("verify <index> [package-file...]")
    .description("verify a local index, and check package files against this index")
    .option("--signature <file>", "file with the signature of the index (default: INDEX.sig, then INDEX.asc)")
    .option("--feed <name>", "feed in the profile to which the index belongs")
    .option(
      "--packages <dir>",
      "check every listed file below a folder, and refuse packages that the index does not list",
    )
    .option("--complete", "with --packages: also refuse if a listed package is missing")
    .option("--allow-empty", "accept an index without packages even if the last accepted index had some")
    .option("--no-state", "only check: compare with no earlier index, and record nothing")
    .option("--reset-state", "delete the client state of this profile and start again from its seeds")
    .action(run("verify", async () => (await import("./client/verify.ts")).verify));
  program
    .command("verify-package <file...>")
    .description("verify signed pkgsrc packages")
    .option(
      "-o, --output <file>",
      "after verification, write the unsigned package, which is inside the signed package, to this file",
    )
    .option(
      "--feed <name>",
      "feed to which the packages belong; needed if the delegate that signed them may sign only some feeds",
    )
    .option("--no-state", "only check, and record nothing")
    .option("--reset-state", "delete the client state of this profile and start again from its seeds")
    .action(run("verify-package", async () => (await import("./client/verify-package.ts")).verifyPackage));
}
