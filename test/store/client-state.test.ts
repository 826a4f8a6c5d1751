import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { ClientState } from "../../src/store/client-state.ts";
import { replacing } from "../testkit/programs/crash.ts";
import { fingerprintA, fingerprintB, refusal } from "../testkit/scratch.ts";
import { inState, once, sampleIndex, sampleLedger } from "./sample-state.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

describe("store/client-state", () => {
  it("is empty before anything was saved, and a run that saves nothing leaves nothing that matters", () =>
    inState(async (root, folder) => {
      for (const _ of ["first", "second"]) {
        await once(root, async (state) => {
          expect(state.initialised).to.equal(false);
          expect(state.ledger.keys.size).to.equal(0);
          expect(state.certificates().size).to.equal(0);
          expect(await state.lastIndex("base")).to.equal(undefined);
        });
      }
      expect(await fs.readdir(folder)).to.deep.equal([]);
      await fs.rm(folder, { recursive: true });
      await once(root, async (state) => expect(state.initialised).to.equal(false));
    }));

  it("remembers keys and checks", () =>
    inState(async (root, folder) => {
      await once(root, async (state) => {
        await state.saveLedger(sampleLedger);
        expect(state.initialised).to.equal(true);
      });
      await once(root, async (state) => {
        expect(state.ledger.keys).to.deep.equal(sampleLedger.keys);
        expect(state.ledger.checks).to.deep.equal(sampleLedger.checks);
        // Saving what was learned about keys claims nothing about feeds and certificates.
        expect(state.ledger.feeds.size).to.equal(0);
        expect(state.ledger.certificates.size).to.equal(0);
      });
      expect((await fs.stat(join(folder, "ledger.json"))).mode & 0o777).to.equal(0o644);
    }));

  it("writes the ledger only when it says something new", () =>
    inState(async (root, folder) => {
      const inode = async () => (await fs.stat(join(folder, "ledger.json"))).ino;
      await once(root, (state) => state.saveLedger(sampleLedger));
      const before = await inode();
      await once(root, (state) => state.saveLedger(sampleLedger));
      expect(await inode()).to.equal(before);
      await once(root, (state) => state.saveLedger({ ...sampleLedger, checks: new Map() }));
      expect(await inode()).to.not.equal(before);
    }));

  it("keeps certificates as plain files", () =>
    inState(async (root, folder) => {
      await once(root, async (state) => {
        await state.putCertificates(
          new Map([
            [fingerprintA, bytes("a")],
            [fingerprintB, bytes("b")],
          ]),
        );
        await state.putCertificates(new Map([[fingerprintA, bytes("a, revoked")]]));
        expect(state.certificates().get(fingerprintA)).to.deep.equal(bytes("a, revoked"));
      });
      await once(root, async (state) => {
        const found = [...state.certificates()].map(([key, value]) => [key, Buffer.from(value).toString()]);
        expect(Object.fromEntries(found)).to.deep.equal({ [fingerprintA]: "a, revoked", [fingerprintB]: "b" });
      });
      expect((await fs.readdir(join(folder, "certs"))).sort()).to.deep.equal([
        `${fingerprintB}.pgp`,
        `${fingerprintA}.pgp`,
      ]);
    }));

  it("lets no certificate out of its folder", () =>
    inState(async (root) => {
      const error = await once(root, (state) => refusal(state.putCertificates(new Map([["../../x", bytes("x")]]))));
      expect(error.code).to.equal("usage");
      expect(await fs.readdir(root)).to.deep.equal(["proteanos"]);
    }));

  it("does not touch a certificate that has not changed", () =>
    inState(async (root, folder) => {
      const inode = async () => (await fs.stat(join(folder, "certs", `${fingerprintA}.pgp`))).ino;
      await once(root, async (state) => {
        await state.putCertificates(new Map([[fingerprintA, bytes("a")]]));
        const before = await inode();
        await state.putCertificates(new Map([[fingerprintA, bytes("a")]]));
        expect(await inode()).to.equal(before);
      });
    }));

  it("changes index, signature and what is known of them together", () =>
    inState(async (root, folder) => {
      await once(root, (state) => state.acceptIndex("base", sampleIndex(1)));
      await once(root, (state) => state.acceptIndex("base", sampleIndex(2)));
      await once(root, async (state) => {
        const last = await state.lastIndex("base");
        const { meta } = sampleIndex(2);
        expect(last?.meta).to.deep.include({ ...meta, feed: "base", size: 7 });
        expect(await fs.readFile(last?.indexPath ?? "", "utf8")).to.equal("index 2");
        expect(await fs.readFile(last?.signaturePath ?? "", "utf8")).to.equal("signature 2");
        expect(state.ledger.feeds.get("base")).to.deep.equal({ createdAt: meta.createdAt, sha256: meta.sha256 });
      });
      expect((await fs.readdir(join(folder, "feeds"))).sort()).to.deep.equal([".base.2", "base"]);
      expect((await fs.readdir(join(folder, "feeds", "base"))).sort()).to.deep.equal([
        "index",
        "meta.json",
        "signature",
      ]);
      expect(await fs.readFile(join(folder, "feeds", "base", "index"), "utf8")).to.equal("index 2");
    }));

  it("never goes back", () =>
    inState(async (root) => {
      await once(root, async (state) => {
        await state.acceptIndex("base", sampleIndex(2));
        const older = await refusal(state.acceptIndex("base", sampleIndex(1)));
        expect(older.code).to.equal("rollback");
        expect(older.message).to.equal(
          'index of feed "base" dates from 2026-02-01T12:00:00Z, and is older than the last accepted index, of 2026-02-02T12:00:00Z',
        );
        const other = await refusal(state.acceptIndex("base", sampleIndex(2, "other bytes")));
        expect(other.code).to.equal("rollback");
        await state.acceptIndex("other", sampleIndex(1));
      });
      await once(root, async (state) => {
        expect((await state.lastIndex("base"))?.meta.entries).to.equal(2);
        expect((await refusal(state.acceptIndex("base", sampleIndex(1)))).code).to.equal("rollback");
      });
    }));

  it("does nothing for the index that it has, and takes another signature over it", () =>
    inState(async (root, folder) => {
      await once(root, async (state) => {
        await state.acceptIndex("base", sampleIndex(1));
        await state.acceptIndex("base", sampleIndex(1));
        expect(await fs.readlink(join(folder, "feeds", "base"))).to.equal(".base.1");
        await state.acceptIndex("base", { ...sampleIndex(1), signature: bytes("signed twice") });
        const last = await state.lastIndex("base");
        expect(await fs.readFile(last?.signaturePath ?? "", "utf8")).to.equal("signed twice");
      });
    }));

  it("remembers what a server calls the files of an index only as long as it says so", () =>
    inState(async (root) => {
      const url = "https://files.example.org/base/Packages";
      const named = (etag?: string) => {
        const versions = etag === undefined ? undefined : { index: { url, etag }, signature: undefined };
        return { ...sampleIndex(1), meta: { ...sampleIndex(1).meta, versions } };
      };
      for (const etag of ['"first"', '"second"', '"second"', undefined]) {
        await once(root, (state) => state.acceptIndex("base", named(etag)));
        await once(root, async (state) => {
          expect((await state.lastIndex("base"))?.meta.versions?.index?.etag).to.equal(etag);
        });
      }
    }));

  it("takes the same bytes under a newer date", () =>
    inState(async (root) => {
      await once(root, (state) => state.acceptIndex("base", sampleIndex(1, "same")));
      await once(root, (state) => state.acceptIndex("base", sampleIndex(2, "same")));
      await once(root, async (state) => {
        expect(state.ledger.feeds.get("base")?.createdAt).to.equal(sampleIndex(2).meta.createdAt);
      });
    }));

  it("refuses an index that is not the one that was verified", () =>
    inState(async (root, folder) => {
      const error = await once(root, (state) =>
        refusal(state.acceptIndex("base", { ...sampleIndex(1), index: bytes("index of somebody else") })),
      );
      expect(error.code).to.equal("internal");
      expect(await fs.readdir(folder)).to.deep.equal([]);
    }));

  it("takes writes that are not waited for one after the other", () =>
    inState(async (root) => {
      await once(root, async (state) => {
        const feeds = ["a", "b", "c"].map((feed) => state.acceptIndex(feed, sampleIndex(1)));
        const failed = refusal(state.acceptIndex("a", sampleIndex(0)));
        await Promise.all([
          ...feeds,
          state.putCertificates(new Map([[fingerprintA, bytes("a")]])),
          state.saveLedger(sampleLedger),
        ]);
        expect((await failed).code).to.equal("rollback");
      });
      await once(root, async (state) => {
        expect([...state.ledger.feeds.keys()]).to.deep.equal(["a", "b", "c"]);
        expect(state.certificates().size).to.equal(1);
        expect(state.ledger.keys.size).to.equal(2);
      });
    }));

  it("keeps feeds and profiles of any name apart and inside its folder", () =>
    inState(async (root) => {
      const feeds = ["../../x", ".lock", "a/b", "a%2Fb", "__proto__", "ä", "base.1"];
      const profiles = ["..", ".initialised", "a/b", "proteanos"];
      for (const profile of profiles) {
        await once(
          root,
          async (state) => {
            for (const [n, feed] of feeds.entries()) await state.acceptIndex(feed, sampleIndex(n + 1));
          },
          profile,
        );
      }
      for (const profile of profiles) {
        await once(
          root,
          async (state) => {
            for (const [n, feed] of feeds.entries())
              expect((await state.lastIndex(feed))?.meta.entries).to.equal(n + 1);
          },
          profile,
        );
      }
      expect((await fs.readdir(root)).sort()).to.deep.equal([
        "%2E.",
        "%2Einitialised",
        ".initialised",
        "a%2Fb",
        "proteanos",
      ]);
      for (const name of ["", "x".repeat(201)]) {
        expect((await refusal(ClientState.open(root, name))).code).to.equal("bad_profile");
      }
    }));

  it("lets one run in at a time, for each profile", () =>
    inState(async (root) => {
      await once(root, async () => {
        const error = await refusal(ClientState.open(root, "proteanos", { waitMs: 0 }));
        expect(error.code).to.equal("locked");
        await once(root, async () => undefined, "debian");
      });
    }));

  it("writes nothing once the lock is lost", () =>
    inState(async (root, folder) => {
      const state = await ClientState.open(root, "proteanos");
      await state.acceptIndex("base", sampleIndex(1));
      await fs.writeFile(join(folder, ".lock-owner"), "another run");
      for (const write of [
        () => state.acceptIndex("base", sampleIndex(2)),
        () => state.saveLedger(sampleLedger),
        () => state.putCertificates(new Map([[fingerprintA, bytes("a")]])),
      ]) {
        expect((await refusal(write())).code).to.equal("locked");
      }
      await state.close();
      await fs.rm(join(folder, ".lock"), { recursive: true });
      await once(root, async (next) => {
        expect((await next.lastIndex("base"))?.meta.entries).to.equal(1);
        expect(next.ledger.keys.size).to.equal(0);
        expect(next.certificates().size).to.equal(0);
      });
    }));

  it("keeps the last good state when the disk does not take the new one, and goes on from there", () =>
    inState(async (root, folder) => {
      await once(root, async (state) => {
        await state.acceptIndex("base", sampleIndex(1));
        await state.putCertificates(new Map([[fingerprintA, bytes("a")]]));
        await fs.rm(join(folder, "certs"), { recursive: true });
        await fs.writeFile(join(folder, "certs"), "in the way");
        expect((await refusal(state.putCertificates(new Map([[fingerprintA, bytes("b")]])))).code).to.equal("output");
        await fs.rm(join(folder, "certs"));
        await fs.mkdir(join(folder, "certs"));
        await fs.writeFile(join(folder, "certs", `${fingerprintA}.pgp`), "a");
        await state.putCertificates(new Map([[fingerprintA, bytes("b")]]));
        await state.acceptIndex("base", sampleIndex(2));
      });
      await once(root, async (state) => {
        expect(Buffer.from(state.certificates().get(fingerprintA) ?? []).toString()).to.equal("b");
        expect((await state.lastIndex("base"))?.meta.entries).to.equal(2);
      });
    }));

  it("does not go back either when the index was put in place but the ledger could not be written", () =>
    inState(async (root) => {
      await once(root, async (state) => {
        await state.acceptIndex("base", sampleIndex(1));
        let full = true;
        const noSpace = async (rename: () => Promise<unknown>, path: string) => {
          if (full && path.endsWith("ledger.json")) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
          return rename();
        };
        await replacing("rename", noSpace, async () => {
          expect((await refusal(state.acceptIndex("base", sampleIndex(3)))).code).to.equal("output");
          full = false;
          expect((await refusal(state.acceptIndex("base", sampleIndex(2)))).code).to.equal("rollback");
          await state.acceptIndex("base", sampleIndex(4));
        });
        expect((await state.lastIndex("base"))?.meta.entries).to.equal(4);
      });
    }));
});
