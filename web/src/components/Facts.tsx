/** A title's facts in one line, with dots between those that there are. */

import type { ComponentChildren } from "preact";
import { Fragment } from "preact";

export function Facts({ facts }: { facts: ComponentChildren[] }) {
  const there = facts.filter((one) => one !== null && one !== undefined && one !== "" && one !== false);
  return (
    <>
      {there.map((one, index) => (
        <Fragment key={index}>
          {index > 0 && " · "}
          {one}
        </Fragment>
      ))}
    </>
  );
}
