/**
 * The codec of one stream: asks the browser what its decoders do (`MediaCapabilities`), keeps the variants of one codec in the
 * master playlist before hls.js reads it, and falls back to H.264 where a decode fails. `domain/codecs.ts` has the rules.
 */

import { chosenCodec, choiceWords, keepCodec, topVariants, type Ability, type AskedVariant, type Codec } from "../../domain/codecs";
import { withinLimit } from "../../domain/limit";

/** The browser answers from a table, or from statistics on the disk. The film does not wait longer for it. */
const ANSWER_LIMIT_MS = 500;

/** Codecs that this page could not decode: a film that is opened next does not try them again. */
const failed = new Set<Codec>();

async function ability(variant: AskedVariant): Promise<Ability> {
  const unknown: Ability = { codec: variant.codec, supported: variant.codec === "h264", smooth: variant.codec === "h264", powerEfficient: false };
  const asked = navigator.mediaCapabilities?.decodingInfo({
    type: "media-source",
    video: {
      contentType: `video/mp4; codecs="${variant.codecs}"`,
      width: variant.width,
      height: variant.height,
      bitrate: variant.bitrate,
      framerate: variant.framerate,
    },
  });
  if (asked === undefined) return unknown;
  try {
    const { supported, smooth, powerEfficient } = await withinLimit(asked, ANSWER_LIMIT_MS);
    return { codec: variant.codec, supported, smooth, powerEfficient };
  } catch {
    return unknown;
  }
}

export class CodecFilter {
  private abilities: Ability[] = [];
  private chosen: Codec = "h264";

  /** The master playlist with the chosen codec alone. */
  readonly read = async (master: string): Promise<string> => {
    const asked = topVariants(master);
    this.abilities = asked.length < 2 ? asked.map(({ codec }) => ({ codec, supported: true, smooth: true, powerEfficient: true })) : await Promise.all(asked.map(ability));
    this.chosen = chosenCodec(this.abilities, failed);
    return keepCodec(master, this.chosen);
  };

  /** Whether the film can go on in H.264, because what failed was another codec. That one is not tried again. */
  fallBack(): boolean {
    if (!this.canFallBack) return false;
    failed.add(this.chosen);
    return true;
  }

  get canFallBack(): boolean {
    return this.chosen !== "h264" && this.abilities.some((one) => one.codec === "h264");
  }

  get words(): string {
    return choiceWords(this.chosen, this.abilities, failed);
  }
}
