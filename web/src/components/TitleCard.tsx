/** A title on a row or in a grid: one link, its picture, and where the viewer stopped. */

import { paths } from "../router";
import type { RowItem } from "../api/schema";
import { Facts } from "./Facts";
import { PlayIcon } from "./icons";
import { Length } from "./Length";
import { Poster } from "./Poster";

interface Props {
  card: RowItem;
  /** False for announced titles: they are marked and have no play button. */
  playable?: boolean;
  /** Link to the player instead of the title's page, for continue watching. */
  resume?: boolean;
}

export function watchedPercent(card: RowItem): number | null {
  if (card.watched_percent !== undefined && card.watched_percent !== null) return card.watched_percent;
  if (!card.resume_position_seconds || !card.duration_seconds) return null;
  return Math.min(100, (100 * card.resume_position_seconds) / card.duration_seconds);
}

export function TitleCard({ card, playable = true, resume = false }: Props) {
  const percent = watchedPercent(card);
  const left = resume && card.duration_seconds ? card.duration_seconds - (card.resume_position_seconds ?? 0) : 0;
  const length = left > 0 ? <Length seconds={left} after=" left" /> : <Length seconds={card.duration_seconds} />;
  return (
    <a class="card" href={resume ? paths.watch(card.movie_id) : paths.title(card.movie_id)} data-testid="title-card">
      <div class="card-picture">
        <Poster title={card.title} url={card.poster_url} />
        {playable && (
          <span class="card-play" aria-hidden="true">
            <PlayIcon />
          </span>
        )}
        {!playable && <span class="badge card-badge">Announced</span>}
        {percent !== null && percent > 0 && (
          <div class="bar card-bar" style={{ "--part": `${percent}%` }}>
            <i />
            <span class="hidden-visually">{Math.round(percent)} % watched</span>
          </div>
        )}
      </div>
      <div class="card-words">
        <span class="card-title" dir="auto">
          {resume && <span class="hidden-visually" dir="ltr">Resume </span>}
          {card.title}
        </span>
        <span class="card-facts">
          <Facts facts={[card.year, (card.duration_seconds ?? 0) > 0 && length]} />
          {!playable && <span class="hidden-visually"> (announced, not playable yet)</span>}
        </span>
      </div>
    </a>
  );
}

export function CardBones({ count }: { count: number }) {
  return (
    <>
      {Array.from({ length: count }, (_, index) => (
        <li key={index} class="card" aria-hidden="true">
          <div class="card-picture bone" />
          <div class="card-words">
            <span class="bone bone-line" />
            <span class="bone bone-line short" />
          </div>
        </li>
      ))}
    </>
  );
}
