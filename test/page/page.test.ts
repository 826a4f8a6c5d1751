import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { peaksBelow } from "../testkit/programs/peak-memory.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { Sites } from "./sites.ts";
import { chromiumPath, Visitor } from "./visitor.ts";

/** Of the file that is read piece by piece. Read a whole GiB by FEEDKEY_PAGE_MIB=1024, which then prints what it took. */
const { FEEDKEY_PAGE_MIB: asked } = process.env;
const mebibytes = Number(asked ?? 256);

/** What axe-core finds. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

describe("the trust page in a browser", function () {
  this.timeout(120_000);
  let sites: Sites;
  let browser: Browser;

  before(async function () {
    presentOrSkip(this, existsSync(chromiumPath), "needs chromium");
    sites = await Sites.make();
    browser = await Visitor.start();
  });

  after(async () => {
    await browser?.close();
    await sites?.close();
  });

  async function visiting(name: string, action: (visitor: Visitor) => Promise<void>): Promise<void> {
    const visitor = await Visitor.visit(browser, sites.url(name));
    try {
      await action(visitor);
      const origin = new URL(sites.server.url).origin;
      expect(
        visitor.requests.filter((url) => new URL(url).origin !== origin && !url.startsWith("data:")),
      ).to.deep.equal([]);
    } finally {
      await visitor.page.close();
    }
  }

  it("accepts a good archive, and its package byte for byte", async () => {
    await visiting("good", async (visitor) => {
      expect(await visitor.page.innerText("#summary")).to.equal("Nothing has been checked yet.");
      expect(await visitor.page.isDisabled("#files")).to.equal(true);
      // As people write it.
      const typed = sites.key.toLowerCase().replace(/(.{4})/g, "$1 ");
      const { title, mark, lines } = await visitor.check(typed);
      expect({ title, mark }).to.deep.equal({ title: "The lists of packages fit your fingerprint", mark: "good" });
      expect(lines.map((line) => line.mark)).to.deep.equal(["good", "good", "good"]);
      expect(lines[1]?.text).to.match(/feed “base”.*Signed on .* UTC, valid until .* UTC\. It lists 2 files\./);
      const [good, ...others] = await visitor.choose(sites.file("good", "alpha_1.0-1_all.ipk"));
      expect(others).to.deep.equal([]);
      expect(good?.mark).to.equal("good");
      expect(good?.text).to.include("It is, byte for byte, the file that feed “base” lists.");
      // It never says so of anything, since it cannot know enough.
      expect(await visitor.page.innerText("body")).to.not.match(/\b(verified|trusted|secure|safe)\b/i);
      expect(visitor.failures).to.deep.equal([]);
    });
  });

  it("refuses files that were changed, cut off, or are not listed", async () => {
    await visiting("good", async (visitor) => {
      await visitor.check(sites.key);
      const name = "alpha_1.0-1_all.ipk";
      const bytes = readFileSync(sites.file("good", name));
      const mimeType = "application/octet-stream";
      const changed = Buffer.from(bytes);
      changed[100] = (changed[100] ?? 0) ^ 1;
      const cases = [
        [changed, name, "Not the file that the archive lists"],
        [bytes.subarray(1), name, "it has another size"],
        [Buffer.alloc(0), name, "it has another size"],
        [bytes, "other_1.0-1_all.ipk", "No feed that was checked here lists this file"],
      ] as const;
      for (const [buffer, called, words] of cases) {
        const [line] = await visitor.choose({ name: called, mimeType, buffer });
        expect(line?.mark, words).to.equal("refused");
        expect(line?.text)
          .to.include(words)
          .and.match(/Do not install it/);
      }
    });
  });

  const refusals = [
    ["tampered", "key", "refused", "feed “base”: Changed after it was signed"],
    ["expired", "key", "refused", "feed “base”: The signature has expired"],
    ["revoked", "key", "refused", "your fingerprint: The key was revoked"],
    ["forked", "other", "refused", "feed “base”: Two keys claim to be the successor of the same key"],
    ["good", "other", "refused", "your fingerprint: No key of this archive has this fingerprint"],
    ["cut", "key", "refused", "your fingerprint: The archive's keys can't be used"],
    ["bare", "key", "unchecked", "feed “base”: Not found"],
  ] as const;
  for (const [site, fingerprint, mark, words] of refusals) {
    it(`refuses: ${site} with ${fingerprint === "key" ? "the archive's fingerprint" : "another fingerprint"}`, async () => {
      await visiting(site, async (visitor) => {
        const checked = await visitor.check(sites[fingerprint]);
        expect(checked.mark).to.equal(mark);
        expect(checked.title).to.match(mark === "refused" ? /^Refused/ : /^Not everything could be checked/);
        const line = checked.lines.find(({ text }) => text.includes(words));
        expect(line?.mark, JSON.stringify(checked.lines)).to.equal(mark);
        // The feed that nobody touched is good by itself.
        const others = checked.lines.filter(({ text }) => text.includes("feed “extra”")).map((one) => one.mark);
        expect(others).to.deep.equal(site === "tampered" ? ["good"] : words.startsWith("feed") ? [mark] : []);
        // Nothing can be compared with what was refused.
        expect(await visitor.page.isDisabled("#files")).to.equal(site !== "tampered");
      });
    });
  }

  it("takes less than a fingerprint for none", async () => {
    await visiting("good", async (visitor) => {
      const { mark, lines } = await visitor.check(sites.key.slice(-16));
      expect(mark).to.equal("unchecked");
      expect(lines[0]?.text).to.include("This is not a full fingerprint");
    });
  });

  it("forgets its verdicts when the fingerprint is changed", async () => {
    await visiting("good", async (visitor) => {
      await visitor.check(sites.key);
      await visitor.page.fill("#fingerprint", sites.key.slice(1));
      expect(await visitor.page.innerText("#summary")).to.equal("Nothing has been checked yet.");
      expect(await visitor.lines("lines")).to.deep.equal([]);
      expect(await visitor.page.isDisabled("#files")).to.equal(true);
    });
  });

  it("counts nothing as checked when the server fails", async () => {
    await visiting("good", async (visitor) => {
      await visitor.page.route("**/Packages.sig", (route) => route.fulfill({ status: 503 }));
      const { mark, lines } = await visitor.check(sites.key);
      expect(mark).to.equal("unchecked");
      expect(lines[1]?.text).to.include("feed “base”: Could not be fetched");
    });
  });

  it("reads a large file piece by piece: the bar moves, the page answers, memory stays small", async function () {
    this.timeout(500 * mebibytes);
    await visiting("good", async (visitor) => {
      await visitor.check(sites.key);
      const path = join(sites.folder, "alpha_1.0-1_all.ipk");
      writeFileSync(path, "");
      truncateSync(path, mebibytes * 1024 * 1024);
      const { page } = visitor;
      // Noted in the page, so that a page that is frozen notes nothing.
      await page.evaluate(`
        const bar = document.getElementById("progress-bar");
        var seen = { values: new Set(), turns: 0, heap: 0 };
        const look = () => {
          if (bar.value > 0) {
            seen.values.add(bar.value);
            seen.turns++;
            seen.heap = Math.max(seen.heap, performance.memory.usedJSHeapSize);
          }
          setTimeout(look, 10);
        };
        look();
      `);
      const sum = () => peaksBelow().reduce((all, one) => all + one, 0);
      const [before, begun] = [sum(), performance.now()];
      const [line] = await visitor.choose(path);
      const [grown, took] = [(sum() - before) / 1024, (performance.now() - begun) / 1000];
      expect(line?.text).to.include("it has another size");
      // A page that held the whole file would need at least 256 MiB. V8 collects the hashed pieces when it sees fit.
      const most = 240;
      expect(grown, "MiB").to.be.lessThan(most);
      const seen = (await page.evaluate(
        "({ values: seen.values.size, turns: seen.turns, heap: seen.heap })",
      )) as Record<"values" | "turns" | "heap", number>;
      expect(seen.values).to.be.greaterThan(20);
      expect(seen.turns).to.be.greaterThan(20);
      expect(seen.heap).to.be.lessThan(most * 1024 * 1024);
      if (asked === undefined) return;
      const heap = seen.heap / 1024 / 1024;
      process.stderr.write(
        `${asked} MiB in ${took.toFixed(1)} s; the bar stood at ${seen.values} places; the page's heap was ${heap.toFixed(0)} MiB ` +
          `at most, and Chromium's processes grew by ${grown.toFixed(0)} MiB\n`,
      );
    });
  });

  it("has no serious faults for people who use a keyboard or a screen reader, in any state", async () => {
    const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
    for (const colorScheme of ["light", "dark"] as const) {
      const visitor = await Visitor.visit(browser, sites.url("tampered"), { colorScheme });
      const { page } = visitor;
      await visitor.check(sites.key);
      await visitor.choose({ name: "other", mimeType: "text/plain", buffer: Buffer.from("x") });
      await page.evaluate(axe);
      const { violations } = (await page.evaluate("axe.run()")) as { violations: Violation[] };
      const serious = violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes[0]?.html}`);
      expect(serious, colorScheme).to.deep.equal([]);
      // Everything can be reached and done without a mouse.
      await page.reload();
      const reached: string[] = [];
      for (let step = 0; step < 4; step++) {
        await page.keyboard.press("Tab");
        reached.push(String(await page.evaluate("document.activeElement.id || document.activeElement.className")));
      }
      expect(reached.slice(0, 3)).to.deep.equal(["skip", "fingerprint", "check"]);
      await page.focus("#fingerprint");
      await page.keyboard.type(sites.key);
      await page.keyboard.press("Enter");
      await page.waitForSelector("#summary h3");
      await page.close();
    }
  });

  it("does nothing without its script, and says so", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(sites.url("good"));
    expect(await page.isVisible("#check-form")).to.equal(false);
    expect(await page.innerText("#checking"))
      .to.include("can check nothing")
      .and.include("Nothing has been checked yet.");
    await context.close();
  });

  it("runs no script but its own", async () => {
    const html = readFileSync(join(sites.folder, "good/keys/index.html"), "utf8");
    const place = join(sites.folder, "good/keys/evil.html");
    writeFileSync(
      place,
      html.replace(
        "</main>",
        "<script>document.title = 'evil'</script><img src=x onerror=\"document.title = 'evil'\"></main>",
      ),
    );
    const visitor = await Visitor.visit(browser, sites.url("good").replace("index", "evil"));
    expect(await visitor.page.title()).to.equal("Example Archive: keys and packages");
    expect(visitor.failures.join()).to.include("Content Security Policy");
    await visitor.page.close();
  });
});
