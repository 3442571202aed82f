/** The frame of every page except the player: skip link, header, main landmark, the phone's tab bar. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { maySeeReports, mayUpload, type Who } from "../api/session";
import { paths, type Route } from "../router";
import { HistoryIcon, HomeIcon, Mark, PersonIcon, SearchIcon, StudioIcon, UploadIcon } from "./icons";
import { SearchBox } from "./SearchBox";

interface Props {
  route: Route;
  who: Who | null;
  children: ComponentChildren;
}

export function Frame({ route, who, children }: Props) {
  const [atTop, setAtTop] = useState(true);
  useEffect(() => {
    const onScroll = () => setAtTop(window.scrollY < 16);
    onScroll();
    window.addEventListener("scroll", onScroll, { passive: true });
    return () => window.removeEventListener("scroll", onScroll);
  }, []);
  const tabs = [
    { page: "home", href: paths.home, words: "Home", icon: <HomeIcon /> },
    { page: "search", href: paths.search(""), words: "Search", icon: <SearchIcon />, phoneOnly: true },
    { page: "history", href: paths.history, words: "History", icon: <HistoryIcon /> },
    ...(mayUpload(who)
      ? [
          { page: "upload", href: paths.upload, words: "Upload", icon: <UploadIcon /> },
          { page: "studio", href: paths.studio(), words: "Studio", icon: <StudioIcon /> },
        ]
      : []),
    ...(maySeeReports(who)
      ? [{ page: "analytics", href: paths.analytics(), words: "Analytics", icon: null, wideOnly: true }]
      : []),
    { page: "account", href: paths.account, words: "Account", icon: <PersonIcon />, phoneOnly: true },
  ];
  return (
    <>
      <a class="skip-link" href="#main" onClick={skip}>
        Skip to content
      </a>
      <header class={`header ${atTop ? "at-top" : ""} ${route.page === "search" ? "searching" : ""}`}>
        <a class="brand" href={paths.home} aria-label="Marquee, home">
          <Mark />
          <span>Marquee</span>
        </a>
        {who !== null && (
          <>
            <nav class="tabs" aria-label="Main">
              {tabs.map((tab) => (
                <a
                  key={tab.page}
                  href={tab.href}
                  class={"phoneOnly" in tab ? "phone-only" : "wideOnly" in tab ? "wide-only" : ""}
                  aria-current={route.page === tab.page ? "page" : undefined}
                >
                  {tab.icon}
                  <span>{tab.words}</span>
                </a>
              ))}
            </nav>
            <SearchBox route={route} />
            <a class="avatar" href={paths.account} aria-label="Account" data-testid="account">
              {(who.email ?? "?").slice(0, 1).toUpperCase()}
            </a>
          </>
        )}
      </header>
      <main id="main" tabIndex={-1} class={`page page-${route.page}`}>
        {children}
      </main>
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
