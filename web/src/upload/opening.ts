/** Opens a film's upload on the platform, or resumes it, with the present details; then sends its subtitles. */

import { addSidecar, openUpload } from "../api/calls";
import type { UploadOpened } from "../api/schema";
import type { Details } from "./FilmDetails";

/**
 * `told` gets the upload before its subtitles are sent: if one is refused, the upload exists nevertheless. Opening it again
 * sends the details and the subtitles again; the platform stores each subtitle file once.
 */
export async function openFilm(
  file: File,
  details: Details,
  told: (opened: UploadOpened) => void,
): Promise<UploadOpened> {
  const opened = await openUpload({
    file_name: file.name,
    size_bytes: file.size,
    content_type: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(file.type) ? file.type : null,
    title: details.title.trim(),
    year: details.year,
    description: details.description.trim() || null,
    genres: details.genres.split(",").map((genre) => genre.trim()).filter(Boolean),
    hot: details.hot,
  });
  told(opened);
  for (const { file: sidecar, language } of details.subtitles) {
    await addSidecar(opened.upload_id, sidecar.name, await sidecar.text(), language || "und");
  }
  return opened;
}
