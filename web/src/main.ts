/**
 * Start of the client: find out who is logged in, then show the page.
 *
 * The views are a chunk of their own, which the page's head names (`vite.config.ts`): a browser fetches them while this small
 * chunk already asks for the session.
 */

import "./styles/base.css";
import "./styles/frame.css";
import "./styles/browse.css";
import "./styles/forms.css";
import "./styles/viewers.css";
import "./styles/similar.css";
import "./styles/modes.css";
import { restoreSession } from "./api/session";

const session = restoreSession();
session.catch(() => undefined); // `start` shows what went wrong
import("./start").then(
  ({ start }) => start(session),
  () => {
    const sentence = document.createElement("p");
    sentence.className = "trouble";
    sentence.setAttribute("role", "alert");
    sentence.textContent = "Marquee could not be loaded. Check the connection, then load this page again.";
    document.getElementById("app")!.replaceChildren(sentence);
  },
);
