/** A subtitle file that is chosen beside a film, and what the engineer says of it. The rest the platform reads from its name and bytes. */

import type { SidecarIn } from "../api/schema";
import { sentName } from "../domain/parts";

export const KINDS = { "": "by its name", subtitles: "subtitles", forced: "forced", sdh: "for the hearing impaired", commentary: "commentary" };
export type Kind = keyof typeof KINDS;

export interface SubtitleFile {
  file: File;
  /** Empty: the platform reads the file's name. */
  language: string;
  /** Empty: the platform finds it out. */
  encoding: string;
  kind: Kind;
}

export const newSubtitleFile = (file: File): SubtitleFile => ({ file, language: "", encoding: "", kind: "" });

/** The file's bytes as they are: reading them as text would replace what is not UTF-8. */
export async function sidecarOf({ file, language, encoding, kind }: SubtitleFile): Promise<SidecarIn> {
  const stated =
    kind === ""
      ? {}
      : { forced: kind === "forced", hearing_impaired: kind === "sdh", commentary: kind === "commentary" };
  return {
    file_name: sentName(file.name),
    content: base64(new Uint8Array(await file.arrayBuffer())),
    language: language.trim() || null,
    encoding: encoding.trim() || null,
    ...stated,
  };
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}
