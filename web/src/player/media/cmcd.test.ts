import type Hls from "hls.js";
import { describe, expect, it } from "vitest";
import { CmcdQuery, cmcd } from "./cmcd";

const hls = { levels: [{ averageBitrate: 1_234_567 }] } as unknown as Hls;
const frag = (more: object = {}) => ({ frag: { type: "main", sn: 1, level: 0, ...more } }) as never;
const read = (url: string) => decodeURIComponent(new URL(url).searchParams.get("CMCD") ?? "");
const SEGMENT = "http://edge/v/t/1/v_1/m_1/v1/seg_1.m4s";

describe("what an edge's log learns", () => {
  it("is written as the standard says: keys in order, hundreds, text in quotes", () => {
    const text = cmcd({ bufferMs: 21_349.7, kbps: 3200.4, throughputKbps: 48_051, kind: "v", sessionId: "v_1" });
    expect(text).toBe('bl=21300,br=3200,mtp=48100,ot=v,sid="v_1"');
  });
  it("leaves out what is not known", () => {
    expect(cmcd({ bufferMs: -3, kbps: null, throughputKbps: null, kind: "i", sessionId: "v_1" })).toBe('ot=i,sid="v_1"');
  });
  it("stands in the query of segments, and of nothing else", () => {
    const query = new CmcdQuery(hls, "v_1", () => 5e6, () => 12);
    expect(read(query.addTo(SEGMENT, frag()))).toBe('bl=12000,br=1235,mtp=5000,ot=v,sid="v_1"');
    expect(read(query.addTo(`${SEGMENT}a`, frag({ type: "audio" })))).toBe('bl=12000,mtp=5000,ot=a,sid="v_1"');
    expect(read(query.addTo(`${SEGMENT}c`, frag({ type: "subtitle" })))).toBe('mtp=5000,ot=c,sid="v_1"');
    expect(read(query.addTo(`${SEGMENT}i`, frag({ sn: "initSegment" })))).toContain("ot=i");
    expect(query.addTo("http://edge/master.m3u8", {} as never)).toBe("http://edge/master.m3u8");
    expect(query.addTo(`${SEGMENT}?x=1`, frag())).toBe(`${SEGMENT}?x=1`);
  });
  it("is the same for the same segment, so that the browser's cache has it", () => {
    let buffered = 3;
    const query = new CmcdQuery(hls, "v_1", () => null, () => buffered);
    const first = query.addTo(SEGMENT, frag());
    buffered = 20;
    expect(query.addTo(SEGMENT, frag())).toBe(first);
    expect(query.addTo(`${SEGMENT}2`, frag())).not.toBe(first);
  });
  it("is left out without a session", () => {
    expect(new CmcdQuery(hls, "", () => null, () => 1).addTo(SEGMENT, frag())).toBe(SEGMENT);
  });
});
