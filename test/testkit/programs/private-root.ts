/** Systems in a folder: programs run there as root, and see no other files. Nothing of this system changes. */
import { expect } from "chai";
import { runProgram } from "./command-line.ts";

const own = `mount -t tmpfs none "$0" && mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
set -- "$0/root" "$2"
mount --rbind "$PWD" "$1$PWD"
`;

const enter = `mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc"
exec chroot "$1" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \\
  DEBIAN_FRONTEND=noninteractive bash --norc -euo pipefail -c "cd; $2"`;

async function run(prepare: string, folder: string, script: string, input: string): Promise<string> {
  const args = ["--mount", "bash", "-euc", `${prepare}${enter}`, folder, folder, script];
  const { status, stdout, stderr } = await runProgram("unshare", args, { input });
  expect(status, `${script}\n${stdout}${stderr}`).to.equal(0);
  return stdout;
}

/** Runs a script in a system that must succeed, in root's home. @param input what a person would type @returns what it printed */
export function runInRoot(root: string, script: string, input = ""): Promise<string> {
  return run("", root, script, input);
}

/** The same in a copy of the running system, which is gone at the end. @param folder an empty folder */
export function runInCopy(folder: string, script: string): Promise<string> {
  return run(own, folder, script, "");
}
