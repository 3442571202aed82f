/**
 * Which codec of a film a device plays: the one with the fewest bits that its decoder plays smoothly and without waste of power.
 * Pure: `player/media/codecs.ts` asks the browser. A title has the same pictures in each codec, and H.264 always.
 */

export const CODECS = ["av1", "hevc", "h264"] as const;
/** From the fewest bits to the most. */
export type Codec = (typeof CODECS)[number];

export const CODEC_NAMES: Readonly<Record<Codec, string>> = { av1: "AV1", hevc: "HEVC", h264: "H.264" };

/** What the browser is asked: can it play this variant? */
export interface AskedVariant {
  codec: Codec;
  /** As RFC 6381 has it: `av01.0.08M.10`. */
  codecs: string;
  width: number;
  height: number;
  bitrate: number;
  framerate: number;
}

/** The browser's answer (`MediaCapabilities.decodingInfo`). */
export interface Ability {
  codec: Codec;
  supported: boolean;
  smooth: boolean;
  powerEfficient: boolean;
}

const FAMILIES: readonly [RegExp, Codec][] = [
  [/^av01\./, "av1"],
  [/^(hvc1|hev1)\./, "hevc"],
  [/^avc[13]\./, "h264"],
];

const VARIANT = "#EXT-X-STREAM-INF:";
const I_FRAMES = "#EXT-X-I-FRAME-STREAM-INF:";

const quoted = (line: string, name: string) => new RegExp(`[:,]${name}="([^"]*)"`).exec(line)?.[1] ?? "";
const plain = (line: string, name: string) => new RegExp(`[:,]${name}=([^",]+)`).exec(line)?.[1] ?? "";

function videoOf(line: string): { codec: Codec; codecs: string } | null {
  for (const codecs of quoted(line, "CODECS").split(",")) {
    const family = FAMILIES.find(([pattern]) => pattern.test(codecs.trim()));
    if (family !== undefined) return { codec: family[1], codecs: codecs.trim() };
  }
  return null;
}

/** The most demanding variant of each codec in a master playlist, in the order of `CODECS`. */
export function topVariants(master: string): AskedVariant[] {
  const tops = new Map<Codec, AskedVariant>();
  for (const line of master.split(/\r?\n/)) {
    const video = line.startsWith(VARIANT) ? videoOf(line) : null;
    if (video === null) continue;
    const [width = 0, height = 0] = plain(line, "RESOLUTION").split("x").map(Number);
    const bitrate = Number(plain(line, "BANDWIDTH")) || 1;
    const framerate = Number(plain(line, "FRAME-RATE")) || 25;
    const top = tops.get(video.codec);
    if (top === undefined || width * height > top.width * top.height || (width * height === top.width * top.height && bitrate > top.bitrate)) {
      tops.set(video.codec, { ...video, width, height, bitrate, framerate });
    }
  }
  return CODECS.flatMap((codec) => tops.get(codec) ?? []);
}

/**
 * The codec to play. A decoder that wastes power is worse than some more bits: such a codec is only taken where H.264's decoder
 * wastes power too. `failed`: could not be decoded on this device before.
 */
export function chosenCodec(abilities: readonly Ability[], failed: ReadonlySet<Codec>): Codec {
  const h264 = abilities.find((one) => one.codec === "h264");
  const good = abilities.filter((one) => one.supported && one.smooth && !failed.has(one.codec));
  const best = CODECS.find((codec) => good.some((one) => one.codec === codec && (one.powerEfficient || !(h264?.powerEfficient ?? false))));
  if (best !== undefined) return best;
  // Without a good one: H.264, or what there is.
  return h264 !== undefined || abilities.length === 0 ? "h264" : abilities[abilities.length - 1]!.codec;
}

/** The master playlist with the variants of `wanted` alone. It is unchanged if it has none of them, or no others. */
export function keepCodec(master: string, wanted: Codec): string {
  const lines = master.split(/\r?\n/);
  const found = new Set(lines.flatMap((line) => (line.startsWith(VARIANT) ? (videoOf(line)?.codec ?? []) : [])));
  if (!found.has(wanted) || found.size < 2) return master;
  const kept: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    const codec = line.startsWith(VARIANT) || line.startsWith(I_FRAMES) ? (videoOf(line)?.codec ?? wanted) : wanted;
    if (codec === wanted) kept.push(line);
    else if (line.startsWith(VARIANT)) {
      while (at + 1 < lines.length && (lines[at + 1] === "" || lines[at + 1]!.startsWith("#"))) at += 1;
      at += 1; // the variant's address
    }
  }
  return kept.join("\n");
}

/** The choice in words, for the statistics: `AV1, of AV1 and H.264: smooth, saves power`. */
export function choiceWords(chosen: Codec, abilities: readonly Ability[], failed: ReadonlySet<Codec>): string {
  const name = (codec: Codec) => CODEC_NAMES[codec];
  if (abilities.length < 2) return `${name(chosen)}, the only one`;
  const own = abilities.find((one) => one.codec === chosen);
  const facts = own === undefined || !own.supported ? "not asked" : `${own.smooth ? "smooth" : "not smooth"}, ${own.powerEfficient ? "saves power" : "by software"}`;
  const others = abilities
    .filter((one) => one.codec !== chosen)
    .map((one) => `${name(one.codec)} ${failed.has(one.codec) ? "failed" : !one.supported ? "cannot be played" : !one.smooth ? "is not smooth" : "can be played"}`);
  return `${name(chosen)} (${facts}); ${others.join(", ")}`;
}
