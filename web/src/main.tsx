/** Start of the client: find out who is logged in, then show the page. */

import { render } from "preact";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/browse.css";
import "./styles/forms.css";
import "./styles/viewers.css";
import { asProblem } from "./api/problem";
import { followOtherTabs, restoreSession } from "./api/session";
import { App } from "./app";
import { Trouble } from "./components/Trouble";
import { startRouter } from "./router";

const root = document.getElementById("app")!;

async function start(): Promise<void> {
  try {
    await restoreSession();
  } catch (error) {
    render(<Trouble problem={asProblem(error)} again={() => void start()} />, root);
    return;
  }
  render(<App />, root);
}

startRouter();
followOtherTabs();
void start();
