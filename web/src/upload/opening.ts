/** A film's upload on the platform: opened, or found again, with the details that hold now, then its subtitles. */

import { addSidecar, openUpload } from "../api/calls";
import type { UploadOpened } from "../api/schema";
import type { Details } from "./FilmDetails";

/**
 * `told` hears of the upload before its subtitles are sent: where one is refused the upload exists all the same, and
 * opening it again states the details anew and sends the subtitles again, which the platform keeps once.
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
