/**
 * hls.js is built from its own sources, without what this client never uses: 126 kB gzip instead of 182.
 * Its build flags leave out DRM, CMCD, interstitials, playlist variables and I-frame players. Films are CMAF, so the demuxers of
 * other containers are replaced by an empty one.
 */

import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const SOURCES = "node_modules/hls.js/src/";
const { version } = JSON.parse(
  readFileSync(new URL("node_modules/hls.js/package.json", import.meta.url), "utf8"),
) as { version: string };

export const hlsDefine = {
  __VERSION__: JSON.stringify(version),
  __HLS_WORKER_BUNDLE__: "undefined",
  __IN_WORKER__: "false",
  __USE_ALT_AUDIO__: "true",
  __USE_SUBTITLES__: "true",
  __USE_CONTENT_STEERING__: "true",
  __USE_MEDIA_CAPABILITIES__: "true",
  __USE_EME_DRM__: "false",
  __USE_CMCD__: "false",
  __USE_VARIABLE_SUBSTITUTION__: "false",
  __USE_M2TS_ADVANCED_CODECS__: "false",
  __USE_INTERSTITIALS__: "false",
  __USE_IFRAMES__: "false",
};

const UNUSED = /\/(tsdemuxer|aacdemuxer|mp3demuxer|mp4-remuxer)$/;
const EMPTY = "\0no-demuxer";

export const hlsFromSources: Plugin = {
  name: "hls-from-sources",
  enforce: "pre",
  config: () => ({ resolve: { alias: { "hls.js": new URL(`${SOURCES}hls.ts`, import.meta.url).pathname } } }),
  resolveId: (source, importer) =>
    importer?.endsWith("hls.js/src/demux/transmuxer.ts") && UNUSED.test(source) ? EMPTY : null,
  load: (id) => (id === EMPTY ? "export default class { static probe() { return false; } }" : null),
};
