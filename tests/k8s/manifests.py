"""Rendered Kubernetes manifests as Python values: what the tests of k8s/ share."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ROOT / "k8s" / "overlays"
WORKLOADS = ("Deployment", "StatefulSet")


def renderer():
    """The command that renders a folder, as `./dev k8s` found it or as it can be found here; None where there is none."""
    told = os.environ.get("PARLEY_KUSTOMIZE")
    if told:
        return shlex.split(told)
    for command, probe in ((["kubectl", "kustomize"], ["kubectl", "version", "--client"]),
                           (["kustomize", "build"], ["kustomize", "version"]),
                           ([str(ROOT / "build/tools/kustomize"), "build"],) * 2):
        try:
            answer = subprocess.run(probe[:3], capture_output=True, text=True, timeout=60, check=False).stdout
        except OSError:
            continue
        # Debian's own kubectl is 1.20, whose kustomize does not know components.
        version = re.search(r"Client Version.*?v1\.(\d+)", answer)
        if command[0] == "kubectl" and (not version or int(version.group(1)) < 21):
            continue
        return command
    return None


def render(folder):
    """The documents of a kustomization. Raises with the renderer's own words when it fails."""
    done = subprocess.run([*renderer(), str(folder)], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{folder.relative_to(ROOT)} does not render: {done.stderr.strip()}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def title(document):
    return f"{document['kind']}/{document['metadata']['name']}"


def pod_of(workload):
    return workload["spec"]["template"]


def containers_of(workload):
    spec = pod_of(workload)["spec"]
    return spec.get("initContainers", []) + spec["containers"]


def does_select(selector, labels):
    """A label selector as Kubernetes reads it."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for wanted in selector.get("matchExpressions") or []:
        value, operator = labels.get(wanted["key"]), wanted["operator"]
        if operator == "In" and value not in wanted["values"]:
            return False
        if operator == "NotIn" and value in wanted["values"]:
            return False
        if operator == "Exists" and value is None:
            return False
        if operator == "DoesNotExist" and value is not None:
            return False
    return True


def environment_of(workload, container, pod_name):
    """The container's variables as the kubelet would set them; secrets become their own names."""
    labels = pod_of(workload)["metadata"]["labels"]
    fields = {"metadata.name": pod_name, "metadata.namespace": workload["metadata"].get("namespace", "default")}
    values = {}
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        if "value" in variable:
            values[variable["name"]] = variable["value"]
        elif "fieldRef" in source:
            path = source["fieldRef"]["fieldPath"]
            label = re.fullmatch(r"metadata\.labels\['(.+)'\]", path)
            values[variable["name"]] = labels[label.group(1)] if label else fields[path]
        else:
            values[variable["name"]] = source["secretKeyRef"]["key"]
    return values


def command_of(container, environment):
    """Command and arguments with $(NAME) replaced."""
    words = container.get("command", []) + container.get("args", [])
    return [re.sub(r"\$\((\w+)\)", lambda name: environment[name.group(1)], word) for word in words]
