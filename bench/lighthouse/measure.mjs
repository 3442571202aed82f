/**
 * Lighthouse's four scores of the client's pages, each with an empty cache, as `bench.web` asks for them on standard input:
 * {url, email, password, pages: {name: path}, outside: [name], browser, runs}. `outside`: pages of somebody who is not logged in.
 *
 * Standard output: one JSON object, {page: {form: {category: score, lcp_ms, tbt_ms, cls, bytes, faults}}}, of the run whose
 * performance is the median. `faults`: audits that passed in no category's sense, for whoever wants to do better.
 */

import { readFileSync } from "node:fs";
import lighthouse, { desktopConfig } from "lighthouse";
import puppeteer from "puppeteer-core";

const asked = JSON.parse(readFileSync(0, "utf8"));
const FORMS = { mobile: undefined, desktop: desktopConfig };
// The session stays, the caches do not.
const FLAGS = { logLevel: "error", clearStorageTypes: ["cache_storage", "shader_cache"] };
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];

async function logIn(context) {
  const page = await context.newPage();
  await page.goto(`${asked.url}/login`);
  await page.waitForSelector("#email");
  await page.type("#email", asked.email);
  await page.type("#password", asked.password);
  await page.click("button[type=submit]");
  await page.waitForSelector("nav.tabs");
  await page.close();
}

/** A load whose trace lacks its start, as on a busy machine, is measured once more. */
async function load(context, path, config, attempts = 3) {
  const page = await context.newPage();
  await page.bringToFront();
  const { lhr } = await lighthouse(asked.url + path, FLAGS, config, page);
  await page.close();
  if (!lhr.runtimeError) return lhr;
  if (attempts <= 1) throw new Error(`${path}: ${lhr.runtimeError.message}`);
  return load(context, path, config, attempts - 1);
}

async function measure(context, path, config) {
  const lhr = await load(context, path, config);
  const figure = (name) => lhr.audits[name]?.numericValue ?? null;
  const faults = CATEGORIES.flatMap((category) =>
    lhr.categories[category].auditRefs
      .filter(({ id, group }) => group !== "metrics" && lhr.audits[id].score !== null && lhr.audits[id].score < 0.9)
      .map(({ id }) => id),
  );
  return {
    ...Object.fromEntries(CATEGORIES.map((name) => [name, Math.round(lhr.categories[name].score * 100)])),
    fcp_ms: Math.round(figure("first-contentful-paint")),
    lcp_ms: Math.round(figure("largest-contentful-paint")),
    tbt_ms: Math.round(figure("total-blocking-time")),
    cls: Number(figure("cumulative-layout-shift").toFixed(3)),
    bytes: figure("total-byte-weight"),
    faults: [...new Set(faults)],
  };
}

const browser = await puppeteer.launch({ executablePath: asked.browser, args: ["--no-sandbox", "--disable-background-networking"] });
try {
  const inside = await browser.createBrowserContext();
  const outside = await browser.createBrowserContext();
  await logIn(inside);
  const found = {};
  for (const [name, path] of Object.entries(asked.pages)) {
    found[name] = {};
    for (const [form, config] of Object.entries(FORMS)) {
      const runs = [];
      for (let run = 0; run < asked.runs; run += 1) {
        runs.push(await measure(asked.outside.includes(name) ? outside : inside, path, config));
      }
      runs.sort((a, b) => a.performance - b.performance);
      found[name][form] = runs[Math.floor(runs.length / 2)];
      console.error(`${name}, ${form}: ${CATEGORIES.map((one) => `${one} ${found[name][form][one]}`).join(", ")}`);
    }
  }
  console.log(JSON.stringify(found));
} finally {
  await browser.close();
}
