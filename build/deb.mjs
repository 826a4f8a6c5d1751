/** `npm run build:deb`: dist/feedkey_VERSION_all.deb, by dpkg-deb alone. The program must have been built. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { install, libraries, manifest, ownFiles, releaseDate } from "./installed-files.mjs";

const { version, description } = manifest;
const root = "dist/deb";
const place = "usr/share/nodejs/feedkey";

function write(path, data, mode = 0o644) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, data, { mode });
  chmodSync(file, mode);
}

const packed = (file) => gzipSync(readFileSync(file), { level: 9 });
const completion = (shell) => execFileSync(process.execPath, ["bin/feedkey.js", "completion", shell]);

rmSync(root, { recursive: true, force: true });
install(join(root, place), [...ownFiles, "dist/src"]);
install(join(root, place), libraries());
execFileSync("find", [join(root, place), "-type", "f", "-exec", "chmod", "644", "{}", "+"]);
mkdirSync(join(root, "usr/bin"), { recursive: true });
symlinkSync("../share/nodejs/feedkey/bin/feedkey.js", join(root, "usr/bin/feedkey"));
chmodSync(join(root, place, "bin/feedkey.js"), 0o755);
for (const page of readdirSync("dist/man"))
  write(`usr/share/man/man${page.at(-1)}/${page}.gz`, packed(`dist/man/${page}`));
write("usr/share/bash-completion/completions/feedkey", completion("bash"));
write("usr/share/zsh/vendor-completions/_feedkey", completion("zsh"));
write("usr/share/fish/vendor_completions.d/feedkey.fish", completion("fish"));
for (const unit of readdirSync("packaging/systemd")) {
  write(`usr/lib/systemd/system/${unit}`, readFileSync(`packaging/systemd/${unit}`));
}
write("usr/lib/nagios/plugins/check_feedkey", readFileSync("packaging/monitoring/check_feedkey"), 0o755);
cpSync("docs", join(root, "usr/share/doc/feedkey"), { recursive: true });
const maintainer = "The feedkey developers <feedkey@localhost>";
const date = new Date(`${releaseDate()}T00:00:00Z`).toUTCString().replace("GMT", "+0000");
const changes = `feedkey (${version}) unstable; urgency=medium\n\n  * See CHANGES.md.gz.\n\n -- ${maintainer}  ${date}\n`;
write("usr/share/doc/feedkey/changelog.gz", gzipSync(changes, { level: 9 }));
write("usr/share/doc/feedkey/CHANGES.md.gz", packed("CHANGELOG.md"));
write(
  "usr/share/doc/feedkey/copyright",
  `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: feedkey\n\nFiles: *\n${copyright()}`,
);
for (const script of ["postinst", "prerm", "postrm"]) {
  write(`DEBIAN/${script}`, readFileSync(`packaging/debian/${script}`), 0o755);
}
write(
  "DEBIAN/control",
  `Package: feedkey
Version: ${version}
Architecture: all
Maintainer: ${maintainer}
Section: admin
Priority: optional
Depends: nodejs (>= ${manifest.engines.node.replace(/^>=/, "")}), adduser
Recommends: ca-certificates
Suggests: gpgv, gnupg, graphviz
Installed-Size: ${Math.ceil(Number(execFileSync("du", ["-sk", root], { encoding: "utf8" }).split("\t")[0]))}
Description: ${description[0].toLowerCase()}${description.slice(1)}
 Publishes signed feeds of packages, and updates, verifies and fetches from
 them. Clients start from the fingerprint of a seed and follow the archive's
 keys by themselves: successors, delegates, revocations.
`,
);

/** The licence as a paragraph of machine-readable copyright files. */
function copyright() {
  const [, ...lines] = readFileSync("LICENSE", "utf8").trim().split("\n");
  const holder = lines.find((line) => line.startsWith("Copyright")) ?? "Copyright: the feedkey developers";
  const text = lines.filter((line) => line !== holder).map((line) => (line === "" ? " ." : ` ${line}`));
  return `Copyright: ${holder.replace(/^Copyright( \(c\))? /, "")}\nLicense: Expat\n${text.join("\n").replace(/^(?: \.\n)+/, "")}\n`;
}

const time = String(Date.parse(`${releaseDate()}T00:00:00Z`) / 1000);
const target = `dist/feedkey_${version}_all.deb`;
const env = { ...process.env, SOURCE_DATE_EPOCH: time };
execFileSync("dpkg-deb", ["--root-owner-group", "-Zxz", "--build", root, target], {
  env,
  stdio: ["ignore", "ignore", "inherit"],
});
rmSync(root, { recursive: true, force: true });
process.stdout.write(`${target}\n`);
