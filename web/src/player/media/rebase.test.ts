import { describe, expect, it } from "vitest";
import { isSameVersion, rebased } from "./rebase";

const OLD = "http://edge1:8410/v/old-token/100/titles/m_a/v2/master.m3u8";
const NEW = "http://edge2:8411/v/new_token/900/titles/m_a/v2/master.m3u8";
const OTHER_VERSION = "http://edge2:8411/v/new_token/900/titles/m_a/v3/master.m3u8";

describe("a fresh address for what was derived from an old one", () => {
  it("moves requests to the new signature and the new edge", () => {
    expect(rebased(OLD.replace("master.m3u8", "video/540p/seg_3.m4s?x=1"), OLD, NEW)).toBe(
      "http://edge2:8411/v/new_token/900/titles/m_a/v2/video/540p/seg_3.m4s?x=1",
    );
  });
  it("leaves the edge alone that a manifest chose itself, and renews its signature", () => {
    const third = "http://edge3:8412/v/old-token/100/titles/m_a/v2/seg.m4s";
    expect(rebased(third, OLD, NEW)).toBe("http://edge3:8412/v/new_token/900/titles/m_a/v2/seg.m4s");
  });
  it("changes nothing of another version, another title, or an address without a signature", () => {
    expect(rebased(OLD, OLD, OTHER_VERSION)).toBe(OLD);
    for (const url of ["http://edge1:8410/i/m_a/sprite.jpg", "data:text/plain,x", "nonsense"]) expect(rebased(url, OLD, NEW)).toBe(url);
  });
  it("moves requests to the new session, also from an address without one", () => {
    const played = "http://edge1:8410/v/token/100/v_00000000000000000001/m_a/v2/video/540p/seg_3.m4s";
    const renewed = "http://edge1:8410/v/other/900/v_00000000000000000002/m_a/v2/master.m3u8";
    const moved = "http://edge1:8410/v/other/900/v_00000000000000000002/m_a/v2/video/540p/seg_3.m4s";
    expect(rebased(played, played, renewed)).toBe(moved);
    expect(rebased(played.replace("/v_00000000000000000001", ""), played, renewed)).toBe(moved);
    expect(isSameVersion(played, renewed)).toBe(true);
  });
  it("renews twice", () => {
    const third = NEW.replace("new_token/900", "third/999");
    expect(rebased(OLD, OLD, third)).toContain("/v/third/999/");
    expect(rebased(NEW, OLD, third)).toContain("/v/third/999/");
  });
  it("knows when the film has to be loaded again", () => {
    expect(isSameVersion(OLD, NEW)).toBe(true);
    expect(isSameVersion(OLD, OTHER_VERSION)).toBe(false);
    expect(isSameVersion("nonsense", "nonsense")).toBe(false);
  });
});
