/** Chooses the page, and handles the change between pages: login first, document title, focus, scroll position. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Frame } from "./components/Frame";
import { useTitle, useWho } from "./components/hooks";
import { Guarded, Later } from "./components/Later";
import { AccountPage } from "./pages/AccountPage";
import { HistoryPage } from "./pages/HistoryPage";
import { HomePage } from "./pages/HomePage";
import { JoinPage, LoginPage } from "./pages/LoginPage";
import { SearchPage } from "./pages/SearchPage";
import { TitlePage } from "./pages/TitlePage";
import { keptScroll, navigate, parseRoute, paths, safeNext, useLocation, type Route } from "./router";

const openPlayer = () => import("./player/WatchPage").then((module) => module.WatchPage);
const openAnalytics = () => import("./analytics/AnalyticsPage").then((module) => module.AnalyticsPage);
const openStudio = () => import("./studio/StudioPage").then((module) => module.StudioPage);
const openUploads = () => import("./upload/UploadPage").then((module) => module.UploadPage);

export function App() {
  const where = useLocation();
  const [path = "", query = ""] = where.split("?", 2);
  const route = parseRoute(path, query);
  const who = useWho();
  const outside = route.page === "login" || route.page === "join";

  useEffect(() => {
    if (who === null && !outside) {
      const next = where === paths.home ? "" : `?${new URLSearchParams({ next: where })}`;
      navigate(paths.login + next, { replace: true });
    } else if (who !== null && outside) {
      navigate(safeNext(new URLSearchParams(query).get("next")), { replace: true });
    }
  }, [who === null, outside, where]);

  // Rows and history belong to a profile: after a change of profile everything is loaded again.
  const key = `${who?.profileId ?? "nobody"} ${route.page} ${"movieId" in route ? route.movieId : ""}`;
  useArrival(key, route);

  if ((who === null) !== outside) return null; // another page is about to be shown
  if (route.page === "watch") {
    return (
      <Guarded key={key}>
        <Later load={openPlayer} props={{ movieId: route.movieId }} />
      </Guarded>
    );
  }
  return (
    <Frame route={route} who={who}>
      <Guarded key={key}>
        <Page route={route} />
      </Guarded>
    </Frame>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "home":
      return <HomePage />;
    case "login":
      return <LoginPage />;
    case "join":
      return <JoinPage />;
    case "search":
      return <SearchPage query={route.query} />;
    case "title":
      return <TitlePage movieId={route.movieId} />;
    case "history":
      return <HistoryPage />;
    case "account":
      return <AccountPage />;
    case "upload":
      return <Later key={route.replaces} load={openUploads} props={{ replaces: route.replaces }} />;
    case "analytics":
      return <Later load={openAnalytics} props={{ query: route.query }} />;
    case "studio":
      return <Later load={openStudio} props={{ query: route.query }} />;
    default:
      return <MissingPage />;
  }
}

/** Focus moves to the new page, so that screen readers read it. Back restores the page's scroll position. */
function useArrival(key: string, route: Route): void {
  const first = useRef(true);
  useLayoutEffect(() => {
    window.scrollTo(0, keptScroll());
    if (first.current) {
      first.current = false;
      return;
    }
    if (document.activeElement?.id === "search" && route.page === "search") return;
    if (route.page === "search" && route.query === "") document.getElementById("search")?.focus();
    else document.getElementById("main")?.focus({ preventScroll: true });
  }, [key]);
}

function MissingPage() {
  useTitle("Not found");
  return (
    <div class="empty tall">
      <h1>There is nothing at this address</h1>
      <p>The page may have moved, or the link was cut short.</p>
      <a class="button primary" href={paths.home}>
        Go home
      </a>
    </div>
  );
}
