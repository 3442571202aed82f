/** Opens a film's upload on the platform, or resumes it, with the present details; then sends its subtitles, before the film. */

import { addSidecar, openUpload } from "../api/calls";
import { Problem } from "../api/problem";
import type { SidecarOut, UploadOpened } from "../api/schema";
import { sentName } from "../domain/parts";
import type { Details } from "./FilmDetails";
import { sidecarOf } from "./subtitleFile";

/** A problem of one of several subtitle files: only that one's fields are marked. */
export class SubtitleProblem extends Problem {
  constructor(
    { status, code, detail, help, field, retryAfterSeconds }: Problem,
    /** Which of the chosen subtitle files, from 0. */
    readonly at: number,
  ) {
    super(status, code, detail, help, field, retryAfterSeconds);
  }
}

/**
 * A title whose film is replaced (`replaces`) keeps its details. `told` gets the upload before its subtitles are sent: if one is refused, the upload exists nevertheless. Opening it again
 * sends the details and the subtitles again; the platform stores each subtitle file once. `read` gets how the platform read each.
 */
export async function openFilm(
  file: File,
  details: Details,
  told: (opened: UploadOpened) => void,
  read: (sidecar: SidecarOut) => void,
  replaces: string | null = null,
): Promise<UploadOpened> {
  const opened = await openUpload({
    file_name: sentName(file.name),
    size_bytes: file.size,
    content_type: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(file.type) ? file.type : null,
    hot: details.hot,
    ...(replaces === null
      ? {
          title: details.title.trim(),
          year: details.year,
          description: details.description.trim() || null,
          genres: details.genres.split(",").map((genre) => genre.trim()).filter(Boolean),
        }
      : { movie_id: replaces }),
  });
  told(opened);
  for (const [at, one] of details.subtitles.entries()) {
    try {
      read(await addSidecar(opened.upload_id, await sidecarOf(one)));
    } catch (error) {
      throw error instanceof Problem ? new SubtitleProblem(error, at) : error;
    }
  }
  return opened;
}
