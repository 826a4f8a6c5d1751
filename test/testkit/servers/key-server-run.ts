/** A client that asks key servers which a test makes misbehave. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Instant } from "../../../src/time.ts";
import type { Client, ClientOptions } from "../../life/client.ts";
import { inLife, type Life } from "../archives/years.ts";
import { day } from "../dates.ts";
import type { LyingServer } from "./key-servers.ts";
import { type Behaviour, plain } from "./misbehaving-server.ts";

export const unchecked = { code: "unchecked_revocation", status: 1 };

/** The answer that a good server gives about a key of the archive, as its certificate is now. */
export async function honest({ archive }: Life, fingerprint: string): Promise<Behaviour> {
  return plain(200, await fs.readFile(join(archive.home, "certs", `${fingerprint}.asc`)));
}

export type Action = (client: Client, life: Life) => Promise<void>;

/** An archive whose only key the servers answer with honestly, and a client that has never asked. */
export async function withNewClient(
  servers: readonly LyingServer[],
  action: Action,
  options: Partial<ClientOptions> = {},
): Promise<void> {
  await inLife(async (life) => {
    for (const server of servers) server.answer(life.first, await honest(life, life.first));
    await action(await life.client("one", { servers: servers.map(({ url }) => url), ...options }), life);
  });
}

/** The same, but the client has accepted an index on day 1, when the servers were in order. */
export async function withKnownKey(
  servers: readonly LyingServer[],
  action: Action,
  options: Partial<ClientOptions> = {},
): Promise<void> {
  await withNewClient(
    servers,
    async (client, life) => {
      expect(await client.update(day(1))).to.deep.equal([life.first]);
      await action(client, life);
    },
    options,
  );
}

/** An update that must succeed with these warnings, and no others. */
export async function acceptsWith(client: Client, at: Instant, ...warnings: readonly RegExp[]): Promise<void> {
  const said = (await client.accept(at, "update")).warnings ?? [];
  expect(said, said.join("\n")).to.have.length(warnings.length);
  for (const [place, warning] of warnings.entries()) expect(said[place]).to.match(warning);
}
