"""The dbt project as Dagster shows it before dbt has run: marts, their columns, what they are made of, and their tests.

Read from the project's own files in 20 ms. dbt's manifest says the same, but `dagster_dbt` costs every process of this
location 90 MB and 7 s, and a manifest in the package would have to be made anew with each change.
`tests/assets/analytics/test_dbt_project.py` compares this reading with dbt's manifest.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from marquee.platform.project import PROJECT

FOLDER: Final = PROJECT / "dbt"
_REF: Final = re.compile(r"\bref\(\s*'(\w+)'\s*\)")
_SOURCE: Final = re.compile(r"\bsource\(\s*'(\w+)'\s*,\s*'(\w+)'\s*\)")


@dataclass(frozen=True)
class Mart:
    """`marts`: other marts that it reads. `assets`: the Dagster assets that write the tables below its staging views."""

    name: str
    description: str
    columns: Mapping[str, str]
    marts: Sequence[str]
    assets: Sequence[str]
    tests: Sequence[str]
    """Names of its tests as asset checks (`check_name`); a test of several models belongs to the first one that it reads."""


@cache
def marts() -> tuple[Mart, ...]:
    """In the order of the file `marts.yml`."""
    listed = {one["name"]: one for one in _yaml("models/marts/marts.yml")["models"]}
    return tuple(_mart(name, listed) for name in listed)


def check_name(test: str, column: str | None) -> str:
    """`not_null_day`; of a test of the whole mart its name alone."""
    return f"{test}_{column}" if column else test


def _mart(name: str, listed: Mapping[str, Any]) -> Mart:
    spec = listed[name]
    refs = _REF.findall(_sql(f"models/marts/{name}.sql"))
    tables = {
        table for ref in _below(refs, set(listed)) for table in _SOURCE.findall(_sql(f"models/staging/{ref}.sql"))
    }
    return Mart(
        name=name,
        description=str(spec["description"]).strip(),
        columns={column["name"]: str(column.get("description", "")) for column in spec["columns"]},
        marts=tuple(dict.fromkeys(ref for ref in refs if ref in listed)),
        assets=tuple(sorted({asset for table in tables if (asset := _writers()[table])})),
        tests=tuple(dict.fromkeys([*_tests_of(spec), *_singular_tests(name)])),
    )


def _below(refs: Sequence[str], marts_: set[str]) -> Iterator[str]:
    """The staging models under these models."""
    for ref in refs:
        if ref not in marts_:
            yield ref
            yield from _below(_REF.findall(_sql(f"models/staging/{ref}.sql")), marts_)


def _tests_of(spec: Mapping[str, Any]) -> Iterator[str]:
    for holder, column in [(spec, None), *((one, one["name"]) for one in spec["columns"])]:
        for test in holder.get("data_tests", ()):
            yield check_name(test if isinstance(test, str) else next(iter(test)), column)


def _singular_tests(name: str) -> Iterator[str]:
    for path in sorted((FOLDER / "tests").glob("*.sql")):
        if _REF.findall(path.read_text())[0] == name:
            yield path.stem


@cache
def _writers() -> dict[tuple[str, str], str | None]:
    """(source, table) -> the asset that writes it, None for a table that the API writes."""
    sources = _yaml("models/staging/sources.yml")["sources"]
    return {
        (source["name"], one["name"]): one.get("config", {}).get("meta", {}).get("asset")
        for source in sources
        for one in source["tables"]
    }


@cache
def _sql(path: str) -> str:
    return (FOLDER / path).read_text()


def _yaml(path: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / path).read_text())
    return read


def project_file(name: str) -> Path:
    return FOLDER / name
