/** `npm run pictures:page` draws docs/trust-page-light.png and docs/trust-page-dark.png: the page as a visitor sees it. */
import { Sites } from "../test/page/sites.ts";
import { Visitor } from "../test/page/visitor.ts";

const sites = await Sites.make();
const browser = await Visitor.start();
const views = {
  light: { site: "good", options: { colorScheme: "light", viewport: { width: 900, height: 1000 } } },
  dark: { site: "tampered", options: { colorScheme: "dark", viewport: { width: 390, height: 900 } } },
} as const;
for (const [name, { site, options }] of Object.entries(views)) {
  const visitor = await Visitor.visit(browser, sites.url(site), options);
  await visitor.check(sites.key);
  await visitor.choose(sites.file("good", "alpha_1.0-1_all.ipk"));
  await visitor.page.screenshot({ path: `docs/trust-page-${name}.png` });
  await visitor.page.close();
}
await browser.close();
await sites.close();
console.log("wrote docs/trust-page-light.png, docs/trust-page-dark.png");
