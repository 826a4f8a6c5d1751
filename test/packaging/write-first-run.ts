/** `npm run first-run`: takes a person's way from nothing on each system, and writes into docs/install.md how long it took. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bareDebian, debianMirror, firstRun, systems } from "./first-run.ts";

const mirror = await debianMirror();
if (mirror === undefined) throw new Error("apt on this machine knows no mirror of Debian");
const page = "docs/install.md";
const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-test-"));
try {
  const rows: string[] = [];
  for (const system of systems) {
    const root = join(folder, system.suite);
    await bareDebian(system, mirror, root);
    const { install, publish, verify } = await firstRun(system, root);
    const cells = [install, publish, verify].map((time) => `${(time / 1000).toFixed(1)} s`);
    rows.push(`| ${[system.name, ...cells].join(" | ")} |\n`);
  }
  const text = fs.readFileSync(page, "utf8");
  fs.writeFileSync(page, text.replace(/(^\| system \| install.*\n.*\n)(?:\|.*\n)*/m, `$1${rows.join("")}`));
  process.stdout.write(rows.join(""));
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
