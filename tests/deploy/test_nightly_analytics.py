"""The CronJob of a cluster without Dagster has the settings that the code server of analytics has."""

import yaml

from marquee.platform.project import PROJECT

KUBERNETES = PROJECT / "deploy" / "kubernetes"


def test_the_nightly_job_has_what_the_code_server_of_analytics_has() -> None:
    job = yaml.safe_load((KUBERNETES / "example" / "analytics-nightly.yaml").read_text())
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    documents = yaml.safe_load_all((KUBERNETES / "base" / "dagster.yaml").read_text())
    (server,) = [
        each
        for each in documents
        if (each["kind"], each["metadata"]["name"]) == ("Deployment", "dagster-code-analytics")
    ]
    # It asks neither Dagster's storage nor, as the sensor does, the event log.
    only_dagster = [{"secretRef": {"name": f"marquee-{name}"}} for name in ("dagster", "event-log")]
    given = server["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert container["envFrom"] == [each for each in given if each not in only_dagster]
    assert "marquee analytics run --here --from" in container["command"][-1]
    assert job["spec"]["concurrencyPolicy"] == "Forbid", "two nights at once would take twice the memory"
