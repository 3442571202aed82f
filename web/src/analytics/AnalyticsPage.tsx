/** Figures for engineers and operators: what is watched, how well it plays, what fails, what is searched in vain. From the marts. */

import { useEffect, useState } from "preact/hooks";
import "../styles/analytics.css";
import { report, reportCsv, type Reports as Loads } from "../api/calls";
import { asProblem, isAbort, type Problem } from "../api/problem";
import { maySeeReports, who } from "../api/session";
import { useTitle } from "../components/hooks";
import { Empty, Trouble } from "../components/Trouble";
import { RANGES, readDays, type Days } from "../domain/charts";
import { navigate, paths } from "../router";
import { ReportSection } from "./ReportSection";
import { Costs, Failures, Performance, Quality, Retention, Searches } from "./reports";

type Name = keyof Loads;
type Part<N extends Name> = { report: Loads[N] } | { problem: Problem };
export type Parts = { [N in Name]: Part<N> };

const NAMES: readonly Name[] = ["performance", "quality", "failures", "searches", "retention", "costs"];
/** Retention is by weeks: a short range has none. */
const RETENTION_DAYS = 180;

export function AnalyticsPage({ query }: { query: string }) {
  useTitle("Analytics");
  if (!maySeeReports(who())) {
    return (
      <Empty heading="Analytics are for engineers and operators">
        <p>This account can watch. Ask an operator for an engineer's account.</p>
      </Empty>
    );
  }
  return <Analytics days={readDays(query)} />;
}

async function loadAll(days: Days, signal: AbortSignal): Promise<Parts> {
  const parts = await Promise.all(
    NAMES.map(async (name) => {
      try {
        return [name, { report: await report(name, name === "retention" ? RETENTION_DAYS : days, signal) }] as const;
      } catch (error) {
        if (isAbort(error)) throw error;
        return [name, { problem: asProblem(error) }] as const;
      }
    }),
  );
  return Object.fromEntries(parts) as unknown as Parts;
}

function Analytics({ days }: { days: Days }) {
  const [parts, setParts] = useState<Parts | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    loadAll(days, controller.signal).then(
      (loaded) => !controller.signal.aborted && setParts(loaded),
      () => undefined, // another range was chosen, or the page was left
    );
    return () => controller.abort();
  }, [days, attempt]);
  const again = () => setAttempt((n) => n + 1);
  return (
    <div class="listing analytics">
      <header class="studio-head">
        <h1>Analytics</h1>
        <RangeChoice days={days} />
      </header>
      {parts === null ? (
        <div class="reports" aria-busy="true">
          {NAMES.map((name) => (
            <div key={name} class="bone bone-report" />
          ))}
        </div>
      ) : (
        <Reports parts={parts} days={days} again={again} />
      )}
    </div>
  );
}

function Reports({ parts, days, again }: { parts: Parts; days: Days; again: () => void }) {
  const all = NAMES.map((name): Part<Name> => parts[name]);
  const [first] = all;
  if (first !== undefined && "problem" in first && all.every((part) => "problem" in part)) {
    return <Trouble problem={first.problem} again={again} />;
  }
  if (all.every((part) => "report" in part && part.report.source === null)) {
    return (
      <Empty heading="No viewer data yet">
        <p>
          Figures appear here once viewers have watched and the analytics chain has run: in Dagster, open the code location
          “analytics” and materialize its assets.
        </p>
        <p>On one machine, make demo does all of it.</p>
        <button class="button" onClick={again}>
          Look again
        </button>
      </Empty>
    );
  }
  const section = <N extends Name>(name: N, heading: string, Body: (props: { report: Loads[N] }) => preact.JSX.Element) => (
    <ReportSection
      name={name}
      heading={heading}
      part={parts[name] as { report: Loads[N] } | { problem: Problem }}
      Body={Body}
      again={again}
      csv={() => reportCsv(name, name === "retention" ? RETENTION_DAYS : days)}
    />
  );
  return (
    <div class="reports">
      {section("quality", "Quality of experience", Quality)}
      {section("performance", "Title performance", Performance)}
      {section("failures", "Failures by cause", Failures)}
      {section("searches", "Searches without results", Searches)}
      {section("retention", "Retention", Retention)}
      {section("costs", "Encoding cost", Costs)}
    </div>
  );
}

function RangeChoice({ days }: { days: Days }) {
  return (
    <div class="range">
      <label for="analytics-days">Range</label>
      <select
        class="input"
        id="analytics-days"
        value={String(days)}
        onChange={(event) => navigate(paths.analytics(`days=${event.currentTarget.value}`), { replace: true })}
      >
        {RANGES.map((one) => (
          <option key={one} value={String(one)}>
            The last {one} days
          </option>
        ))}
      </select>
    </div>
  );
}
