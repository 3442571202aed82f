/** Titles for content engineers: what state each is in, what it needs, and what can be done with it. The filter is in the address. */

import { useEffect, useState } from "preact/hooks";
import "../styles/studio.css";
import { mayUpload, who } from "../api/session";
import { useSettled, useTitle } from "../components/hooks";
import { Empty, ProblemNotice, Trouble } from "../components/Trouble";
import { filterQuery, isFiltered, LISTED_STATES, readFilter, STATE_WORDS, type Filter } from "../domain/studio";
import type { TitleState } from "../domain/rules";
import { navigate, paths } from "../router";
import { StudioTitle } from "./StudioTitle";
import { useTitles } from "./useTitles";

const TYPING_MS = 300;

export function StudioPage({ query }: { query: string }) {
  useTitle("Studio");
  if (!mayUpload(who())) {
    return (
      <Empty heading="The studio is for content engineers">
        <p>This account can watch. Ask an operator for an engineer's account.</p>
      </Empty>
    );
  }
  return <Studio filter={readFilter(query)} />;
}

function Studio({ filter }: { filter: Filter }) {
  const { titles, more, busy, problem, readMore, reload, replace } = useTitles(filter);
  return (
    <div class="listing studio">
      <header class="studio-head">
        <h1>Studio</h1>
        <div class="actions">
          <a class="button" href={paths.analytics()}>
            Analytics
          </a>
          <a class="button primary" href={paths.upload}>
            Upload a film
          </a>
        </div>
      </header>
      <FilterForm filter={filter} />
      {titles !== null && titles.length === 0 && !busy && problem === null && <Nothing filter={filter} />}
      {titles !== null && titles.length > 0 && (
        <table class="studio-table" role="table" aria-label="Titles">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader">Title</th>
              <th role="columnheader">State</th>
              <th role="columnheader">Changed</th>
              <th role="columnheader">Actions</th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {titles.map((title) => (
              <StudioTitle key={title.movie_id} title={title} changed={(now) => replace(title.movie_id, now)} />
            ))}
          </tbody>
        </table>
      )}
      {titles === null && busy && <div class="bone bone-block" aria-busy="true" />}
      {problem !== null && titles === null && <Trouble problem={problem} again={reload} />}
      {problem !== null && titles !== null && <ProblemNotice problem={problem} />}
      {titles !== null && titles.length > 0 && (
        <div class="actions studio-more">
          {more && (
            <button class="button" disabled={busy} onClick={readMore}>
              Show more titles
            </button>
          )}
          <button class="button quiet" disabled={busy} onClick={reload}>
            Refresh
          </button>
        </div>
      )}
    </div>
  );
}

function FilterForm({ filter }: { filter: Filter }) {
  const [text, setText] = useState(filter.text);
  const settled = useSettled(text, TYPING_MS);
  const go = (changed: Partial<Filter>) =>
    navigate(paths.studio(filterQuery({ ...filter, text, ...changed })), { replace: true });
  useEffect(() => {
    if (settled === text && settled !== filter.text) go({ text: settled });
  }, [settled]);
  // Back and forward, or the link to this page, change the address.
  useEffect(() => setText(filter.text), [filter.text]);
  return (
    <form
      class="studio-filter"
      role="search"
      aria-label="Titles"
      onSubmit={(event) => {
        event.preventDefault();
        go({});
      }}
    >
      <div class="field">
        <label for="studio-text">Words of the title</label>
        <input
          class="input"
          id="studio-text"
          type="search"
          dir="auto"
          maxLength={200}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <div class="field">
        <label for="studio-state">State</label>
        <select
          class="input"
          id="studio-state"
          value={filter.state}
          onChange={(event) => go({ state: event.currentTarget.value as TitleState | "" })}
        >
          <option value="">All states</option>
          {LISTED_STATES.map((state) => (
            <option key={state} value={state}>
              {STATE_WORDS[state]}
            </option>
          ))}
        </select>
      </div>
      <label class="check">
        <input type="checkbox" checked={filter.inWork} onChange={(event) => go({ inWork: event.currentTarget.checked })} />
        <span>In work</span>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={filter.withNotes}
          onChange={(event) => go({ withNotes: event.currentTarget.checked })}
        />
        <span>With notes</span>
      </label>
    </form>
  );
}

function Nothing({ filter }: { filter: Filter }) {
  if (!isFiltered(filter)) {
    return (
      <Empty heading="There are no titles yet">
        <p>Upload a film: it appears here as soon as its upload begins.</p>
      </Empty>
    );
  }
  return (
    <Empty heading="No title fits">
      <p>Try fewer words or another state.</p>
      <a class="button" href={paths.studio()}>
        Show all titles
      </a>
    </Empty>
  );
}
