import * as fs from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { findProfile, homeFolder, profileSearchPath, stateFolder } from "../../src/files/paths.ts";
import { inScratch, refusal, run } from "../testkit/scratch.ts";

const module = new URL("../../src/files/paths.js", import.meta.url).href;

/** What a function of the module says in a process with another environment: the variables are read at its start. */
async function inEnvironment(expression: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const script = `import * as paths from ${JSON.stringify(module)}; console.log(JSON.stringify(paths.${expression}))`;
  const ended = await run(process.execPath, ["--input-type=module", "-e", script], { HOME: "/home/me", ...env });
  return JSON.parse(ended.stdout);
}

describe("store/paths", () => {
  it("takes the option, then the variable of feedkey, then that of XDG, then the home folder", async () => {
    const all = {
      FEEDKEY_STATE: "/from-feedkey",
      FEEDKEY_HOME: "/home-feedkey",
      XDG_STATE_HOME: "/s",
      XDG_DATA_HOME: "/d",
    };
    expect(await inEnvironment('stateFolder("/option")', all)).to.equal("/option");
    expect(await inEnvironment('homeFolder("/option")', all)).to.equal("/option");
    expect(await inEnvironment("stateFolder()", all)).to.equal("/from-feedkey");
    expect(await inEnvironment("homeFolder()", all)).to.equal("/home-feedkey");
    const xdg = { ...all, FEEDKEY_STATE: "", FEEDKEY_HOME: "" };
    expect(await inEnvironment("stateFolder()", xdg)).to.equal("/s/feedkey");
    expect(await inEnvironment("homeFolder()", xdg)).to.equal("/d/feedkey");
    expect(await inEnvironment("stateFolder()", {})).to.equal("/home/me/.local/state/feedkey");
    expect(await inEnvironment("homeFolder()", {})).to.equal("/home/me/.local/share/feedkey");
  });

  it("ignores relative paths in XDG variables, as their specification says", async () => {
    const relative = { XDG_STATE_HOME: "s", XDG_DATA_HOME: "d", XDG_CONFIG_HOME: "c" };
    const home = join(homedir(), ".local");
    expect(await inEnvironment("stateFolder()", { ...relative, HOME: homedir() })).to.equal(
      join(home, "state/feedkey"),
    );
    expect(await inEnvironment("homeFolder()", { ...relative, HOME: homedir() })).to.equal(join(home, "share/feedkey"));
    const path = await inEnvironment("profileSearchPath()", { ...relative, HOME: homedir() });
    expect(path).to.include(join(homedir(), ".config/feedkey/profiles"));
  });

  it("makes folders absolute", () => {
    expect(stateFolder("state")).to.equal(resolve("state"));
    expect(homeFolder("home")).to.equal(resolve("home"));
  });

  it("looks for profiles in the configuration, in /etc and among the shipped ones", () => {
    const path = profileSearchPath();
    expect(path).to.have.length(3);
    expect(path[1]).to.equal("/etc/feedkey/profiles");
    // The tests run from the package's root.
    expect(path[2]).to.equal(resolve("profiles"));
  });

  it("finds a profile by name in the first folder that has it", () =>
    inScratch(async (folder) => {
      const profiles = join(folder, "feedkey", "profiles");
      await fs.mkdir(profiles, { recursive: true });
      await fs.writeFile(join(profiles, "only-here.ini"), "");
      const script = `import { findProfile } from ${JSON.stringify(module)}; console.log(await findProfile("only-here"))`;
      const ended = await run(process.execPath, ["--input-type=module", "-e", script], { XDG_CONFIG_HOME: folder });
      expect(ended.stdout).to.equal(`${join(profiles, "only-here.ini")}\n`);
    }));

  it("takes anything with a slash or ending in .ini for a file", () =>
    inScratch(async (folder) => {
      const file = join(folder, "mine");
      await fs.writeFile(file, "");
      expect(await findProfile(file)).to.equal(file);
      const error = await refusal(findProfile("no-such-profile.ini"));
      expect(error.details.lookedAt).to.deep.equal([resolve("no-such-profile.ini")]);
    }));

  it("says where it looked", async () => {
    const error = await refusal(findProfile("no-such-profile"));
    expect(error.code).to.equal("not_found");
    expect(error.message).to.equal('there is no profile "no-such-profile"');
    expect(error.hint).to.equal(
      `looked for ${profileSearchPath()
        .map((folder) => `${folder}/no-such-profile.ini`)
        .join(", ")}; "feedkey profile list" shows all`,
    );
  });

  for (const name of ["", "a b", "a\\b", "a\0b", "ä", "a:b"]) {
    it(`refuses ${JSON.stringify(name)} as a name`, async () => {
      expect((await refusal(findProfile(name))).code).to.equal("usage");
    });
  }

  it("does not pass over something that is there but is no file", () =>
    inScratch(async (folder) => {
      await fs.mkdir(join(folder, "mine.ini"));
      await fs.symlink("loop.ini", join(folder, "loop.ini"));
      expect((await refusal(findProfile(join(folder, "mine.ini")))).code).to.equal("bad_profile");
      expect((await refusal(findProfile(join(folder, "loop.ini")))).code).to.equal("bad_profile");
    }));
});
