/** What a title offers before it is played: picture quality, sound and subtitles. */

import type { TracksOut } from "../api/schema";
import { channelsOf, qualityOf } from "../domain/tracks";

export function Tracks({ tracks }: { tracks: TracksOut | null }) {
  if (tracks === null) return null;
  return (
    <>
      {tracks.picture !== null && <Entry name="Picture" items={[qualityOf(tracks.picture)]} />}
      <Entry name="Audio" items={tracks.sound.map((one) => `${one.label}, ${channelsOf(one.channels)}`)} none="No sound" />
      <Entry name="Subtitles" items={tracks.text.map((one) => one.label)} none="None" />
    </>
  );
}

function Entry({ name, items, none = "" }: { name: string; items: string[]; none?: string }) {
  return (
    <div data-testid={`offers-${name.toLowerCase()}`}>
      <dt>{name}</dt>
      <dd>
        {items.length === 0 ? (
          <span class="offer">{none}</span>
        ) : (
          items.map((words, index) => (
            <span key={index} class="offer" dir="auto">
              {words}
            </span>
          ))
        )}
      </dd>
    </div>
  );
}
