/** What somebody else wrote or changed is never replaced and never removed. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { certificate } from "../testkit/certificate.ts";
import { concat } from "../testkit/framing.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { actionOf, changed, other, seed, Target } from "./target.ts";

const main = ["--suite", "stable", "--component", "main", "--timer", "systemd"];
const source = "etc/apt/sources.list.d/example.sources";
const keyring = "etc/apt/keyrings/example.gpg";
const profile = "etc/feedkey/profiles/example.ini";
const shipped = `etc/feedkey/profiles/keyrings/example/${seed.fingerprint}.asc`;
const service = "etc/systemd/system/feedkey-apt-example.service";
const link = "etc/systemd/system/timers.target.wants/feedkey-apt-example.timer";
const manifest = "var/lib/feedkey/setup/manifest.json";
const output = { code: "output", status: 73 };

describe("setup: what is somebody else's", () => {
  let target: Target;

  beforeEach(async () => {
    target = await Target.make();
  });

  afterEach(() => target.removeAll());

  const reasonFor = ({ changes }: Awaited<ReturnType<Target["accept"]>>, path: string) => {
    return changes.find((change) => change.path === `/${path}` && change.action === "leave")?.reason;
  };

  it("a file that is there is not replaced", async () => {
    for (const path of [source, keyring, profile, shipped, service, link]) {
      await target.write(path, "somebody's own");
      const { error } = await target.refuse(output, "apt", ...main);
      expect(error?.message).to.match(new RegExp(`^/${path} is (there already, and feedkey did not write it|a file)`));
      await fs.rm(target.file(path));
    }
    await fs.mkdir(target.file(source), { recursive: true });
    await target.refuse(output, "apt", ...main);
  });

  it("all that are in the way are named", async () => {
    for (const path of [source, service]) await target.write(path, "somebody's own");
    const { error } = await target.refuse(output, "apt", ...main);
    const conflicts = error?.details.conflicts as { path: string }[];
    expect(conflicts.map(({ path }) => path)).to.deep.equal([`/${source}`, `/${service}`]);
  });

  it("a link in a file's place is neither followed nor replaced", async () => {
    const aim = join(target.folder, "aim");
    await fs.writeFile(aim, "out of the root");
    for (const path of [source, keyring, profile]) {
      await target.write(path, "");
      await fs.rm(target.file(path));
      await fs.symlink(aim, target.file(path));
      const { error } = await target.refuse(output, "apt", ...main);
      expect(error?.message).to.include(`/${path} is a link`);
      await fs.rm(target.file(path));
    }
    expect(await fs.readFile(aim, "utf8")).to.equal("out of the root");
  });

  it("a file with the very same text is used, and stays when the setup goes", async () => {
    await target.accept("apt", ...main);
    const text = await target.read(source);
    await target.accept("apt", "--remove");
    await target.write(source, text);
    expect(actionOf(await target.accept("apt", ...main), `/${source}`)).to.equal("keep");
    await target.accept("apt", "--remove");
    expect(await target.read(source)).to.equal(text);
  });

  it("a file that was edited is neither replaced nor removed", async () => {
    await target.accept("apt", ...main);
    for (const path of [source, service, profile]) await fs.appendFile(target.file(path), "; edited\n");
    await fs.rm(target.file(link));
    await fs.symlink("../other.timer", target.file(link));
    const { error } = await target.refuse(output, "apt", ...main);
    expect(error?.message).to.include(`/${profile} was changed since feedkey wrote it (and 3 more)`);
    const document = await target.accept("apt", "--remove");
    for (const path of [source, service, profile, link]) {
      expect(reasonFor(document, path), path).to.equal("was changed since feedkey wrote it");
      expect(document.warnings?.join("\n")).to.include(`/${path} is left alone`);
    }
    expect(Object.keys(await target.files())).to.include.members([source, service, profile, link]);
    expect(Object.keys(await target.files()))
      .to.not.include.members([keyring])
      .and.not.include(manifest);
  });

  it("a file that somebody removed is written again, or gone already", async () => {
    await target.accept("apt", ...main);
    const before = await target.files();
    await fs.rm(target.file(source));
    expect(changed(await target.accept("apt", ...main))).to.deep.equal([`create /${source}`]);
    expect(await target.files()).to.deep.equal(before);
    await fs.rm(target.file(source));
    await fs.rm(target.file(keyring));
    await target.accept("apt", "--remove");
    expect(await target.files()).to.deep.equal({});
  });

  it("a keyring that the timer changed goes, one with somebody's key or text in it stays", async () => {
    const stranger = certificate({ key: other }).bytes;
    const own = certificate({ key: seed.key }).bytes;
    for (const [bytes, reason] of [
      [new Uint8Array(), undefined],
      [concat(own, stranger), `contains a key that is not the archive's, ${other.fingerprint}`],
      [Buffer.from("not a keyring"), "is no longer a keyring as feedkey writes it"],
    ] as const) {
      await target.accept("apt", ...main);
      await fs.writeFile(target.file(keyring), bytes);
      const document = await target.accept("apt", "--remove");
      expect(reasonFor(document, keyring)).to.equal(reason);
      expect(Object.keys(await target.files()).includes(keyring)).to.equal(reason !== undefined);
      await fs.rm(target.file(keyring), { force: true });
    }
  });

  it("what two programs share goes with the last of them", async () => {
    await target.accept("apt", ...main);
    const before = await target.files();
    await target.accept("pkg_install", "--timer", "none");
    await target.accept("pkg_install", "--remove");
    const { [manifest]: _new, ...after } = await target.files();
    const { [manifest]: _old, ...expected } = before;
    expect(Object.keys(after)).to.include.members(Object.keys(expected));
    await target.accept("pkg_install", "--timer", "none");
    await target.accept("apt", "--remove");
    expect(Object.keys(await target.files())).to.include.members([profile, shipped]);
    await target.accept("pkg_install", "--remove");
    expect(await target.files()).to.deep.equal({});
  });

  it("a second archive is set up beside the first for apt, and refused where a program has but one keyring", async () => {
    const second = join(target.folder, "second.ini");
    await target.writeProfile({ keys: [other] }, second);
    await target.writeProfile();
    await fs.writeFile(second, (await fs.readFile(second, "utf8")).replace(seed.fingerprint, other.fingerprint));
    await fs.writeFile(
      join(target.folder, "shipped.asc"),
      [seed.key, other].map((key) => certificate({ key }).armored).join(""),
    );
    await target.accept("apt", ...main);
    await target.accept("apt", "--suite", "testing", "--component", "main", "--timer", "systemd", "--profile", second);
    await target.accept("pkg_install");
    const { error } = await target.refuse(output, "pkg_install", "--profile", second);
    expect(error?.message).to.include("belongs to the setup of pkg_install for profile example");
    await target.accept("opkg", "--no-keyring");
    const opkg = await target.refuse(output, "opkg", "--no-keyring", "--profile", second);
    expect(opkg.error?.message).to.include("belongs to the setup of opkg for profile example");
    for (const program of ["apt", "pkg_install", "opkg"]) await target.accept(program, "--remove");
    await target.accept("apt", "--remove", "--profile", "second");
    expect(await target.files()).to.deep.equal({});
  });

  it("a setup that is not there can't be removed, and those that are there are named", async () => {
    const missing = { code: "not_found", status: 66 };
    await target.refuse(missing, "apt", "--remove");
    await target.accept("apt", ...main);
    const { error } = await target.refuse(missing, "opkg", "--remove");
    expect(error?.hint).to.include("apt example");
    await target.refuse(missing, "apt", "--remove", "--profile", "other");
    // The profile itself need not be there any more.
    await fs.rm(target.profile);
    await target.accept("apt", "--remove", "--dry-run", "--profile", "example");
    await target.accept("apt", "--remove", "--profile", "example");
    expect(await target.files()).to.deep.equal({});
  });

  it("a record that is damaged, newer, or points elsewhere stops everything", async () => {
    await target.accept("apt", ...main);
    const good = await target.read(manifest);
    const bad = { code: "bad_state", status: 74 };
    for (const text of [
      "",
      "{}",
      good.slice(0, 200),
      good.replace('"version": 1', '"version": 2'),
      good.replace('"kind"', '"kinds"'),
    ]) {
      await target.write(manifest, text);
      await target.refuse(bad, "apt", ...main);
      await target.refuse(bad, "apt", "--remove");
    }
    await target.write(manifest, good);
    await fs.chmod(join(target.root, "var/lib/feedkey/setup"), 0o775);
    const open = await target.refuse(bad, "apt", "--remove");
    expect(open.error?.message).to.include("other users can write to the folder");
    await fs.chmod(join(target.root, "var/lib/feedkey/setup"), 0o755);
    const outside = join(target.folder, "example.ini");
    await target.write(manifest, good.replace(source, "../example.ini"));
    await target.refuse({ code: "bad_path", status: 1 }, "apt", "--remove");
    expect(await fs.readFile(outside, "utf8")).to.include("[archive]");
  });

  it("an administrator's own profile in the place for profiles is used as it is", async () => {
    await fs.mkdir(target.file("etc/feedkey/profiles"), { recursive: true });
    await target.writeProfile({}, target.file(profile));
    const before = await target.files();
    const named = ["--profile", target.file(profile)];
    await target.accept("apt", ...main, ...named);
    await target.accept("apt", "--remove", ...named);
    expect(await target.files()).to.deep.equal(before);
  });

  it("the profile that a setup wrote can be set up again", async () => {
    await target.accept("apt", ...main);
    const named = ["--profile", target.file(profile)];
    expect(changed(await target.accept("apt", ...main, ...named))).to.deep.equal([]);
    await target.accept("pkg_install", "--timer", "none", ...named);
    await target.accept("apt", "--remove");
    expect(Object.keys(await target.files())).to.include(profile);
  });

  it("takes no state from elsewhere", async () => {
    const ended = await runHere(["--state", target.folder, ...target.args("apt")]);
    expect(ended.status).to.equal(2);
  });
});
