import { describe, expect, it } from "vitest";
import { filterSound, soundLabel } from "./sound";

const media = (group: string, channels: string, name: string) =>
  `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${group}",NAME="${name}",CHANNELS="${channels}",URI="${group}-${name}.m3u8"`;
const variant = (lines: number, group: string) => [`#EXT-X-STREAM-INF:BANDWIDTH=${lines},AUDIO="${group}"`, `${lines}.m3u8`];
const master = (...lines: (string | string[])[]) => ["#EXTM3U", ...lines.flat(), ""].join("\n");

const BOTH = master(
  media("stereo", "2", "English"),
  media("surround", "6", "English"),
  media("surround", "2", "Deutsch"),
  '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="A, B",URI="t.m3u8"',
  variant(360, "stereo"),
  variant(720, "stereo"),
  variant(360, "surround"),
  variant(720, "surround"),
);

describe("stereo or surround", () => {
  it("keeps the variants and tracks of one kind", () => {
    const stereo = filterSound(BOTH, "stereo");
    expect(stereo.text).toBe(
      master(
        media("stereo", "2", "English"),
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="A, B",URI="t.m3u8"',
        variant(360, "stereo"),
        variant(720, "stereo"),
      ),
    );
    expect(stereo.channels).toEqual({ stereo: 2, surround: 6 });
    const surround = filterSound(BOTH, "surround");
    expect(surround.text).not.toContain('"stereo"');
    expect(surround.text).toContain(media("surround", "2", "Deutsch"));
    expect(surround.text.match(/STREAM-INF/g)).toHaveLength(2);
  });
  it.each([
    ["stereo alone", master(media("stereo", "2", "a"), variant(360, "stereo"))],
    ["surround alone", master(media("surround", "6", "a"), variant(360, "surround"))],
    ["no audio", master("#EXT-X-STREAM-INF:BANDWIDTH=1", "v.m3u8")],
    ["a group that no variant has", master(media("stereo", "2", "a"), media("x", "6", "b"), variant(360, "stereo"))],
    ["a group that is not listed", master(variant(360, "elsewhere"))],
    ["nothing", ""],
  ])("leaves a title with %s as it is", (_what, text) => {
    for (const wanted of ["stereo", "surround"] as const) expect(filterSound(text, wanted).text).toBe(text);
  });
  it("reads lines that end in CR LF, and comments between a variant and its address", () => {
    const text = BOTH.replaceAll("720.m3u8", "#a comment\n720.m3u8").replaceAll("\n", "\r\n");
    expect(filterSound(text, "surround").text.match(/720\.m3u8/g)).toHaveLength(1);
  });
  it("has names", () => {
    expect([soundLabel("stereo", 2), soundLabel("surround", 6), soundLabel("surround", 8), soundLabel("stereo", 1)]).toEqual([
      "Stereo",
      "Surround 5.1",
      "Surround 7.1",
      "Mono",
    ]);
  });
});
