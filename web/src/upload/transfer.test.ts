import { describe, expect, it, vi } from "vitest";
import { completeUpload, heldParts, partUrls } from "../api/calls";
import { Problem } from "../api/problem";
import { putPart } from "./send";
import { Transfer } from "./transfer";

vi.mock("../api/calls", () => ({ completeUpload: vi.fn(), heldParts: vi.fn(), partUrls: vi.fn() }));
vi.mock("./checksums", () => ({ md5: async (blob: Blob) => `md5 of ${await blob.text()}` }));
vi.mock("./send", async (original) => ({ ...(await original<typeof import("./send")>()), putPart: vi.fn() }));

const OPENED = { upload_id: "u_1", movie_id: "m_1", version: 1, part_bytes: 2, parts_total: 2, resumed: false };
const part = (number: number, checksum: string) => ({ number, size_bytes: 2, checksum });

describe("a transfer that is run again", () => {
  it("sends a part again that is not stored as it was sent", async () => {
    vi.mocked(partUrls).mockImplementation(async (_, numbers) => ({
      parts: numbers.map((number) => ({ number, url: `part ${number}`, size_bytes: 2 })),
      expires_at: "",
    }));
    vi.mocked(putPart).mockResolvedValue(null);
    vi.mocked(heldParts)
      .mockResolvedValueOnce({ parts: [] })
      .mockResolvedValueOnce({ parts: [part(1, "md5 of aa"), part(2, "another")] });
    vi.mocked(completeUpload).mockRejectedValueOnce(new Problem(422, "parts-mismatch", "Part 2: send it again."));
    const transfer = new Transfer(new File(["aabb"], "film.mp4"), OPENED, () => undefined);
    const { signal } = new AbortController();
    await expect(transfer.run(signal)).rejects.toThrow("send it again");
    vi.mocked(putPart).mockClear();
    await transfer.run(signal);
    expect(vi.mocked(putPart).mock.calls.map(([url]) => url)).toEqual(["part 2"]);
    expect(completeUpload).toHaveBeenLastCalledWith("u_1", [part(1, "md5 of aa"), part(2, "md5 of bb")]);
  });
});
