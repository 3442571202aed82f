/** Opens a film's upload on the platform, or resumes it, with the present details; then sends its subtitles, before the film. */

import { addSidecar, openUpload } from "../api/calls";
import type { SidecarOut, UploadOpened } from "../api/schema";
import { sentName } from "../domain/parts";
import type { Details } from "./FilmDetails";
import { sidecarOf } from "./subtitleFile";

/**
 * `told` gets the upload before its subtitles are sent: if one is refused, the upload exists nevertheless. Opening it again
 * sends the details and the subtitles again; the platform stores each subtitle file once. `read` gets how the platform read each.
 */
export async function openFilm(
  file: File,
  details: Details,
  told: (opened: UploadOpened) => void,
  read: (sidecar: SidecarOut) => void,
): Promise<UploadOpened> {
  const opened = await openUpload({
    file_name: sentName(file.name),
    size_bytes: file.size,
    content_type: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(file.type) ? file.type : null,
    title: details.title.trim(),
    year: details.year,
    description: details.description.trim() || null,
    genres: details.genres.split(",").map((genre) => genre.trim()).filter(Boolean),
    hot: details.hot,
  });
  told(opened);
  for (const one of details.subtitles) read(await addSidecar(opened.upload_id, await sidecarOf(one)));
  return opened;
}
