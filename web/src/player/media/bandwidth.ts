/** hls.js's configuration for the line: first estimate of the bandwidth, choice of quality, seconds kept in the buffer. */

import type { HlsConfig } from "hls.js";

export function bandwidthConfig(): Partial<HlsConfig> {
  return {
    capLevelToPlayerSize: true,
    maxBufferLength: 30,
    backBufferLength: 60,
    // The first estimate. Most connections are fast enough for a good rung from the first segment on.
    abrEwmaDefaultEstimate: 4_000_000,
  };
}
