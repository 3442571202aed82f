"""The compose file's overlay for TLS names services and settings that exist, and gives the key to the public endpoints alone."""

import yaml

from marquee.platform.project import PROJECT
from marquee.platform.topology import PARTS, PUBLIC_PORTS
from marquee.settings import Settings
from tests.harness.compose_file import compose, interpolated

ENDPOINTS = {part.name for part in PARTS if PUBLIC_PORTS & set(part.ports)}


def test_the_overlay_gives_each_public_endpoint_the_certificate_and_nobody_else() -> None:
    text = (PROJECT / "deploy" / "compose.tls.yaml").read_text()
    services = yaml.safe_load(interpolated(text, {"MARQUEE_TLS_FOLDER": "/etc/marquee"}))["services"]
    assert services.keys() <= compose()["services"].keys()
    told = {variable for service in services.values() for variable in service["environment"]}
    assert told <= {f"MARQUEE_{name.upper()}" for name in Settings.model_fields}
    with_key = {name for name, service in services.items() if "MARQUEE_TLS_KEY" in service["environment"]}
    assert with_key == ENDPOINTS
    assert all(":ro" in volume for service in services.values() for volume in service["volumes"])
