import { describe, expect, it } from "vitest";
import { ENDED, FOLLOWED_SENTENCES, STAGES } from "../domain/rules";
import { outcomeSentence, progressWords, STAGE_NAMES } from "./followed";

describe("the words for a followed upload", () => {
  it("names the stage that it is in", () => {
    for (const stage of STAGES) expect(progressWords({ state: "ingesting", stage })).toBe(STAGE_NAMES[stage]);
  });
  it("tells what it waits for before the first stage", () => {
    expect(progressWords({ state: "uploading", stage: "upload" })).toBe("Waiting for its parts");
    expect(progressWords({ state: "ingesting", stage: "upload" })).toBe("Waiting to start");
  });
  it("gives the platform's reason for how it ended", () => {
    expect(outcomeSentence({ state: "refused", reason: "It has no picture." })).toBe("It has no picture.");
  });
  it("gives the sentence of the state where the platform gives no reason", () => {
    for (const state of ENDED) expect(outcomeSentence({ state, reason: null })).toBe(FOLLOWED_SENTENCES[state]);
  });
});
