"""`deploy/compose.yaml` as Compose would read it: variables filled in, anchors resolved."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from marquee.platform.project import PROJECT
from marquee.platform.state import new_secrets

COMPOSE = PROJECT / "deploy" / "compose.yaml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<sign>[-?])(?P<rest>[^}]*))?\}")


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?message}`; KeyError for a variable without value or default."""

    def value(found: re.Match[str]) -> str:
        if found["name"] in values:
            return values[found["name"]]
        if found["sign"] == "-":
            return found["rest"]
        raise KeyError(found["name"])

    return _VARIABLE.sub(value, text)


def required_variables() -> set[str]:
    """The variables that an environment file must set."""
    return {found["name"] for found in _VARIABLE.finditer(COMPOSE.read_text()) if found["sign"] == "?"}


def compose(values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file's document; `values` default to a fresh set of secrets."""
    loaded: dict[str, Any] = yaml.safe_load(
        interpolated(COMPOSE.read_text(), new_secrets() if values is None else values)
    )
    return loaded


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value).replace("$$", "$") for name, value in service.get("environment", {}).items()}


def programs(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that are processes of the platform: name in `marquee run` -> service. `prepare` is included."""
    found = {}
    for service in document["services"].values():
        match service.get("command"):
            case ["marquee", "run", str(name)]:
                found[name] = service
            case ["marquee", "prepare"]:
                found["prepare"] = service
    return found


def dockerfile_variables(path: Path = PROJECT / "deploy" / "Dockerfile") -> dict[str, str]:
    """The environment variables that the image sets."""
    block = path.read_text().split("ENV ", 1)[1].split("\nWORKDIR", 1)[0].replace("\\\n", " ")
    return dict(part.split("=", 1) for part in block.split())
