import { describe, expect, it } from "vitest";
import { choiceWords, chosenCodec, keepCodec, topVariants, type Ability, type Codec } from "./codecs";

const variant = (codecs: string, lines: number, bandwidth = 1000 * lines) => [
  `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},AVERAGE-BANDWIDTH=${bandwidth},CODECS="${codecs},mp4a.40.2",RESOLUTION=${(lines * 16) / 9}x${lines},FRAME-RATE=25.000,AUDIO="stereo"`,
  `video/${lines}-${codecs.slice(0, 4)}.m3u8`,
];
const iframes = (codecs: string) => `#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,CODECS="${codecs}",URI="i-${codecs.slice(0, 4)}.m3u8"`;
const SOUND = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="stereo",NAME="a, b",URI="a.m3u8"';
const [AVC, HVC, AV1] = ["avc1.64001f", "hvc1.1.6.L93.90", "av01.0.05M.10"];
const master = (...lines: (string | string[])[]) => ["#EXTM3U", SOUND, ...lines.flat(), ""].join("\n");
const WHOLE = master(variant(AVC!, 360), variant(AVC!, 720), variant(HVC!, 360), variant(AV1!, 360), variant(AV1!, 720), iframes(AVC!), iframes(AV1!));

const able = (codec: Codec, flags: string): Ability => ({
  codec,
  supported: flags.includes("s"),
  smooth: flags.includes("m"),
  powerEfficient: flags.includes("p"),
});
const NONE = new Set<Codec>();

describe("the codec of a film", () => {
  it("asks for the largest picture of each codec", () => {
    expect(topVariants(WHOLE).map((one) => [one.codec, one.codecs, one.width, one.height, one.bitrate, one.framerate])).toEqual([
      ["av1", AV1, 1280, 720, 720_000, 25],
      ["hevc", HVC, 640, 360, 360_000, 25],
      ["h264", AVC, 1280, 720, 720_000, 25],
    ]);
    expect(topVariants("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8")).toEqual([]);
  });
  it.each([
    ["AV1 by hardware", [able("av1", "smp"), able("h264", "smp")], "av1"],
    ["AV1 by software beside H.264 by hardware", [able("av1", "sm"), able("h264", "smp")], "h264"],
    ["both by software", [able("av1", "sm"), able("h264", "sm")], "av1"],
    ["AV1 too slow", [able("av1", "s"), able("h264", "sm")], "h264"],
    ["AV1 unknown to the browser", [able("av1", ""), able("h264", "smp")], "h264"],
    ["HEVC by hardware", [able("av1", "sm"), able("hevc", "smp"), able("h264", "smp")], "hevc"],
    ["nothing good", [able("av1", "s"), able("h264", "s")], "h264"],
    ["nothing known", [], "h264"],
  ] as [string, Ability[], Codec][])("%s", (_name, abilities, expected) => {
    expect(chosenCodec(abilities, NONE)).toBe(expected);
  });
  it("does not take a codec again that failed", () => {
    const abilities = [able("av1", "smp"), able("h264", "smp")];
    expect(chosenCodec(abilities, new Set<Codec>(["av1"]))).toBe("h264");
    expect(choiceWords("h264", abilities, new Set<Codec>(["av1"]))).toBe("H.264 (smooth, saves power); AV1 failed");
  });
  it("keeps the variants and I-frames of one codec", () => {
    expect(keepCodec(WHOLE, "av1")).toBe(master(variant(AV1!, 360), variant(AV1!, 720), iframes(AV1!)));
    expect(keepCodec(WHOLE, "h264")).toBe(master(variant(AVC!, 360), variant(AVC!, 720), iframes(AVC!)));
  });
  it("leaves a title of one codec as it is", () => {
    const one = master(variant(AVC!, 360), iframes(AVC!));
    expect(keepCodec(one, "h264")).toBe(one);
    expect(keepCodec(one, "av1")).toBe(one);
    expect(choiceWords("h264", [able("h264", "smp")], NONE)).toBe("H.264, the only one");
  });
});
