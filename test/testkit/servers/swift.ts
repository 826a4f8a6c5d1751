/** Starts OpenStack Swift with its S3 interface, in a folder of its own; no root needed (Debian: python3-swift). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programFolder } from "../../../src/files/paths.ts";
import { presentOrSkip } from "../programs/present.ts";

export interface Swift {
  readonly url: string;
  stop(): Promise<void>;
}

/** The key of the one user there is. */
export const swiftKeys = { accessKeyId: "test:tester", secretAccessKey: "testing" };

const python = "/usr/bin/python3";

export function skipWithoutSwift(context: Mocha.Context): void {
  presentOrSkip(context, existsSync("/usr/lib/python3/dist-packages/swift/proxy/server.py"), "needs python3-swift");
}

export async function startSwift(): Promise<Swift> {
  const folder = await mkdtemp(join(tmpdir(), "feedkey-swift-"));
  const script = join(programFolder, "test/testkit/servers/swift-s3.py");
  const child = spawn(python, [script, folder], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const [port] = await Promise.race([once(child.stdout, "data"), ended.then(() => [""])]);
  if (Number(port) > 0) return { url: `http://127.0.0.1:${Number(port)}`, stop };
  await stop();
  throw new Error(`Swift did not come up: ${said}`);
}

/** Makes a container that anybody may read, by Swift's own interface. @returns where its objects are for them */
export async function publicContainer({ url }: Swift, name: string): Promise<string> {
  const { accessKeyId, secretAccessKey } = swiftKeys;
  const login = { "x-auth-user": accessKeyId, "x-auth-key": secretAccessKey };
  const answer = await fetch(`${url}/auth/v1.0`, { headers: login });
  const token = answer.headers.get("x-auth-token") ?? "";
  const place = `${url}/v1/AUTH_test/${name}`;
  const made = await fetch(place, { method: "PUT", headers: { "x-auth-token": token, "x-container-read": ".r:*" } });
  if (!made.ok) throw new Error(`Swift made no container: ${made.status}`);
  return place;
}
