"""YAML as plain values, with the line on which each value stands. Pure; `loading` uses the lines in its errors.

PyYAML takes the last of two equal keys without a word, and follows anchors: both are refused here. So are tags: a profile has
nothing but texts, numbers, yes and no, lists and mappings.
"""

from typing import Any, Final, NamedTuple

import yaml

Path = tuple[str | int, ...]


class LineFault(Exception):
    """What is wrong, as a sentence that ends with what to do, and the line (from 1)."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


class Lined(NamedTuple):
    """The values of a document, and the line of each, by its path: `("videos", 0, "crf")`."""

    value: Any
    lines: dict[Path, int]


MAX_DEPTH: Final = 8
"""Lists and mappings within each other. PyYAML needs minutes for some thousands."""
_PLAIN: Final = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")}


def read_lined(text: str) -> Lined:
    """Read one YAML document. Raises `LineFault`."""
    try:
        _check_events(text)
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise LineFault(mark.line + 1 if mark else 1, f"it is not YAML ({error.problem}). Mend the line.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise LineFault(1, f"it is not YAML ({type(error).__name__}). Write it as UTF-8 text.") from error
    lines: dict[Path, int] = {}
    return Lined(None if root is None else _value(root, (), lines), lines)


def _check_events(text: str) -> None:
    """Raise `LineFault` at the first anchor, or where the document is too deep: before its tree is built."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1
        if getattr(event, "anchor", None):
            raise LineFault(line, "it has an anchor or an alias. Write the value out.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise LineFault(line, f"it has more than {MAX_DEPTH} lists within each other. A profile has three.")


def _value(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*path, index), lines) for index, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if node.tag not in _PLAIN:
        raise LineFault(
            node.start_mark.line + 1, f"{node.value!r} is read as {node.tag.rsplit(':', 1)[-1]}. Put it in quotes."
        )
    try:
        return yaml.SafeLoader("").construct_object(node)
    except ValueError as error:
        raise LineFault(
            node.start_mark.line + 1, f"{node.value!r} cannot be read. Write a number or a text."
        ) from error


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not key.value:
            raise LineFault(line, "a field's name is not a text. Write `name: value`.")
        if key.value in found:
            raise LineFault(line, f"{key.value} is given twice. Remove one of the two.")
        lines[(*path, key.value)] = line
        found[key.value] = _value(value, (*path, key.value), lines)
    return found
