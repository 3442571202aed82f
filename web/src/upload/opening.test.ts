import { beforeEach, describe, expect, it, vi } from "vitest";
import { addSidecar, openUpload } from "../api/calls";
import { openFilm } from "./opening";
import { newSubtitleFile } from "./subtitleFile";

vi.mock("../api/calls", () => ({ addSidecar: vi.fn(), openUpload: vi.fn() }));

const OPENED = { upload_id: "u_1", movie_id: "m_1", version: 1, part_bytes: 10, parts_total: 1, resumed: false };
const film = new File(["film"], "film.mp4", { type: "video/mp4" });
const details = {
  title: " Film ",
  year: null,
  genres: "Drama, ,Comedy",
  description: "",
  hot: false,
  subtitles: [newSubtitleFile(new File([new Uint8Array([0x63, 0xe9, 0x00])], "film.fr.srt"))],
};

describe("opening a film's upload", () => {
  beforeEach(() => {
    vi.mocked(openUpload).mockReset().mockResolvedValue(OPENED);
    vi.mocked(addSidecar).mockReset();
  });

  it("tells of the upload also where its subtitles are refused", async () => {
    vi.mocked(addSidecar).mockRejectedValue(new Error("refused"));
    const told = vi.fn();
    await expect(openFilm(film, details, told, vi.fn())).rejects.toThrow("refused");
    expect(told).toHaveBeenCalledWith(OPENED);
  });
  it("sends the bytes of its subtitles as they are, and leaves language and encoding to the platform", async () => {
    const answer = { file_name: "film.fr.srt", notes: [] };
    vi.mocked(addSidecar).mockResolvedValue(answer as never);
    const read = vi.fn();
    await openFilm(film, details, () => undefined, read);
    expect(addSidecar).toHaveBeenCalledWith("u_1", {
      file_name: "film.fr.srt",
      content: "Y+kA",
      language: null,
      encoding: null,
    });
    expect(read).toHaveBeenCalledWith(answer);
  });
  it("states what kind of subtitles the engineer chose", async () => {
    const subtitles = [{ ...newSubtitleFile(new File(["x"], "a.srt")), kind: "sdh" as const, language: "pt-BR" }];
    await openFilm(film, { ...details, subtitles }, () => undefined, () => undefined);
    expect(addSidecar).toHaveBeenCalledWith(
      "u_1",
      expect.objectContaining({ forced: false, hearing_impaired: true, commentary: false, language: "pt-BR" }),
    );
  });
  it("states the details that hold now", async () => {
    await openFilm(film, { ...details, title: "Corrected", year: 1999, subtitles: [] }, () => undefined, () => undefined);
    expect(openUpload).toHaveBeenCalledWith(
      expect.objectContaining({ title: "Corrected", year: 1999, genres: ["Drama", "Comedy"], hot: false }),
    );
  });
});
