"""The Kubernetes manifests: kustomize builds them, the API's schemas accept them, and each pod gets every setting it needs.

`kubectl` builds the example overlay without a cluster. Without `kubectl` these tests are skipped. Nothing was run on a cluster.
"""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dagster import DagsterRun
from dagster._config import process_config
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import DagsterK8sJobConfig, construct_dagster_k8s_job
from kubernetes.client import ApiClient

from marquee.code_locations import CODE_LOCATIONS
from marquee.platform.hosts import check_needed
from marquee.platform.project import PROJECT
from marquee.platform.topology import PARTS
from marquee.settings import Settings, load_settings

EXAMPLE = PROJECT / "deploy" / "kubernetes" / "example"
ENGINE_PARTS = {"postgres", "valkey-cache", "valkey-log", "seaweedfs", "s3-pace", "s3-proxy"}
VERSION = "1.37"

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    """What `kubectl apply --kustomize` would apply."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed, and it builds the manifests")
    command = [kubectl, "kustomize", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] in kinds}


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Name of a Deployment, Job or the like -> the spec of its pods."""
    return {name: each["spec"]["template"]["spec"] for name, each in of_kind(manifests, "Deployment", "Job").items()}


def container(pod: Manifest) -> Manifest:
    (only,) = pod["containers"]
    assert isinstance(only, dict)
    return only


def sidecars(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Name of a pod -> the process that runs beside the pod's own."""
    return {name: only for name, pod in pods(manifests).items() for only in pod.get("initContainers", ())}


def values(manifests: list[Manifest], pod: Manifest) -> Iterator[tuple[str, str]]:
    """Every environment variable of a pod's process."""
    return values_of(manifests, container(pod))


def values_of(manifests: list[Manifest], container: Manifest) -> Iterator[tuple[str, str]]:
    maps, secrets = of_kind(manifests, "ConfigMap"), of_kind(manifests, "Secret")
    for source in container.get("envFrom", ()):
        match source:
            case {"configMapRef": {"name": name}}:
                yield from maps[name]["data"].items()
            case {"secretRef": {"name": name}}:
                for variable, value in secrets[name]["data"].items():
                    yield variable, base64.b64decode(value).decode()


def test_every_manifest_is_valid_by_the_apis_schema(manifests: list[Manifest]) -> None:
    assert len(manifests) > 40
    for manifest in manifests:
        kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_a_mistake_would_be_seen(manifests: list[Manifest]) -> None:
    wrong = json.loads(json.dumps(of_kind(manifests, "Deployment")["api"]))
    container(wrong["spec"]["template"]["spec"])["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_every_process_of_the_platform_is_deployed(manifests: list[Manifest]) -> None:
    commands = {name: container(pod)["command"] for name, pod in pods(manifests).items()}
    assert commands.pop("prepare") == ["marquee", "prepare"]
    assert commands == {name: ["marquee", "run", name] for name in commands}
    beside = {each["name"]: each["command"] for each in sidecars(manifests).values()}
    assert beside == {name: ["marquee", "run", name] for name in beside}
    assert set(commands) | set(beside) == {part.name for part in PARTS} - ENGINE_PARTS


def test_each_edge_has_the_reader_of_its_log_beside_it_and_no_secret_of_the_other(manifests: list[Manifest]) -> None:
    found = sidecars(manifests)
    assert {name: each["name"] for name, each in found.items()} == {"edge-1": "edge-logs", "edge-2": "edge-logs"}
    for name, beside in found.items():
        edge = container(pods(manifests)[name])
        assert beside["restartPolicy"] == "Always", "it would have to end before the edge starts"
        assert beside["volumeMounts"] == edge["volumeMounts"], "they share no state folder"
        assert beside["securityContext"] == edge["securityContext"]
        assert {"cpu", "memory"} <= set(beside["resources"]["requests"])
        told, edges_own = dict(values_of(manifests, beside)), dict(values_of(manifests, edge))
        assert not {"MARQUEE_EDGE_SECRET", "MARQUEE_S3_EDGE_SECRET_KEY"} & set(told)
        assert "MARQUEE_EVENT_LOG_URL" in told
        assert "MARQUEE_EVENT_LOG_URL" not in edges_own


def test_each_pod_is_told_all_that_its_process_needs(
    manifests: list[Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {f"MARQUEE_{name.upper()}" for name in Settings.model_fields}
    monkeypatch.setenv("MARQUEE_STATE", str(tmp_path))
    of_pods = {name: container(pod) for name, pod in pods(manifests).items()}
    for name, process in (of_pods | {each["name"]: each for each in sidecars(manifests).values()}).items():
        told = dict(values_of(manifests, process))
        assert set(told) <= known, f"{name} is told {sorted(set(told) - known)}, which are no settings"
        with monkeypatch.context() as patch:
            for variable, value in told.items():
                patch.setenv(variable, value)
            check_needed(load_settings(), {name})


def test_keys_are_where_they_are_used_and_nowhere_else(manifests: list[Manifest]) -> None:
    has: dict[str, set[str]] = {}
    for name, pod in pods(manifests).items():
        for variable, _ in values(manifests, pod):
            has.setdefault(variable, set()).add(name)
    assert has["MARQUEE_TOKEN_PRIVATE_KEY"] == {"api"}
    assert has["MARQUEE_TOKEN_PUBLIC_KEY"] == {"gateway"}
    assert has["MARQUEE_PASSWORD"] == {"prepare"}
    assert has["MARQUEE_EDGE_SECRET"] == {"api", "edge-1", "edge-2", "dagster-code-ingest"}
    assert has["MARQUEE_S3_SECRET_KEY"] == {
        "prepare",
        "api",
        "transcode",
        "housekeeping",
        "event-sink",
        "dagster-code-ingest",
        "dagster-code-analytics",
    }
    assert has["MARQUEE_S3_PUBLISHED_SECRET_KEY"] == {"prepare", "api", "housekeeping", "dagster-code-ingest"}
    assert has["MARQUEE_S3_EDGE_SECRET_KEY"] == {"edge-1", "edge-2"}
    # The URL of an engine has its password.
    assert has["MARQUEE_RESUME_POSITIONS_URL"] == {"api"}
    assert has["MARQUEE_COORDINATION_URL"] == {"api"}
    assert has["MARQUEE_ROW_CACHE_URL"] == {"api", "dagster-code-ingest", "dagster-code-analytics"}
    assert has["MARQUEE_SEARCH_URL"] == {"api", "search-sync", "dagster-code-ingest"}


def test_every_pod_is_restricted(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests).items():
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert container(pod)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        resources = container(pod)["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"]), f"{name} asks for nothing"
        assert "memory" in resources["limits"], f"{name} has no bound"
        mounted = {mount["mountPath"] for mount in container(pod)["volumeMounts"]}
        assert mounted == {"/var/lib/marquee", "/tmp"}, name
        assert {volume["name"] for volume in pod["volumes"]} == {"state", "scratch"}, name
    accounts = of_kind(manifests, "ServiceAccount")
    with_token = {
        name
        for name, pod in pods(manifests).items()
        if accounts[pod.get("serviceAccountName", "default")].get("automountServiceAccountToken", True)
    }
    assert with_token == {"dagster-webserver", "dagster-daemon"}, "only those who start and watch runs"


def test_every_service_leads_to_a_port_of_a_pod(manifests: list[Manifest]) -> None:
    templates = {name: each["spec"]["template"] for name, each in of_kind(manifests, "Deployment").items()}
    for name, service in of_kind(manifests, "Service").items():
        (found,) = [
            template
            for template in templates.values()
            if service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        ]
        ports = {port["name"] for port in container(found["spec"])["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, name
    addresses = dict(values(manifests, pods(manifests)["gateway"]))
    services = of_kind(manifests, "Service")
    for variable in ("MARQUEE_API_URL", "MARQUEE_WEB_URL", "MARQUEE_DAGSTER_URL"):
        host, _, port = addresses[variable].split("//")[1].partition(":")
        assert [each["port"] for each in services[host]["spec"]["ports"]] == [int(port)], f"{variable} leads nowhere"
    code_servers = dict(pair.split("=", 1) for pair in addresses["MARQUEE_DAGSTER_CODE_URLS"].split(","))
    assert code_servers == {each.name: f"grpc://{each.program}:{8400 + each.port_offset}" for each in CODE_LOCATIONS}
    assert {each.program for each in CODE_LOCATIONS} <= services.keys()


def test_disruption_budgets_and_scalers_are_for_what_is_there(manifests: list[Manifest]) -> None:
    deployments = of_kind(manifests, "Deployment")
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in deployments.values()]
    for name, budget in of_kind(manifests, "PodDisruptionBudget").items():
        wanted = budget["spec"]["selector"]["matchLabels"]
        assert [each for each in labels if wanted.items() <= each.items()], f"the budget {name} protects nothing"
    for name, scaler in of_kind(manifests, "HorizontalPodAutoscaler").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] in deployments, f"{name} scales nothing"
    keda = list(yaml.safe_load_all((EXAMPLE / "keda.yaml").read_text()))
    assert keda[1]["spec"]["scaleTargetRef"]["name"] in deployments
    (reference,) = keda[0]["spec"]["secretTargetRef"]
    assert reference["key"] in of_kind(manifests, "Secret")[reference["name"]]["data"]


def test_network_policies_let_in_only_known_pods(manifests: list[Manifest]) -> None:
    names = {
        each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]
        for each in of_kind(manifests, "Deployment").values()
    }
    policies = of_kind(manifests, "NetworkPolicy")
    assert policies["nobody"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    for name, policy in policies.items():
        for rule in policy["spec"].get("ingress", ()):
            senders = {each["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for each in rule.get("from", ())}
            assert senders <= names, f"{name} lets in pods that there are not"
            assert rule["ports"], f"{name} opens every port"
    open_to_all = {
        name
        for name, policy in policies.items()
        if any("from" not in rule for rule in policy["spec"].get("ingress", ()))
    }
    assert open_to_all == {"gateway", "edge-1", "edge-2"}, "the doors, and nothing else"


def test_dagster_starts_each_run_as_a_pod_like_the_others(manifests: list[Manifest]) -> None:
    told = dict(values(manifests, pods(manifests)["dagster-daemon"]))
    assert told["MARQUEE_DAGSTER_RUN_LAUNCHER"] == "dagster_k8s.K8sRunLauncher"
    config = json.loads(told["MARQUEE_DAGSTER_RUN_LAUNCHER_CONFIG"])
    checked = process_config(DagsterK8sJobConfig.config_type_run_launcher(), config)
    assert checked.success, checked.errors
    maps, secrets = of_kind(manifests, "ConfigMap"), of_kind(manifests, "Secret")
    assert set(config["env_config_maps"]) <= set(maps)
    assert set(config["env_secrets"]) <= set(secrets)
    assert config["service_account_name"] in of_kind(manifests, "ServiceAccount")
    code = container(pods(manifests)["dagster-code-ingest"])
    (image,) = [each["value"] for each in code["env"] if each["name"] == "DAGSTER_CURRENT_IMAGE"]
    assert image == code["image"], "a run has the image of the code that it runs"
    theirs = {source["secretRef"]["name"] for source in code["envFrom"] if "secretRef" in source}
    assert set(config["env_secrets"]) == theirs, "a run needs what the code server has"


KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "https://cluster.example"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
users: [{name: none, user: {token: none}}]
current-context: none
"""


def test_the_job_of_a_run_is_valid_and_restricted(manifests: list[Manifest], tmp_path: Path) -> None:
    """The job that Dagster's launcher builds from its configuration, without a cluster."""
    told = dict(values(manifests, pods(manifests)["dagster-daemon"]))
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    given = json.loads(told["MARQUEE_DAGSTER_RUN_LAUNCHER_CONFIG"]) | {
        "load_incluster_config": False,
        "kubeconfig_file": str(tmp_path / "kubeconfig"),
    }
    config = process_config(DagsterK8sJobConfig.config_type_run_launcher(), given).value
    assert config is not None
    launcher = K8sRunLauncher.from_config_value(None, config)
    context = launcher.get_container_context_for_run(DagsterRun("ingest"))
    job = construct_dagster_k8s_job(
        job_config=context.get_k8s_job_config(job_image="registry.example/marquee:0.1.0", run_launcher=launcher),
        args=["dagster", "api", "execute_run"],
        job_name="dagster-run-1",
        component="run_worker",
        user_defined_k8s_config=context.run_k8s_config,
    )
    manifest = ApiClient().sanitize_for_serialization(job)
    kubernetes_validate.validate(manifest, VERSION, strict=True)
    pod = manifest["spec"]["template"]["spec"]
    like = pods(manifests)["dagster-code-ingest"]
    assert pod["securityContext"] == like["securityContext"]
    assert container(pod)["securityContext"] == container(like)["securityContext"]
    assert container(pod)["volumeMounts"] == container(like)["volumeMounts"]
    assert pod["serviceAccountName"] == "marquee-run"
    assert pod["automountServiceAccountToken"] is False
