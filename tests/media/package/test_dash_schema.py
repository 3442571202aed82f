"""The chain's judge of MPDs knows MPEG's schema: what it accepts and refuses is what the real schema accepts and refuses.

The real schema may not be in the project. `MARQUEE_DASH_SCHEMA` names a copy of DASH-MPD.xsd whose import of xlink.xsd can be
resolved; without it, the comparison is skipped and the examples below remain.
"""

import copy
import importlib.util
import os
import random
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

import pytest

from marquee.documents import keys
from marquee.media.package.dash_schema import ELEMENTS, NAMESPACE, schema_findings
from tests.harness.media.packaging import Title

BAD_VALUES = [
    "",
    " ",
    "-1",
    "x",
    "1.5",
    "PT",
    "PT5",
    "P1D",
    "PT1.5S",
    "4294967296",
    "1:1",
    "a b",
    "24/0",
    "25/1",
    "yes",
    "true",
    "1",
]
"""Values that are right for some types and wrong for others."""


@pytest.fixture
def written(title: Title) -> ET.Element:
    return ET.fromstring((title[0] / keys.MPD).read_text())


def _parents(root: ET.Element) -> list[ET.Element]:
    return [one for one in root.iter() if len(one)]


def _swap(root: ET.Element, choose: random.Random) -> None:
    parent = choose.choice(_parents(root))
    one, other = choose.randrange(len(parent)), choose.randrange(len(parent))
    parent[one], parent[other] = parent[other], parent[one]


def _double(root: ET.Element, choose: random.Random) -> None:
    parent = choose.choice(_parents(root))
    parent.insert(choose.randrange(len(parent) + 1), copy.deepcopy(choose.choice(list(parent))))


def _leave_out(root: ET.Element, choose: random.Random) -> None:
    parent = choose.choice(_parents(root))
    parent.remove(choose.choice(list(parent)))


def _move_elsewhere(root: ET.Element, choose: random.Random) -> None:
    moved = copy.deepcopy(choose.choice([one for one in root.iter() if one is not root]))
    parent = choose.choice(list(root.iter()))
    parent.insert(choose.randrange(len(parent) + 1), moved)


def _drop_attribute(root: ET.Element, choose: random.Random) -> None:
    owner = choose.choice([one for one in root.iter() if one.attrib])
    del owner.attrib[choose.choice(list(owner.attrib))]


def _spoil_attribute(root: ET.Element, choose: random.Random) -> None:
    owner = choose.choice([one for one in root.iter() if one.attrib])
    owner.set(choose.choice(list(owner.attrib)), choose.choice(BAD_VALUES))


def _add_attribute(root: ET.Element, choose: random.Random) -> None:
    owner = choose.choice(list(root.iter()))
    names = sorted({name for element in ELEMENTS.values() for name in element.attributes} | {"unknown"})
    owner.set(choose.choice(names), choose.choice(BAD_VALUES))


def _add_text(root: ET.Element, choose: random.Random) -> None:
    choose.choice(list(root.iter())).text = choose.choice(["words", " ", "\n"])


MUTATIONS: list[Callable[[ET.Element, random.Random], None]] = [
    _swap,
    _double,
    _leave_out,
    _move_elsewhere,
    _drop_attribute,
    _spoil_attribute,
    _add_attribute,
    _add_text,
]


def mutants(root: ET.Element, count: int, seed: int) -> Iterator[tuple[str, ET.Element]]:
    """(the mutation's name, a changed copy of `root`), one mutation each."""
    choose = random.Random(seed)
    for number in range(count):
        mutated = copy.deepcopy(root)
        mutation = MUTATIONS[number % len(MUTATIONS)]
        mutation(mutated, choose)
        yield mutation.__name__, mutated


def test_our_mpds_are_valid(written: ET.Element) -> None:
    assert schema_findings(written) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda root: root.attrib.pop("minBufferTime"), "MPD lacks the attribute minBufferTime."),
        (lambda root: root.remove(root[0]), "MPD holds 0 Period; allowed are 1 to any."),
        (lambda root: root.set("maxSegmentDuration", "6"), "MPD has maxSegmentDuration='6'"),
        (lambda root: root[0].set("sar", "1:1"), "Period 0 may not have the attribute sar."),
        (lambda root: root[0].append(ET.Element(f"{NAMESPACE}Role")), "Period 0 may not hold Role."),
        (lambda root: root[0].append(ET.Element(f"{NAMESPACE}Event")), "Event is not an element of our MPDs."),
        (lambda root: setattr(root[0], "text", "word"), "Period 0 holds 'word'"),
    ],
)
def test_a_finding_says_what_is_wrong(
    written: ET.Element, change: Callable[[ET.Element], object], finding: str
) -> None:
    change(written)
    assert any(one.startswith(finding) for one in schema_findings(written)), schema_findings(written)


def test_a_role_before_its_label_is_a_finding(written: ET.Element) -> None:
    """The order that an earlier release wrote."""
    labelled = next(
        one for one in written.iter(f"{NAMESPACE}AdaptationSet") if one.find(f"{NAMESPACE}Label") is not None
    )
    role = labelled.find(f"{NAMESPACE}Role")
    assert role is not None
    labelled.remove(role)
    labelled.insert(0, role)
    assert any("Label stands behind Role" in one for one in schema_findings(written))


def test_the_real_schema_agrees(written: ET.Element) -> None:
    schema = os.environ.get("MARQUEE_DASH_SCHEMA", "")
    if not schema or importlib.util.find_spec("lxml") is None:
        pytest.skip("MARQUEE_DASH_SCHEMA names no DASH-MPD.xsd, or lxml is not installed")
    etree = importlib.import_module("lxml.etree")
    judge = etree.XMLSchema(etree.parse(schema))
    for name, mutated in mutants(written, 2000, seed=1):
        text = ET.tostring(mutated)
        assert judge.validate(etree.fromstring(text)) == (not schema_findings(mutated)), (name, judge.error_log, text)
