/** `chain --svg`, `chain --dot` and `rotate --status --svg`. */
import { expect } from "chai";
import { chainGraph } from "../../src/picture/chain-graph.ts";
import { layOut } from "../../src/picture/svg.ts";
import { timeline } from "../../src/picture/timeline.ts";
import { hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { cert, delegation, machine, master, person } from "../testkit/delegations.ts";
import { judged } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { certification, keyRevocation } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";

const stolen = ed25519Key("picture-stolen");
const at = day(60);

describe("pictures", () => {
  /** The texts that a picture shows. */
  const shown = (svg: string) => {
    return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) => {
      return text
        .replace(/&#(x?)(\w+);/g, (_, hex, number) => String.fromCharCode(Number.parseInt(number, hex ? 16 : 10)))
        .replace(/&lt;/g, "<")
        .replace(/&gt;/g, ">")
        .replace(/&quot;/g, '"')
        .replace(/&amp;/g, "&")
        .replaceAll("\u00a0", " ");
    });
  };

  it("shows roles, scopes, dates, and why keys are refused", async () => {
    const trust = await judged({
      at,
      certificates: [
        cert(master, [], { keyExpiresAfter: 365 * 86_400 }),
        cert(person, [delegation(master, person, { terms: "depth=1; feeds=base,extra-*" })]),
        cert(machine, [delegation(person, machine, { terms: "depth=0; feeds=base", at: day(12), days: 20 })]),
        certificate({
          key: stolen,
          userIds: [archiveId],
          certifiedBy: [certification({ by: master, of: stolen, userId: archiveId, at: day(20) })],
          signatures: [keyRevocation({ by: stolen, of: stolen, at: day(30), hashed: [reason(2, "")] })],
        }),
      ],
    });
    const graph = chainGraph(trust);
    expect(graph).to.match(
      new RegExp(`"${master.fingerprint}" -> "${person.fingerprint}" \\[class="holds delegation"`),
    );
    const texts = shown(await layOut(graph, "a title")).join("\n");
    expect(texts).to.contain("2026-01-01 to 2027-01-01\nseed, may sign");
    expect(texts).to.contain("delegate for base,extra-* until 2026-04-21,");
    expect(texts).to.contain("revoked: the key is revoked as compromised");
    // The machine's delegation has expired: the box is refused, and so is the arrow.
    expect(graph).to.match(new RegExp(`"${machine.fingerprint}" \\[class="refused"`));
    expect(graph).to.match(
      new RegExp(`"${person.fingerprint}" -> "${machine.fingerprint}" \\[class="broken".*expired`),
    );
  });

  it("takes nothing of a user ID for a tag, an entity, an attribute or an escape", async () => {
    const names = [
      "</text><script>x()</script> <a@example.org>",
      '\\N \\" ]; a -> b; "x <b@example.org>',
      "&lt;b&gt; &amp; <c@example.org>",
    ];
    const trust = await judged({
      at,
      certificates: [
        cert(master),
        ...names.map((name, place) => certificate({ key: ed25519Key(`picture-${place}`), userIds: [name] })),
      ],
    });
    const svg = await layOut(chainGraph(trust), "</title><script>");
    expect(svg.match(/<\/?([a-z]+)/g)?.map((tag) => tag.replace(/<\/?/, ""))).to.not.include.members(["script"]);
    expect(svg).to.not.contain("<script");
    expect(svg.match(/<g id="node\d+"/g)).to.have.length(4);
    const texts = shown(svg).join(" ");
    for (const name of names) expect(texts).to.contain(name);
  });

  it("draws no more refused keys than somebody can look at", async () => {
    const many = Array.from({ length: 60 }, (_, place) =>
      certificate({ key: ed25519Key(`picture-many-${place}`), userIds: ["A <a@example.org>"] }),
    );
    const graph = chainGraph(await judged({ at, certificates: [cert(master), ...many] }));
    expect(graph.match(/class="refused"/g)).to.have.length(50);
    expect(graph).to.contain("and 10 more that are not trusted");
  });

  it("draws a rotation with its keys, its overlap and today", () => {
    const key = { userId: archiveId, revokedAt: undefined };
    const keys = [
      { ...key, fingerprint: stolen.fingerprint, createdAt: day(-300), expiresAt: day(80), revokedAt: day(20) },
      { ...key, fingerprint: master.fingerprint, createdAt: day(0), expiresAt: day(365) },
      { ...key, fingerprint: person.fingerprint, createdAt: day(40), expiresAt: undefined },
    ];
    const svg = timeline(
      {
        keys,
        present: master.fingerprint,
        successor: person.fingerprint,
        successorHere: true,
        predecessor: stolen.fingerprint,
        overlapEnds: day(100),
      },
      at,
    );
    expect(svg).to.contain(`present key ${master.fingerprint}`).and.contain("2026-01-01, until 2027-01-01");
    expect(svg).to.contain("revoked 2026-01-21").and.contain("never expires");
    expect(svg).to.contain("overlap until 2026-04-11").and.contain(">today<");
  });

  describe("on the command line", () => {
    let archive: TestArchive;

    beforeEach(async () => {
      archive = await TestArchive.make();
    });

    afterEach(() => archive.remove());

    it("come from the client's chain and the keeper's rotation, for the options that ask for one", async () => {
      const now = published + hour;
      const args = archive.clientArgs(now, "chain", "--svg").filter((word) => word !== "--json");
      const ended = await runHere(args);
      expect(ended.stdout)
        .to.match(/^<svg /)
        .and.contain(archive.key.slice(0, 20));
      await archive.refuse({ code: "usage", status: 2 }, now, "chain", "--svg", "--dot");
    });
  });
});
