// Prints the gzip size of every built file, and what a first visit loads (index.html's own scripts and styles).
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const folder = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", folder), "utf8");
let first = gzipSync(html).length;
for (const name of readdirSync(new URL("assets/", folder)).sort()) {
  const body = readFileSync(new URL(`assets/${name}`, folder));
  const gzip = gzipSync(body, { level: 9 }).length;
  const onFirstVisit = html.includes(name);
  if (onFirstVisit) first += gzip;
  console.log(`${String(body.length).padStart(8)} ${String(gzip).padStart(8)} gzip  ${name}${onFirstVisit ? "  (first visit)" : ""}`);
}
console.log(`first visit: ${first} bytes gzip`);
