/** What keeps the keyring current: a systemd timer or a line for cron. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { changed, Target } from "./target.ts";

const unit = "etc/systemd/system/feedkey-apt-example";
const link = "etc/systemd/system/timers.target.wants/feedkey-apt-example.timer";
const usage = { code: "usage", status: 2 };

describe("setup: the timer", () => {
  let target: Target;

  beforeEach(async () => {
    target = await Target.make();
    await target.write("usr/bin/feedkey", "");
  });

  afterEach(() => target.removeAll());

  const client = "/usr/bin/feedkey --profile /etc/feedkey/profiles/example.ini --state /var/lib/feedkey/state";
  const keyring = "/etc/apt/keyrings/example.gpg";

  it("is systemd's where that is, and enabled", async () => {
    await target.write("usr/lib/systemd/systemd", "");
    await fs.symlink("usr/lib", target.file("lib"));
    const { timer, warnings, next } = await target.accept("apt");
    expect({ timer, next }).to.deep.equal({ timer: "systemd", next: [] });
    expect(warnings?.join("\n")).to.not.include("/usr/bin/feedkey");
    const lines = (await target.read(`${unit}.service`)).split("\n").filter((line) => line.startsWith("ExecStart="));
    expect(lines).to.deep.equal([
      `ExecStart=-${client} --quiet refresh`,
      `ExecStart=${client} export --for apt --no-refresh ${keyring}`,
    ]);
    expect(await fs.realpath(target.file(link))).to.equal(await fs.realpath(target.file(`${unit}.timer`)));
  });

  it("is a line for cron everywhere else, in a file that cron reads", async () => {
    await target.writeProfile({}, join(target.folder, "files.example.org.ini"));
    const named = ["--profile", join(target.folder, "files.example.org.ini")];
    expect(await target.accept("apt", ...named)).to.include({ timer: "cron" });
    // No dots: Debian's cron passes such a file over.
    const lines = (await target.read("etc/cron.d/feedkey-apt-files_example_org")).split("\n");
    const job = lines.find((line) => /^[0-5]?\d \*\/6 \* \* \* root /.test(line)) ?? "";
    const [, first, second] = /root (.*); (.*)$/.exec(job) ?? [];
    const other = client.replace("example.ini", "files.example.org.ini");
    expect(first).to.equal(`${other} --quiet refresh`);
    const to = keyring.replace("example", "files.example.org");
    expect(second).to.equal(`${other} --quiet export --for apt --no-refresh ${to}`);
    expect(job, "a % is a line feed to cron").to.not.include("%");
  });

  it("spreads machines over the hour, and keeps each at its minute", async () => {
    const minutes = new Set<string>();
    for (let machine = 0; machine < 5; machine++) {
      await target.write("etc/hostname", `machine${machine}\n`);
      await target.accept("apt", "--timer", "cron");
      expect(changed(await target.accept("apt", "--timer", "cron"))).to.deep.equal([]);
      minutes.add(/^\d+/m.exec(await target.read("etc/cron.d/feedkey-apt-example"))?.[0] ?? "");
    }
    expect(minutes.size).to.be.greaterThan(1);
  });

  it("can be none: then the two commands are printed", async () => {
    const { warnings, next } = await target.accept("apt", "--timer", "none");
    expect(next).to.deep.equal([`${client} --quiet refresh`, `${client} export --for apt --no-refresh ${keyring}`]);
    expect(warnings?.join("\n")).to.include("nothing keeps the keyring current");
    await target.refuse(usage, "apt", "--timer", "at");
  });

  it("is replaced by the other kind", async () => {
    await target.accept("apt", "--timer", "systemd");
    const before = await target.files();
    const document = await target.accept("apt", "--timer", "cron");
    expect(changed(document)).to.deep.equal([
      "create /etc/cron.d/feedkey-apt-example",
      `remove /${link}`,
      `remove /${unit}.timer`,
      `remove /${unit}.service`,
    ]);
    await target.accept("apt", "--timer", "systemd");
    const files = await target.files();
    delete files["etc/cron.d"];
    for (const record of [files, before]) delete record["var/lib/feedkey/setup/manifest.json"];
    expect(files).to.deep.equal(before);
  });

  it("finds feedkey where it lies, or says that it is not there", async () => {
    await target.write("usr/local/bin/feedkey", "");
    await target.accept("apt");
    expect(await target.read("etc/cron.d/feedkey-apt-example")).to.include("root /usr/local/bin/feedkey --profile");
    const { warnings } = await target.accept("apt", "--feedkey", "/opt/feedkey@1/bin/feedkey");
    expect(warnings?.join("\n")).to.include("/opt/feedkey@1/bin/feedkey does not exist yet");
    expect(await target.read("etc/cron.d/feedkey-apt-example")).to.include("root /opt/feedkey@1/bin/feedkey --profile");
  });

  it("is refused for paths and names that a unit or a crontab would read in another way", async () => {
    for (const path of [
      "feedkey",
      "/usr/bin/../x",
      "/a b",
      "/a%h",
      "/$HOME/x",
      "/a;b",
      "/a\nb",
      "/a'b",
      "/-x",
      "/a/",
      "",
    ]) {
      await target.refuse(usage, "apt", `--feedkey=${path}`);
    }
    for (const name of ["a b", "100%n", "$HOME", "a\nb", "-x", ".x", "a;b", "a'b", "é", "x".repeat(101)]) {
      const file = join(target.folder, `${name}.ini`);
      await fs.copyFile(target.profile, file);
      await target.refuse(usage, "apt", "--profile", file);
      await target.refuse(usage, "apt", "--profile", file, "--remove");
    }
  });

  describe("by systemd itself", () => {
    before(needing("systemd-analyze"));

    it("is taken without a complaint", async () => {
      const feedkey = join(target.folder, "feedkey");
      await fs.writeFile(feedkey, "#!/bin/sh\n", { mode: 0o755 });
      for (const program of ["apt", "pkg_install"]) {
        await target.accept(program, "--timer", "systemd", "--feedkey", feedkey);
        const units = ["service", "timer"].map((kind) =>
          target.file(`etc/systemd/system/feedkey-${program}-example.${kind}`),
        );
        const { status, stdout, stderr } = await runProgram("systemd-analyze", ["verify", "--man=no", ...units]);
        expect([status, stdout + stderr]).to.deep.equal([0, ""]);
      }
    });
  });
});
