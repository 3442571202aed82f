/** The page, once it is known who is logged in; where that cannot be found out, the reason and a button. */

import { render } from "preact";
import { asProblem } from "./api/problem";
import { followOtherTabs, restoreSession } from "./api/session";
import { App } from "./app";
import { Trouble } from "./components/Trouble";
import { startRouter } from "./router";

const root = document.getElementById("app")!;

export async function start(session: Promise<boolean>): Promise<void> {
  startRouter();
  followOtherTabs();
  await show(session);
}

async function show(session: Promise<boolean>): Promise<void> {
  try {
    await session;
  } catch (error) {
    render(<Trouble problem={asProblem(error)} again={() => void show(restoreSession())} />, root);
    return;
  }
  render(<App />, root);
}
