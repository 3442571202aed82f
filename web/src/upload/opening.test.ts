import { beforeEach, describe, expect, it, vi } from "vitest";
import { addSidecar, openUpload } from "../api/calls";
import { openFilm } from "./opening";

vi.mock("../api/calls", () => ({ addSidecar: vi.fn(), openUpload: vi.fn() }));

const OPENED = { upload_id: "u_1", movie_id: "m_1", version: 1, part_bytes: 10, parts_total: 1, resumed: false };
const film = new File(["film"], "film.mp4", { type: "video/mp4" });
const details = {
  title: " Film ",
  year: null,
  genres: "Drama, ,Comedy",
  description: "",
  hot: false,
  subtitles: [{ file: new File(["no subtitles"], "film.en.exe"), language: "en" }],
};

describe("opening a film's upload", () => {
  beforeEach(() => {
    vi.mocked(openUpload).mockReset().mockResolvedValue(OPENED);
    vi.mocked(addSidecar).mockReset();
  });

  it("tells of the upload also where its subtitles are refused", async () => {
    vi.mocked(addSidecar).mockRejectedValue(new Error("refused"));
    const told = vi.fn();
    await expect(openFilm(film, details, told)).rejects.toThrow("refused");
    expect(told).toHaveBeenCalledWith(OPENED);
  });
  it("states the details that hold now", async () => {
    await openFilm(film, { ...details, title: "Corrected", year: 1999, subtitles: [] }, () => undefined);
    expect(openUpload).toHaveBeenCalledWith(
      expect.objectContaining({ title: "Corrected", year: 1999, genres: ["Drama", "Comedy"], hot: false }),
    );
  });
});
