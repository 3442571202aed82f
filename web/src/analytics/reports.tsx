/** The pictures of each report, and the figures behind them. */

import type {
  CostReport,
  FailureReport,
  PerformanceReport,
  QualityReport,
  RetentionReport,
  SearchReport,
} from "../api/schema";
import { count, everyDay, percent, retentionByWeek, seconds, shortDay } from "../domain/charts";
import { bytes } from "../domain/format";
import { paths } from "../router";
import { BarChart, dayEnds, LineChart } from "./charts";
import { FigureTable } from "./FigureTable";

/** Bars of one chart: more would be no picture any more. The table has all rows. */
const MAX_BARS = 10;
const hours = (value: number) => `${count(value)} h`;

/** `+20 %` against the seven days before. */
function trend(now: number, before: number): string {
  if (before <= 0) return now > 0 ? "new" : "–";
  const change = Math.round((100 * (now - before)) / before);
  return `${change > 0 ? "+" : ""}${change} %`;
}

export function Performance({ report }: { report: PerformanceReport }) {
  const { items } = report;
  return (
    <>
      <BarChart
        label="Hours watched, all days"
        bars={items.slice(0, MAX_BARS).map((item) => ({
          key: item.movie_id,
          name: item.title || item.movie_id,
          value: item.watch_hours,
          words: `${hours(item.watch_hours)}, last 7 days ${trend(item.watch_hours_7d, item.watch_hours_previous_7d)}`,
          href: paths.title(item.movie_id),
        }))}
      />
      <FigureTable
        name="Title performance"
        rows={items}
        columns={[
          { name: "Title", isText: true, cell: (item) => item.title || item.movie_id },
          { name: "Hours", cell: (item) => count(item.watch_hours) },
          { name: "Plays", cell: (item) => count(item.plays) },
          { name: "Viewers", cell: (item) => count(item.viewers) },
          { name: "To the end", cell: (item) => percent(item.completion_rate) },
          { name: "Startup p95", cell: (item) => seconds(item.startup_p95_seconds) },
          { name: "Rebuffering", cell: (item) => percent(item.rebuffer_ratio) },
          { name: "Failures", cell: (item) => count(item.failures) },
        ]}
      />
    </>
  );
}

export function Quality({ report }: { report: QualityReport }) {
  const days = everyDay(report.items);
  const ends = dayEnds(days);
  const of = (value: (item: QualityReport["items"][number]) => number | null) =>
    days.map(({ item }) => (item === null ? null : value(item)));
  return (
    <>
      <div class="charts">
        <LineChart
          label="Startup time"
          ends={ends}
          format={seconds}
          series={[
            { name: "Half of all (p50)", values: of((item) => item.startup_p50_seconds) },
            { name: "19 of 20 (p95)", values: of((item) => item.startup_p95_seconds) },
          ]}
        />
        <LineChart
          label="Rebuffer ratio"
          ends={ends}
          format={percent}
          series={[{ name: "Rebuffer ratio", values: of((item) => item.rebuffer_ratio) }]}
        />
        <LineChart
          label="Attempts that failed"
          ends={ends}
          format={percent}
          series={[
            { name: "Before the first frame", values: of((item) => item.start_failure_rate) },
            { name: "While playing", values: of((item) => item.playback_failure_rate) },
            { name: "Left before start", values: of((item) => item.exits_before_start_rate) },
          ]}
        />
      </div>
      <FigureTable
        name="Quality of experience"
        rows={[...report.items].reverse()}
        columns={[
          { name: "Day", isText: true, cell: (item) => shortDay(item.day) },
          { name: "Attempts", cell: (item) => count(item.attempts) },
          { name: "Plays", cell: (item) => count(item.plays) },
          { name: "Startup p50", cell: (item) => seconds(item.startup_p50_seconds) },
          { name: "Startup p95", cell: (item) => seconds(item.startup_p95_seconds) },
          { name: "Rebuffering", cell: (item) => percent(item.rebuffer_ratio) },
          { name: "Start failures", cell: (item) => percent(item.start_failure_rate) },
          { name: "Playback failures", cell: (item) => percent(item.playback_failure_rate) },
          { name: "Left before start", cell: (item) => percent(item.exits_before_start_rate) },
          { name: "kbit/s", cell: (item) => count(item.mean_kbps) },
          { name: "Hours", cell: (item) => count(item.watch_hours) },
        ]}
      />
    </>
  );
}

export function Failures({ report }: { report: FailureReport }) {
  const { items } = report;
  return (
    <>
      <BarChart
        label="Failures"
        bars={items.slice(0, MAX_BARS).map((item) => ({
          key: item.error_code,
          name: item.error_code || "without a code",
          value: item.start_failures + item.playback_failures,
          words: `${count(item.start_failures)} at start, ${count(item.playback_failures)} while playing`,
        }))}
      />
      <FigureTable
        name="Failures by cause"
        rows={items}
        columns={[
          { name: "Cause", isText: true, cell: (item) => item.error_code || "without a code" },
          { name: "At start", cell: (item) => count(item.start_failures) },
          { name: "While playing", cell: (item) => count(item.playback_failures) },
        ]}
      />
    </>
  );
}

export function Searches({ report }: { report: SearchReport }) {
  const { items } = report;
  const inVain = items.filter((item) => item.without_results > 0);
  return (
    <>
      {inVain.length === 0 && <p class="report-nothing">Every search found something.</p>}
      {inVain.length > 0 && (
        <BarChart
          label="Searches that found nothing"
          bars={inVain.slice(0, MAX_BARS).map((item) => ({
            key: item.query,
            name: item.query,
            value: item.without_results,
            words: `${count(item.without_results)} of ${count(item.asked)}`,
          }))}
        />
      )}
      <FigureTable
        name="Searches"
        rows={items}
        columns={[
          { name: "Query", isText: true, cell: (item) => item.query },
          { name: "Asked", cell: (item) => count(item.asked) },
          { name: "Without results", cell: (item) => count(item.without_results) },
          { name: "Opened", cell: (item) => count(item.opened) },
          { name: "Mean place", cell: (item) => count(item.mean_place) },
        ]}
      />
    </>
  );
}

export function Retention({ report }: { report: RetentionReport }) {
  const weeks = retentionByWeek(report.items);
  const last = weeks.at(-1)?.week ?? 0;
  return (
    <>
      <LineChart
        label="Profiles that watch again, weeks after the first one"
        ends={["Week 0", last > 0 ? `Week ${last}` : ""]}
        format={percent}
        series={[{ name: "All cohorts", values: weeks.map((week) => week.retention) }]}
      />
      <FigureTable
        name="Retention"
        rows={report.items}
        columns={[
          { name: "First watched in the week of", isText: true, cell: (item) => shortDay(item.cohort_week) },
          { name: "Weeks later", cell: (item) => count(item.weeks_since) },
          { name: "Profiles", cell: (item) => count(item.profiles) },
          { name: "Watched again", cell: (item) => count(item.retained) },
          { name: "Retention", cell: (item) => percent(item.retention) },
        ]}
      />
    </>
  );
}

export function Costs({ report }: { report: CostReport }) {
  const { items } = report;
  return (
    <>
      <BarChart
        label="Core-hours of encoding"
        bars={items.slice(0, MAX_BARS).map((item) => ({
          key: `${item.movie_id} ${item.version}`,
          name: item.title || item.movie_id,
          value: item.core_hours,
          words: `${count(item.core_hours)} core-hours, ${bytes(item.published_bytes)} stored`,
          href: paths.title(item.movie_id),
        }))}
      />
      <FigureTable
        name="Encoding cost"
        rows={items}
        columns={[
          { name: "Title", isText: true, cell: (item) => item.title || item.movie_id },
          { name: "Version", cell: (item) => count(item.version) },
          { name: "Core-hours", cell: (item) => count(item.core_hours) },
          { name: "Source", cell: (item) => bytes(item.source_bytes) },
          { name: "Published", cell: (item) => bytes(item.published_bytes) },
        ]}
      />
    </>
  );
}
