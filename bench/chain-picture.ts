/** `npm run picture` draws these too: docs/chain.svg and docs/rotation.svg, with keys of the tests. */
import * as fs from "node:fs";
import { chainGraph } from "../src/picture/chain-graph.ts";
import { layOut } from "../src/picture/svg.ts";
import { timeline } from "../src/picture/timeline.ts";
import { archiveId, certificate } from "../test/testkit/certificate.ts";
import { day } from "../test/testkit/dates.ts";
import { cert, delegation, machine, master, person } from "../test/testkit/delegations.ts";
import { judged } from "../test/testkit/judging.ts";
import { ed25519Key } from "../test/testkit/keys.ts";
import { certification, keyRevocation } from "../test/testkit/signature.ts";
import { reason } from "../test/testkit/subpackets.ts";

const successor = ed25519Key("picture-successor");
const stolen = ed25519Key("picture-stolen");
const stranger = ed25519Key("picture-stranger");
const over = { userId: archiveId };

const year = 365 * 86_400;
const trust = await judged({
  at: day(60),
  certificates: [
    cert(master, [certification({ by: successor, of: master, ...over, at: day(40), expiresAfter: 60 * 86_400 })], {
      keyExpiresAfter: year,
    }),
    certificate({
      key: successor,
      userIds: [archiveId],
      certifiedBy: [certification({ by: master, of: successor, ...over, at: day(40) })],
    }),
    cert(person, [delegation(master, person, { terms: "depth=1; feeds=base,extra-*" })]),
    cert(machine, [delegation(person, machine, { terms: "depth=0; feeds=base", at: day(12), days: 60 })]),
    certificate({
      key: stolen,
      userIds: [archiveId],
      certifiedBy: [certification({ by: master, of: stolen, ...over, at: day(20) })],
      signatures: [keyRevocation({ by: stolen, of: stolen, at: day(30), hashed: [reason(2, "")] })],
    }),
    certificate({ key: stranger, userIds: [archiveId] }),
  ],
});
fs.writeFileSync("docs/chain.svg", `${await layOut(chainGraph(trust), "The chain of an archive's keys")}\n`);
const dates = (key: typeof master, createdAt: number, expiresAt: number | undefined) => {
  return { fingerprint: key.fingerprint, userId: archiveId, createdAt, expiresAt, revokedAt: undefined };
};
const status = {
  ...{
    present: master.fingerprint,
    successor: successor.fingerprint,
    successorHere: true,
    predecessor: stolen.fingerprint,
  },
  overlapEnds: day(100),
  keys: [dates(stolen, day(-600), day(130)), dates(master, day(0), day(365)), dates(successor, day(40), day(770))],
};
fs.writeFileSync("docs/rotation.svg", `${timeline(status, day(60))}\n`);
console.log("wrote docs/chain.svg, docs/rotation.svg");
