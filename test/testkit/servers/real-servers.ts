/** Starts real key servers for tests, each in a folder of its own under the system's temporary one; no root needed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, openSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { presentOrSkip } from "../programs/present.ts";

export interface RealServer {
  readonly port: number;
  stop(): Promise<void>;
}

const onakScripts = "/usr/lib/cgi-bin/pks";
const machine = process.arch === "arm64" ? "aarch64" : "x86_64";

/** The programs that each kind needs (Debian: onak, lighttpd, sks, nginx-light). */
export const needs = {
  onak: ["/usr/sbin/lighttpd", `${onakScripts}/lookup`, `${onakScripts}/add`],
  sks: ["/usr/sbin/sks"],
  nginx: ["/usr/sbin/nginx"],
} as const;

/** Skips a suite where the programs of a real key server behind nginx are missing. */
export function skipWithoutServers(context: Mocha.Context, program: "onak" | "sks"): void {
  const lacking = missing([program, "nginx"]);
  presentOrSkip(context, lacking.length === 0, `needs ${lacking.join(", ")}`);
}

function missing(kinds: readonly (keyof typeof needs)[]): string[] {
  return kinds
    .flatMap((kind) => needs[kind])
    .filter((path) => {
      try {
        accessSync(path, constants.X_OK);
        return false;
      } catch {
        return true;
      }
    });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Runs a server until it answers HTTP; its output goes to a file that is shown if it does not come up. */
async function run(
  folder: string,
  port: number,
  command: readonly [string, ...string[]],
  signal: NodeJS.Signals = "SIGTERM",
): Promise<RealServer> {
  const log = join(folder, "output");
  const out = openSync(log, "a");
  const [program, ...parameters] = command;
  const child: ChildProcess = spawn(program, parameters, { cwd: folder, stdio: ["ignore", out, out] });
  const ended = once(child, "exit");
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      async (response) => response.text().then(() => true),
      () => false,
    );
    if (answered) return { port, stop };
    await sleep(100);
  }
  const output = await readFile(log, "utf8");
  await stop();
  throw new Error(`${program} did not come up: ${output}`);
}

/** onak behind lighttpd, without TLS. */
export async function startOnak(): Promise<RealServer> {
  const folder = await mkdtemp(join(tmpdir(), "feedkey-onak-"));
  const port = await freePort();
  for (const name of ["db", "onak", "root", "tmp", "cgi"]) await mkdir(join(folder, name));
  // A copy loses the setuid bit of Debian's and runs as we do.
  await copyFile(join(onakScripts, "lookup"), join(folder, "cgi/lookup"));
  await copyFile(join(onakScripts, "add"), join(folder, "cgi/add.real"));
  // onak's add closes its output before it stores the key, and lighttpd then ends it: wait for its own end.
  const wrapper = `#!/bin/sh\nout=$("${folder}/cgi/add.real")\nprintf "%s\\n" "$out"\n`;
  await writeFile(join(folder, "cgi/add"), wrapper, { mode: 0o755 });
  await writeFile(
    join(folder, "onak.ini"),
    `;
[main]
backend=db
backends_dir=/usr/lib/${machine}-linux-gnu/onak/backends
logfile=${folder}/onak.log
loglevel=3
use_keyd=false
sock_dir=${folder}
max_reply_keys=128
[verification]
check_sighash=true
drop_v3=true
verify_signatures=false
[backend:db]
type=db4
location=${folder}/db
`,
  );
  await writeFile(
    join(folder, "lighttpd.conf"),
    `server.modules = ( "mod_setenv", "mod_alias", "mod_cgi" )
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${folder}/root"
server.upload-dirs = ( "${folder}/tmp" )
setenv.set-environment = ( "XDG_CONFIG_HOME" => "${folder}" )
alias.url = ( "/pks/" => "${folder}/cgi/" )
$HTTP["url"] =~ "^/pks/(lookup|add)" { cgi.assign = ( "" => "" ) }
`,
  );
  return run(folder, port, ["/usr/sbin/lighttpd", "-D", "-f", join(folder, "lighttpd.conf")]);
}

/** SKS, its database alone, without TLS. */
export async function startSks(): Promise<RealServer> {
  const folder = await mkdtemp(join(tmpdir(), "feedkey-sks-"));
  const port = await freePort();
  // Debian's build looks below its base folder for these.
  for (const name of [
    "etc/sks",
    "var/log/sks",
    "var/run/sks",
    "var/spool/sks/messages",
    "var/spool/sks/failed_messages",
  ]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  for (const name of ["www", "dump"]) await mkdir(join(folder, "var/lib/sks", name), { recursive: true });
  await writeFile(join(folder, "var/lib/sks/www/index.html"), "<html><body>sks</body></html>");
  const lines = ["hostname: localhost", "hkp_address: 127.0.0.1", `hkp_port: ${port}`, "recon_address: 127.0.0.1"];
  lines.push(`recon_port: ${await freePort()}`, "disable_mailsync:", "pagesize: 16", "ptree_pagesize: 16", "");
  await writeFile(join(folder, "etc/sks/sksconf"), lines.join("\n"));
  for (const name of ["membership", "mailsync"]) await writeFile(join(folder, "etc/sks", name), "");
  // Without key files this makes an empty database.
  execFileSync("/usr/sbin/sks", ["build", "-basedir", folder], { cwd: folder, stdio: "ignore" });
  return run(folder, port, ["/usr/sbin/sks", "db", "-basedir", folder], "SIGINT");
}

/** nginx that speaks TLS, with the test certificate for localhost, in front of a key server. */
export async function startTlsFront(behind: RealServer): Promise<RealServer> {
  const folder = await mkdtemp(join(tmpdir(), "feedkey-nginx-"));
  const [port, plainPort] = [await freePort(), await freePort()];
  await mkdir(join(folder, "tmp"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (of) => `${of}_temp_path ${folder}/tmp/${of};`,
  );
  await writeFile(
    join(folder, "nginx.conf"),
    `${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log info;
events { worker_connections 128; }
http {
  access_log off;
  ${temporary.join(" ")}
  server {
    listen 127.0.0.1:${plainPort};
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${resolve("test/vectors/tls/good.pem")};
    ssl_certificate_key ${resolve("test/vectors/tls/good.key")};
    location /pks/ { proxy_pass http://127.0.0.1:${behind.port}; }
    location / { return 404; }
  }
}
`,
  );
  const command = ["/usr/sbin/nginx", "-e", join(folder, "error.log"), "-p", folder, "-c", join(folder, "nginx.conf")];
  // Whether it is up is asked without TLS.
  const front = await run(folder, plainPort, command as [string, ...string[]]);
  return { port, stop: front.stop };
}
