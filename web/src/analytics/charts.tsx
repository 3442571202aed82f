/** Charts of the engineers' page: lines over days and bars, as SVG without a library. The figures stand in a table below each. */

import { axisTop, linePath, shortDay } from "../domain/charts";

export interface Series {
  name: string;
  values: (number | null)[];
}

interface LineProps {
  /** What the chart shows, for people who do not see it: the picture's name. */
  label: string;
  /** First and last mark of the axis. */
  ends: [string, string];
  series: Series[];
  format: (value: number | null) => string;
}

/** Lines of one unit. They differ in their strokes too, not only in colour. */
export function LineChart({ label, ends, series, format }: LineProps) {
  const top = axisTop(series.flatMap((one) => one.values));
  return (
    <figure class="chart">
      <figcaption class="chart-head">
        <span class="chart-name">{label}</span>
        {series.length > 1 && (
          <ul class="chart-legend">
            {series.map((one, index) => (
              <li key={one.name}>
                <svg class="chart-key" viewBox="0 0 24 4" aria-hidden="true">
                  <path class={`line line-${index}`} d="M0 2H24" />
                </svg>
                {one.name}
              </li>
            ))}
          </ul>
        )}
      </figcaption>
      <div class="chart-body">
        <div class="chart-scale" aria-hidden="true">
          <span>{format(top)}</span>
          <span>{format(top / 2)}</span>
          <span>{format(0)}</span>
        </div>
        <svg class="chart-plot" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label={spoken(label, series, format)}>
          <path class="grid" d="M0 0H100M0 50H100M0 100H100" />
          {series.map((one, index) => (
            <path key={one.name} class={`line line-${index}`} d={linePath(one.values, top)} />
          ))}
        </svg>
        <div class="chart-ends" aria-hidden="true">
          <span>{ends[0]}</span>
          <span>{ends[1]}</span>
        </div>
      </div>
    </figure>
  );
}

/** The picture in words: of each line the last and the largest value. */
function spoken(label: string, series: Series[], format: LineProps["format"]): string {
  const lines = series.map(({ name, values }) => {
    const known = values.filter((value): value is number => value !== null);
    if (known.length === 0) return `${name}: nothing measured`;
    return `${name}: last ${format(known.at(-1)!)}, at most ${format(Math.max(...known))}`;
  });
  return `${label}. ${lines.join(". ")}.`;
}

export interface Bar {
  key: string;
  name: string;
  value: number;
  words: string;
  href?: string;
}

/** Bars side by side, each with its name and figure in words: the picture needs no other description. */
export function BarChart({ label, bars }: { label: string; bars: Bar[] }) {
  const top = axisTop(bars.map((bar) => bar.value));
  return (
    <figure class="chart">
      <figcaption class="chart-head">
        <span class="chart-name">{label}</span>
      </figcaption>
      <ol class="bars">
        {bars.map((bar) => (
          <li key={bar.key}>
            <span class="bar-name" dir="auto">
              {bar.href === undefined ? bar.name : <a href={bar.href}>{bar.name}</a>}
            </span>
            <span class="bar-words">{bar.words}</span>
            <svg class="bar" aria-hidden="true">
              <rect class="bar-track" width="100%" height="100%" rx="3" />
              <rect class="bar-fill" width={`${(100 * Math.max(0, bar.value)) / top}%`} height="100%" rx="3" />
            </svg>
          </li>
        ))}
      </ol>
    </figure>
  );
}

/** Names of the axis' ends for a chart over days. */
export const dayEnds = (days: readonly { day: string }[]): [string, string] => {
  const first = days[0];
  const last = days.at(-1);
  return first === undefined || last === undefined || first === last
    ? [first === undefined ? "" : shortDay(first.day), ""]
    : [shortDay(first.day), shortDay(last.day)];
};
