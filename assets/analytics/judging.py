"""Great Expectations, for all checks: judges a table or a frame by a list of expectations, and builds its Data Docs.

Importing it takes 4 s and 160 MB, so it is imported here when a check runs, and nowhere else. The context lives in memory.
Its Data Docs go to `{state}/dagster/data_docs/{name}`, one folder for each check: the newest judgement, with its rows.
"""

import importlib
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import dagster as dg

from assets.metadata import table
from marquee.settings import Settings

SAMPLE_ROWS: Final = 8
"""Rows that a failed expectation shows."""
KEPT_DOCS: Final = 48
"""Folders of Data Docs that are kept side by side, the newest: two days of hours. A folder has 4 MB."""
Docs = Literal["always", "of failures"]
"""When Data Docs are built. They are half of the work of a judgement."""
_MAX_CELL: Final = 120


@dataclass(frozen=True)
class Found:
    """One expectation and what was found. `sample`: rows that do not meet it. `rows`: of an expectation of their number."""

    sentence: str
    is_met: bool
    observed: str
    sample: Sequence[Mapping[str, object]] = ()
    rows: int | None = None


@dataclass(frozen=True)
class Verdict:
    found: Sequence[Found]
    docs: Path | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failures(self) -> list[Found]:
        return [one for one in self.found if not one.is_met]

    @property
    def reason(self) -> str | None:
        """One sentence for a batch's row, a run's page and an engineer. None: every expectation is met."""
        if not self.failures:
            return None
        first, more = self.failures[0], len(self.failures) - 1
        return f"{first.sentence}: {first.observed}" + (f" (and {more} more)" if more else "")

    def check_result(self) -> dg.AssetCheckResult:
        rows = [
            {"expectation": one.sentence, "met": "yes" if one.is_met else "NO", "found": one.observed}
            for one in self.found
        ]
        samples = {
            f"sample {number}: {one.sentence}": table([_cells(row) for row in one.sample])
            for number, one in enumerate(self.failures, 1)
            if one.sample
        }
        docs = {"data_docs": dg.MetadataValue.path(str(self.docs / "index.html"))} if self.docs else {}
        return dg.AssetCheckResult(
            passed=not self.failures,
            description=self.reason,
            metadata={
                "expectations": table(rows),
                "expectations_met": len(self.found) - len(self.failures),
                "expectations_failed": len(self.failures),
                **samples,
                **docs,
                **self.metadata,
            },
        )


@dataclass(frozen=True)
class Subject:
    """What is judged: a pandas frame or a query, the columns by which a person finds a row, and what is expected."""

    name: str
    data: Any
    """A `pandas.DataFrame`, or the text of a query."""
    keys: Sequence[str]
    expectations: Sequence[Any]


def library() -> Any:
    """The module `great_expectations`. It is told before its import that it may not call home."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings(), _without_pyspark():
        warnings.simplefilter("ignore")
        return importlib.import_module("great_expectations")


@contextmanager
def _without_pyspark() -> Iterator[None]:
    """Great Expectations works without PySpark, and imports it where it finds it.

    PySpark's package `connect` takes a process whose main module has no file for its own doctests, and ends it with
    `sys.exit(0)`: the process of a Dagster run is such a one. What is imported already stays, so the package is hidden too.
    """
    hidden = [name for name in ("pyspark", "pyspark.sql.connect") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # an import of None raises ModuleNotFoundError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def expectations() -> Any:
    """The module with the classes of expectations."""
    library()
    return importlib.import_module("great_expectations.expectations")


def judge(
    settings: Settings,
    name: str,
    subjects: Sequence[Subject],
    *,
    url: str = "",
    docs: Docs = "always",
    metadata: Mapping[str, Any] | None = None,
) -> Verdict:
    """Judge all subjects. `url`: of the database that queries go to."""
    gx = library()
    types = importlib.import_module("great_expectations.data_context.types.base")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = types.ProgressBarsConfig(globally=False)
    folder = docs_folder(settings, name)
    context.add_data_docs_site("platform", _site(folder))
    found = [one for subject in subjects for one in _judge_subject(gx, context, subject, url)]
    if docs == "of failures" and all(one.is_met for one in found):
        return Verdict(found, metadata=metadata or {})
    shutil.rmtree(folder, ignore_errors=True)
    context.build_data_docs(site_names=["platform"])
    keep_newest(folder.parent)
    return Verdict(found, folder, metadata or {})


def keep_newest(folder: Path) -> None:
    """Remove all but the newest Data Docs: an hour has a folder of its own, and they would grow for ever.

    The newest are those that were made last. The hour that they are of does not count: of a backfill of last year a person
    wants to read too why it was held back.
    """
    made = sorted(_made_at(folder), reverse=True)
    for _, old in made[KEPT_DOCS:]:
        shutil.rmtree(old, ignore_errors=True)


def _made_at(folder: Path) -> Iterator[tuple[float, Path]]:
    for one in folder.iterdir():
        with suppress(FileNotFoundError):  # another run has removed it
            yield one.stat().st_mtime, one


def docs_folder(settings: Settings, name: str) -> Path:
    return settings.state / "dagster" / "data_docs" / name


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
    }


def _judge_subject(gx: Any, context: Any, subject: Subject, url: str) -> list[Found]:
    is_query = isinstance(subject.data, str)
    if is_query:
        source = context.data_sources.add_postgres(subject.name, connection_string=url)
        batch = source.add_query_asset(subject.name, query=subject.data).add_batch_definition_whole_table("all")
    else:
        source = context.data_sources.add_pandas(subject.name)
        batch = source.add_dataframe_asset(subject.name).add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name=subject.name, expectations=list(subject.expectations)))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=subject.name, data=batch, suite=suite))
    shown = {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLE_ROWS}
    result = definition.run(
        batch_parameters=None if is_query else {"dataframe": subject.data},
        result_format={**shown, "unexpected_index_column_names": list(subject.keys)},
    )
    return [_found(one) for one in result.results]


def _found(result: Any) -> Found:
    sentence = str(result.expectation_config.description or result.expectation_config.type)
    values = dict(result.result)
    if not values:
        return Found(sentence, bool(result.success), f"could not be judged: {_exception(result.exception_info)}")
    sample = [dict(row) for row in values.get("partial_unexpected_index_list") or () if isinstance(row, Mapping)]
    is_count = result.expectation_config.type == "expect_table_row_count_to_be_between"
    rows = int(values["observed_value"]) if is_count else None
    return Found(sentence, bool(result.success), _observed(values), sample[:SAMPLE_ROWS], rows)


def _observed(values: Mapping[str, Any]) -> str:
    if "unexpected_count" in values:
        return f"{values['unexpected_count']} of {values['element_count']} rows do not"
    seen = values.get("observed_value")
    return f"{seen:.4g}" if isinstance(seen, float) else str(seen)


def _exception(info: Any) -> str:
    """The message, wherever Great Expectations puts it."""
    found = info.get("exception_message") if isinstance(info, Mapping) else None
    if found is None and isinstance(info, Mapping):
        found = next((one["exception_message"] for one in info.values() if isinstance(one, Mapping)), None)
    return (str(found).strip().splitlines() or ["no reason is given"])[0][:300]


def _cells(row: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value)[:_MAX_CELL].replace("|", r"\|").replace("\n", " ") for name, value in row.items()}
