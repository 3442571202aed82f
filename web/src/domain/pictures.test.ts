import { describe, expect, it } from "vitest";
import { posterSizes, sourceSet } from "./pictures";

describe("pictures in several sizes", () => {
  it("names every size with its width", () => {
    expect(sourceSet([{ url: "/a-640.jpg", width: 640 }, { url: "/a-1280.jpg", width: 1280 }])).toBe(
      "/a-640.jpg 640w, /a-1280.jpg 1280w",
    );
    expect(sourceSet([])).toBe("");
  });
  it("has a poster of half the size where the address tells the size", () => {
    const images = "http://edge:1/images/m_1/v2";
    expect(posterSizes(`${images}/poster-640x360.jpg`)).toEqual([
      { url: `${images}/poster-320x180.jpg`, width: 320 },
      { url: `${images}/poster-640x360.jpg`, width: 640 },
    ]);
    expect(posterSizes(`${images}/poster-202x360.jpg`)[0]).toEqual({ url: `${images}/poster-101x180.jpg`, width: 101 });
  });
  it.each(["", "/poster.jpg", "/poster-640.jpg", "/poster-640x360.png", "/poster-1x1.jpg", "/poster-640x360.jpg?x", "/made/7.jpg"])(
    "knows of one size only where it is %s",
    (url) => expect(posterSizes(url)).toEqual([]),
  );
});
