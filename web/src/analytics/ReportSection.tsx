/** One report: heading, source and age, CSV, and either its pictures, a sentence where there is nothing, or what went wrong. */

import { useState } from "preact/hooks";
import { asProblem, type Problem } from "../api/problem";
import { Notice, ProblemNotice, Trouble } from "../components/Trouble";
import { age, moment } from "../domain/charts";
import type { Report } from "./report";

interface Props<R extends Report> {
  name: string;
  heading: string;
  part: { report: R } | { problem: Problem };
  Body: (props: { report: R }) => preact.JSX.Element;
  again: () => void;
  csv: () => Promise<{ text: string; name: string }>;
}

export function ReportSection<R extends Report>({ name, heading, part, Body, again, csv }: Props<R>) {
  const id = `report-${name}`;
  return (
    <section class="report" aria-labelledby={id} data-testid={id}>
      <header class="report-head">
        <h2 id={id}>{heading}</h2>
        {"report" in part && part.report.items.length > 0 && <CsvButton heading={heading} csv={csv} />}
      </header>
      {"problem" in part ? (
        <Trouble problem={part.problem} again={again} />
      ) : (
        <>
          <SourceLine report={part.report} />
          {part.report.source !== null && part.report.items.length === 0 && <p class="report-nothing">Nothing in this range.</p>}
          {part.report.items.length > 0 && <Body report={part.report} />}
        </>
      )}
    </section>
  );
}

function SourceLine({ report }: { report: Report }) {
  const { source, sentence } = report;
  if (source === null) return <Notice kind="plain"><p>{sentence}</p></Notice>;
  return (
    <p class="report-source">
      From <code>marts.{source.mart}</code>, built {age(source.age_seconds)} ago
      {source.through !== null && `, events up to ${moment(source.through)}`}
    </p>
  );
}

/** The file is fetched with the access token, which no link could carry, and then saved by the browser. */
function CsvButton({ heading, csv }: { heading: string; csv: Props<Report>["csv"] }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const save = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const { text, name } = await csv();
      const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="report-csv">
      <button class="button quiet small" disabled={busy} onClick={() => void save()}>
        CSV<span class="hidden-visually"> of {heading}</span>
      </button>
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}
