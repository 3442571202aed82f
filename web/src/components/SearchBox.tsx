/** The page's search box. Typing opens the search page; the query is part of the address. */

import { useEffect, useRef, useState } from "preact/hooks";
import { goBack, navigate, paths, type Route } from "../router";
import { CloseIcon, SearchIcon } from "./icons";

export function SearchBox({ route }: { route: Route }) {
  const input = useRef<HTMLInputElement>(null);
  const query = route.page === "search" ? route.query : "";
  const [text, setText] = useState(query);

  // The address changed without typing: Back, a link, another page.
  useEffect(() => {
    if (text.trim() !== query) setText(query);
  }, [query, route.page]);

  // "/" from anywhere goes to the search box, as on most sites.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = (event.target as Element).closest("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const search = (value: string) => {
    setText(value);
    navigate(paths.search(value.trim()), { replace: route.page === "search" });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.preventDefault();
      if (text !== "") search("");
      else if (route.page === "search") goBack();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      document.querySelector<HTMLElement>("main .grid a")?.focus();
    }
  };

  return (
    <form
      role="search"
      class={`search-box ${route.page === "search" ? "open" : ""}`}
      onSubmit={(event) => {
        event.preventDefault();
        search(text);
      }}
    >
      <SearchIcon />
      <input
        ref={input}
        id="search"
        type="search"
        aria-label="Search"
        placeholder="Titles, people, genres"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        enterkeyhint="search"
        maxLength={200}
        value={text}
        onInput={(event) => search(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        data-testid="search"
      />
      {text !== "" && (
        <button
          type="button"
          class="icon-button search-clear"
          aria-label="Clear search"
          onClick={() => {
            search("");
            input.current?.focus();
          }}
        >
          <CloseIcon />
        </button>
      )}
    </form>
  );
}
