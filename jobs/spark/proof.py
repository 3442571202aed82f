"""The proof that taste is better than popularity, without which no personal row is written.

`python -m jobs.spark.evaluate` writes the figures beside this module, with the parameters that they were found with. A change of
the parameters, or figures whose intervals touch, and the gate is shut until the evaluation is made again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PROOF: Final = Path(__file__).with_name("proof.json")


def is_above(better: Mapping[str, float], worse: Mapping[str, float]) -> bool:
    """Whether the 95 % intervals (`low`, `high`) are apart."""
    return better["low"] > worse["high"]


def is_proved(parameters: Mapping[str, float], proof: Path = PROOF) -> bool:
    """Whether these very parameters were found clearly better than popularity."""
    if not proof.is_file():
        return False
    stored: dict[str, Any] = json.loads(proof.read_text())
    return stored["parameters"] == dict(parameters) and is_above(stored["taste"], stored["popularity"])
