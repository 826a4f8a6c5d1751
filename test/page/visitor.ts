/** A visitor of the trust page, with Debian's Chromium. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** The program's path. */
export const chromiumPath = "/usr/bin/chromium";

/** What a line of the page says. */
export interface Line {
  readonly mark: string;
  readonly text: string;
}

export class Visitor {
  readonly page: Page;
  /** Addresses that the page asked for, and errors that it met. */
  readonly requests: string[] = [];
  readonly failures: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("request", (request) => this.requests.push(request.url()));
    page.on("pageerror", (error) => this.failures.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.failures.push(message.text());
    });
  }

  static async start(): Promise<Browser> {
    return await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
  }

  static async visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const visitor = new Visitor(await browser.newPage(options));
    await visitor.page.goto(url);
    return visitor;
  }

  /** Types a fingerprint, and waits for the verdict. @returns the heading of the summary, its class, and the lines */
  async check(fingerprint: string): Promise<{ readonly title: string; readonly mark: string; readonly lines: Line[] }> {
    await this.page.fill("#fingerprint", fingerprint);
    await this.page.click("#check");
    await this.page.waitForSelector("#summary h3");
    const title = await this.page.innerText("#summary h3");
    const mark = ((await this.page.getAttribute("#summary", "class")) ?? "").replace("summary ", "");
    return { title, mark, lines: await this.lines("lines") };
  }

  async lines(list: "lines" | "file-lines"): Promise<Line[]> {
    return await this.page.$$eval(`#${list} > li`, (items) => {
      return items.map((item) => ({ mark: item.className, text: item.textContent ?? "" }));
    });
  }

  /** Chooses a file, and waits until it was compared. */
  async choose(
    file: string | { readonly name: string; readonly mimeType: string; readonly buffer: Buffer },
  ): Promise<Line[]> {
    await this.page.setInputFiles("#files", []);
    await this.page.setInputFiles("#files", file);
    await this.page.waitForSelector("#file-lines > li", { timeout: 0 });
    return await this.lines("file-lines");
  }
}
