"""docs/rayjob.yaml is a RayJob: its fields are KubeRay's, its pods Kubernetes'."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import kubernetes_validate
import pytest
import yaml

from tests.builders.jobs import ROOT

MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "rayjob.yaml").read_text())
TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}


def fields(required: tuple[str, ...], **possible: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object with these fields and no other."""
    return {
        "type": "object",
        "properties": possible,
        "required": [*required],
        "additionalProperties": False,
    }


TEMPLATE = {"type": "object", "required": ["spec"]}
PARAMETERS = {"type": "object", "additionalProperties": TEXT}
#: What the manifest may use of the fields of KubeRay 1.7's RayJob, ray.io/v1: no package has its
#: schema.
RAYJOB = fields(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=fields(("name",), name=TEXT),
    spec=fields(
        ("entrypoint", "rayClusterSpec"),
        entrypoint=TEXT,
        shutdownAfterJobFinishes=FLAG,
        ttlSecondsAfterFinished=NUMBER,
        activeDeadlineSeconds=NUMBER,
        backoffLimit=NUMBER,
        submissionMode={"enum": ["K8sJobMode", "HTTPMode", "SidecarMode", "InteractiveMode"]},
        rayClusterSpec=fields(
            ("headGroupSpec",),
            rayVersion=TEXT,
            authOptions=fields((), mode={"enum": ["disabled", "token"]}, secretName=TEXT),
            headGroupSpec=fields(("template",), rayStartParams=PARAMETERS, template=TEMPLATE),
            workerGroupSpecs={
                "type": "array",
                "items": fields(
                    ("groupName", "minReplicas", "maxReplicas", "template"),
                    groupName=TEXT,
                    replicas=NUMBER,
                    minReplicas=NUMBER,
                    maxReplicas=NUMBER,
                    rayStartParams=PARAMETERS,
                    template=TEMPLATE,
                ),
            },
        ),
    ),
)


def groups(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    cluster = manifest["spec"]["rayClusterSpec"]
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


def check(manifest: dict[str, Any]) -> None:
    jsonschema.validate(manifest, RAYJOB)
    for group in groups(manifest):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "any"}, **group["template"]}
        kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


def test_it_is_possible() -> None:
    check(MANIFEST)


def test_another_field_would_be_found() -> None:
    wrong, wrong_pod = copy.deepcopy(MANIFEST), copy.deepcopy(MANIFEST)
    wrong["spec"]["entryPoint"] = wrong["spec"].pop("entrypoint")
    groups(wrong_pod)[1]["template"]["spec"]["containers"][0]["imagen"] = "x"
    for each in (wrong, wrong_pod):
        with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
            check(each)


def test_its_ray_is_the_locked_one() -> None:
    version = MANIFEST["spec"]["rayClusterSpec"]["rayVersion"]
    assert f"\nray=={version} " in (ROOT / "requirements.lock").read_text()
