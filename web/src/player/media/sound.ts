/**
 * Stereo or surround: keeps the variants of one kind in an HLS master playlist, before a player reads it. Both kinds have the
 * same codec, so an engine that knows both would change between them with every change of quality. Stereo, unless the viewer
 * chose surround: it sounds right on every device, and takes a third of the bits.
 */

import type Hls from "hls.js";
import type { HlsConfig, Loader, LoaderCallbacks, LoaderConfiguration, PlaylistLoaderContext } from "hls.js";

export const SOUNDS = ["stereo", "surround"] as const;
export type Sound = (typeof SOUNDS)[number];

export const isSound = (value: unknown): value is Sound => SOUNDS.includes(value as Sound);

interface Group {
  channels: number;
}

const attribute = (line: string, name: string) => new RegExp(`[:,]${name}="([^"]*)"`).exec(line)?.[1];

function groupsOf(lines: readonly string[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const line of lines) {
    const id = attribute(line, "GROUP-ID");
    if (!line.startsWith("#EXT-X-MEDIA:") || !/[:,]TYPE=AUDIO(,|$)/.test(line) || id === undefined) continue;
    const channels = Number.parseInt(attribute(line, "CHANNELS") ?? "2", 10) || 2;
    groups.set(id, { channels: Math.max(channels, groups.get(id)?.channels ?? 0) });
  }
  return groups;
}

const kindOf = ({ channels }: Group): Sound => (channels > 2 ? "surround" : "stereo");

export interface FilteredMaster {
  text: string;
  /** The largest number of channels by kind, of the kinds that the title has. One or none: there is no choice. */
  channels: Partial<Record<Sound, number>>;
  sound: Sound;
}

/** The master playlist with the variants of `wanted` alone. It is unchanged if the title has no such choice. */
export function filterSound(text: string, wanted: Sound): FilteredMaster {
  const lines = text.split(/\r?\n/);
  const groups = groupsOf(lines);
  const used = new Map<string, Group>();
  for (const line of lines) {
    const id = line.startsWith("#EXT-X-STREAM-INF:") ? attribute(line, "AUDIO") : undefined;
    const group = id === undefined ? undefined : groups.get(id);
    if (id !== undefined && group !== undefined) used.set(id, group);
  }
  const channels: Partial<Record<Sound, number>> = {};
  for (const group of used.values()) channels[kindOf(group)] = Math.max(group.channels, channels[kindOf(group)] ?? 0);
  if (channels.stereo === undefined || channels.surround === undefined) {
    return { text, channels, sound: channels.surround === undefined ? "stereo" : "surround" };
  }
  const dropped = new Set([...used].filter(([, group]) => kindOf(group) !== wanted).map(([id]) => id));
  const kept: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    if (line.startsWith("#EXT-X-STREAM-INF:") && dropped.has(attribute(line, "AUDIO") ?? "")) {
      while (at + 1 < lines.length && (lines[at + 1] === "" || lines[at + 1]!.startsWith("#"))) at += 1;
      at += 1; // the variant's address
    } else if (!(line.startsWith("#EXT-X-MEDIA:") && dropped.has(attribute(line, "GROUP-ID") ?? ""))) {
      kept.push(line);
    }
  }
  return { text: kept.join("\n"), channels, sound: wanted };
}

export function soundLabel(sound: Sound, channels: number): string {
  if (sound === "stereo") return channels === 1 ? "Mono" : "Stereo";
  return channels === 6 ? "Surround 5.1" : channels === 8 ? "Surround 7.1" : `Surround (${channels} channels)`;
}

/** The filter of one stream: hls.js's loader of playlists, and what it found in the master playlist. */
export class SoundFilter {
  found: FilteredMaster;

  constructor(private readonly wanted: Sound) {
    this.found = { text: "", channels: {}, sound: wanted };
  }

  /** `prepare`: what changes a master playlist before it. */
  loader(Engine: typeof Hls, prepare: (master: string) => Promise<string>): NonNullable<HlsConfig["pLoader"]> {
    const Base = Engine.DefaultConfig.loader as new (config: HlsConfig) => Loader<PlaylistLoaderContext>;
    const read = (text: string) => {
      this.found = filterSound(text, this.wanted);
      return this.found.text;
    };
    return class extends Base {
      private gone = false;

      override abort() {
        this.gone = true;
        super.abort();
      }

      override destroy() {
        this.gone = true;
        super.destroy();
      }

      override load(context: PlaylistLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<PlaylistLoaderContext>) {
        const { onSuccess } = callbacks;
        this.gone = false;
        const whole: typeof callbacks = {
          ...callbacks,
          onSuccess: (response, ...others) => {
            // Only a master playlist lists variants: the text of any other is handed on as it is.
            if (typeof response.data !== "string" || !response.data.includes("#EXT-X-STREAM-INF:")) {
              return onSuccess(response, ...others);
            }
            void prepare(response.data).then((text) => {
              if (this.gone) return;
              response.data = read(text);
              onSuccess(response, ...others);
            });
          },
        };
        super.load(context, config, whole);
      }
    } as unknown as NonNullable<HlsConfig["pLoader"]>;
  }
}
