"""What must hold of rendered manifests. Each check takes the documents of one overlay and returns a list of problems."""

import json
import re
import sys
from pathlib import Path

import jsonschema
import yaml

from manifests import (ROOT, WORKLOADS, command_of, containers_of, does_select, environment_of, of_kind, pod_of, render,
                       title)

sys.path.insert(0, str(ROOT / "tests" / "observe"))
import prometheus_files  # noqa: E402

SCHEMAS = Path(__file__).resolve().parent / "schemas"
RECOMMENDED_LABELS = ("app.kubernetes.io/part-of", "app.kubernetes.io/managed-by")
WORKLOAD_LABELS = (*RECOMMENDED_LABELS, "app.kubernetes.io/name", "app.kubernetes.io/component")
PROGRAM_LABELS = (*WORKLOAD_LABELS, "app.kubernetes.io/version")
# Volumes that the profile `restricted` allows, less those that reach beyond the pod.
ALLOWED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
PROBES = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def is_ours(container):
    return container.get("command", [""])[0].startswith("parley-")


def project_version():
    return re.search(r"^project\(parley VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)


def schema(documents):
    """Every field is known and has the right type, as far as the published schemas say."""
    builtin = json.loads((SCHEMAS / "kubernetes.json").read_text())
    problems = []
    for document in documents:
        kind = f"{document['apiVersion']}/{document['kind']}"
        custom = SCHEMAS / f"{kind.replace('/', '.')}.json"
        if kind in builtin["kinds"]:
            reference = {"$ref": f"#/definitions/{builtin['kinds'][kind]}", "definitions": builtin["definitions"]}
        elif custom.exists():
            reference = json.loads(custom.read_text())
        else:
            problems.append(f"{title(document)}: no schema for {kind}; add it by tests/k8s/make_schemas.py")
            continue
        for error in jsonschema.Draft7Validator(reference).iter_errors(document):
            path = ".".join(str(step) for step in error.absolute_path)
            problems.append(f"{title(document)}: {path}: {error.message[:200]}")
    return problems


def names(documents):
    """One document for each kind and name, all in the overlay's namespace."""
    problems = []
    spaces = {document["metadata"]["name"] for document in of_kind(documents, "Namespace")}
    if len(spaces) != 1:
        problems.append(f"expected one namespace, found {sorted(spaces)}")
    seen = set()
    for document in documents:
        if title(document) in seen:
            problems.append(f"{title(document)}: twice")
        seen.add(title(document))
        if document["kind"] != "Namespace" and document["metadata"].get("namespace") not in spaces:
            problems.append(f"{title(document)}: not in the overlay's namespace")
    return problems


def labels(documents):
    """The recommended labels are there, and the version is the project's."""
    problems = []
    for document in documents:
        wanted = WORKLOAD_LABELS if document["kind"] in WORKLOADS else RECOMMENDED_LABELS[:1]
        sets = [("", document["metadata"].get("labels", {}))]
        if document["kind"] in WORKLOADS:
            sets.append((" (pods)", pod_of(document)["metadata"].get("labels", {})))
            if any(map(is_ours, containers_of(document))):
                wanted = PROGRAM_LABELS
        for where, found in sets:
            problems += [f"{title(document)}{where}: no label {name}" for name in wanted if name not in found]
            version = found.get("app.kubernetes.io/version", project_version())
            if version != project_version():
                problems.append(f"{title(document)}{where}: version {version}, but the project's is {project_version()}")
    return problems


def selectors(documents):
    """Whatever selects pods selects some, and a workload only its own."""
    problems = []
    pods = [(workload, pod_of(workload)["metadata"].get("labels", {})) for workload in of_kind(documents, *WORKLOADS)]
    for workload in of_kind(documents, *WORKLOADS):
        chosen = [title(other) for other, found in pods if does_select(workload["spec"]["selector"], found)]
        if chosen != [title(workload)]:
            problems.append(f"{title(workload)}: its selector selects the pods of {chosen}")
    selecting = [(d, {"matchLabels": d["spec"]["selector"]}) for d in of_kind(documents, "Service")]
    selecting += [(d, d["spec"]["selector"]) for d in of_kind(documents, "PodDisruptionBudget", "PodMonitor")]
    selecting += [(d, d["spec"]["podSelector"]) for d in of_kind(documents, "NetworkPolicy")]
    for document, selector in selecting:
        # Labels of parley.dev are for pods that users bring, or for later.
        is_for_users = "parley.dev/" in json.dumps(selector)
        if not is_for_users and not any(does_select(selector, found) for _, found in pods):
            problems.append(f"{title(document)}: its selector selects nothing")
    return problems


def references(documents):
    """Whatever is named is there: services, config maps, service accounts, scale targets. Secrets come from outside."""
    problems = []
    known = {title(document) for document in documents}
    wanted = []
    for workload in of_kind(documents, *WORKLOADS):
        spec = pod_of(workload)["spec"]
        if "serviceAccountName" in spec:
            wanted.append((workload, f"ServiceAccount/{spec['serviceAccountName']}"))
        if "serviceName" in workload["spec"]:
            wanted.append((workload, f"Service/{workload['spec']['serviceName']}"))
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        volumes |= {claim["metadata"]["name"]: claim for claim in workload["spec"].get("volumeClaimTemplates", [])}
        wanted += [(workload, f"ConfigMap/{v['configMap']['name']}") for v in volumes.values() if "configMap" in v]
        for container in containers_of(workload):
            mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
            problems += [f"{title(workload)}: no volume '{name}'" for name in sorted(mounted - volumes.keys())]
    for scaled in of_kind(documents, "ScaledObject"):
        target = scaled["spec"]["scaleTargetRef"]
        wanted.append((scaled, f"{target.get('kind', 'Deployment')}/{target['name']}"))
    for binding in of_kind(documents, "RoleBinding"):
        wanted.append((binding, f"Role/{binding['roleRef']['name']}"))
        wanted += [(binding, f"{subject['kind']}/{subject['name']}") for subject in binding["subjects"]]
    return problems + [f"{title(document)}: {name} is not there" for document, name in wanted if name not in known]


def images(documents):
    """Every image has a version, and ours the project's."""
    problems = []
    for workload in of_kind(documents, *WORKLOADS):
        for container in containers_of(workload):
            tag = container["image"].rpartition("/")[2].partition(":")[2]
            if tag in ("", "latest"):
                problems.append(f"{title(workload)}: {container['image']} names no version")
            elif is_ours(container) and tag != project_version():
                problems.append(f"{title(workload)}: {container['image']} is not version {project_version()}")
    return problems


def restricted(documents):
    """Pod Security Standard `restricted`, a read-only root file system, and no token where none is needed."""
    problems = []
    for document in of_kind(documents, "Namespace"):
        if document["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
            problems.append(f"{title(document)}: does not enforce the profile restricted")
    for workload in of_kind(documents, *WORKLOADS):
        spec = pod_of(workload)["spec"]
        pod = spec.get("securityContext", {})
        claims = {"runAsNonRoot": pod.get("runAsNonRoot") is True, "runAsUser": pod.get("runAsUser", 0) > 0,
                  "seccompProfile": pod.get("seccompProfile", {}).get("type") == "RuntimeDefault",
                  "host namespaces": not any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")),
                  "automountServiceAccountToken":
                      spec.get("automountServiceAccountToken") is ("serviceAccountName" in spec)}
        for volume in spec.get("volumes", []):
            claims[f"volume {volume['name']}"] = set(volume) - {"name"} <= ALLOWED_VOLUMES
        for container in containers_of(workload):
            own = container.get("securityContext", {})
            claims |= {"allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
                       "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem") is True,
                       "privileged": not own.get("privileged"),
                       "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
                       "runAsUser of the container": own.get("runAsUser", 1) > 0,
                       "hostPort": not any("hostPort" in port for port in container.get("ports", []))}
        problems += [f"{title(workload)}: {claim} is not restricted" for claim, holds in claims.items() if not holds]
    return problems


def resources(documents):
    """Requests for processor and memory, and a limit of memory, everywhere."""
    problems = []
    for workload in of_kind(documents, *WORKLOADS):
        for container in containers_of(workload):
            found = container.get("resources", {})
            wanted = [("requests", "cpu"), ("requests", "memory"), ("limits", "memory")]
            problems += [f"{title(workload)}: no {what}.{name}" for what, name in wanted
                         if name not in found.get(what, {})]
    return problems


def probes(documents):
    """Our programs: /livez says whether to restart, /readyz whether it works; named ports that exist; time to drain."""
    problems = []
    for workload in of_kind(documents, *WORKLOADS):
        spec = pod_of(workload)["spec"]
        for container in filter(is_ours, containers_of(workload)):
            ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
            for probe, path in PROBES.items():
                http = container.get(probe, {}).get("httpGet", {})
                if http.get("path") != path or http.get("port") not in ports:
                    problems.append(f"{title(workload)}: {probe} must ask {path} at a named port, not {http}")
            flags = dict(word.lstrip("-").partition("=")[::2] for word in container.get("args", []))
            if flags.get("metrics-port") != str(ports.get("metrics")):
                problems.append(f"{title(workload)}: --metrics-port is not the port `metrics`")
            if "listen" in flags and flags["listen"].rpartition(":")[2] != str(ports.get("bus")):
                problems.append(f"{title(workload)}: --listen is not the port `bus`")
            drain = int(flags.get("drain-timeout", "0s").removesuffix("s"))
            if drain == 0 and container["command"] not in (["parley-supervisor"], ["parley-ledger"]):
                problems.append(f"{title(workload)}: no --drain-timeout")
            if drain >= spec["terminationGracePeriodSeconds"]:
                problems.append(f"{title(workload)}: --drain-timeout must be shorter than the grace period")
    return problems


def pre_stop(documents):
    """A worker's pod tells the broker before its end, so that nothing new is sent to it while it drains."""
    problems = []
    for workload in of_kind(documents, *WORKLOADS):
        for container in filter(is_ours, containers_of(workload)):
            if container["command"] != ["parley-agent"]:
                continue
            hook = container.get("lifecycle", {}).get("preStop", {})
            command = " ".join(hook.get("exec", {}).get("command", []))
            if 'parley worker drain "$POD_NAME"' not in command:
                problems.append(f"{title(workload)}: preStop must drain the worker, not {command or 'nothing'}")
    return problems


def ports(documents):
    """Services and network policies name ports that their pods open, and endpoints name services' ports."""
    problems = []
    opened = {}
    for workload in of_kind(documents, *WORKLOADS):
        for container in containers_of(workload):
            opened.setdefault(title(workload), {}).update(
                {port["name"]: port["containerPort"] for port in container.get("ports", [])})
    every_port = {number for found in opened.values() for number in found.values()}
    for service in of_kind(documents, "Service"):
        backing = [w for w in of_kind(documents, *WORKLOADS)
                   if does_select({"matchLabels": service["spec"]["selector"]}, pod_of(w)["metadata"]["labels"])]
        for port in service["spec"]["ports"]:
            if not all(port["targetPort"] in opened[title(workload)] for workload in backing):
                problems.append(f"{title(service)}: its pods have no port '{port['targetPort']}'")
    for policy in of_kind(documents, "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            wrong = {port["port"] for port in rule.get("ports", [])} - every_port
            problems += [f"{title(policy)}: no pod opens port {port}" for port in sorted(wrong)]
    services = {f"{s['metadata']['name']}": {p["port"] for p in s["spec"]["ports"]} for s in of_kind(documents, "Service")}
    for workload in of_kind(documents, *WORKLOADS):
        for container in filter(is_ours, containers_of(workload)):
            environment = environment_of(workload, container, "pod-0")
            for text in [*environment.values(), *command_of(container, environment)]:
                for service, port in re.findall(r"tcp://[\w-]+\.([\w-]+):(\d+)", text):
                    if int(port) not in services.get(service, ()):
                        problems.append(f"{title(workload)}: {text}: no such service and port")
    return problems


def workers(documents):
    """Every worker of the suite has a Deployment, and every agent Deployment a worker."""
    suite = next(d for d in of_kind(documents, "ConfigMap") if d["metadata"]["name"].startswith("parley-suite"))
    planned = {worker["name"] for worker in yaml.safe_load(suite["data"]["parley.yaml"])["workers"]}
    deployed = {environment_of(workload, container, "pod")["PARLEY_WORKER"]
                for workload in of_kind(documents, "Deployment") for container in containers_of(workload)
                if container["command"] == ["parley-agent"]}
    return [f"worker '{name}' is only in one of suite and Deployments" for name in sorted(planned ^ deployed)]


def disruption(documents):
    """No disruption budget can block a drain, whatever the number of replicas."""
    return [f"{title(budget)}: must be maxUnavailable >= 1 with unhealthyPodEvictionPolicy AlwaysAllow"
            for budget in of_kind(documents, "PodDisruptionBudget")
            if budget["spec"].get("maxUnavailable", 0) in (0, "0%") or "minAvailable" in budget["spec"]
            or budget["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow"]


def rbac(documents):
    """One Role: pods, in the namespace, and no verb more than the supervisor uses."""
    problems = [f"{title(d)}: nothing beyond the namespace" for d in of_kind(documents, "ClusterRole", "ClusterRoleBinding")]
    allowed = {"get", "list", "watch", "delete"}
    for role in of_kind(documents, "Role"):
        for rule in role["rules"]:
            if rule["apiGroups"] != [""] or rule["resources"] != ["pods"] or set(rule["verbs"]) - allowed:
                problems.append(f"{title(role)}: more than {sorted(allowed)} on pods: {rule}")
    return problems


def secrets(documents):
    """Secrets are referred to, never written down."""
    problems = [f"{title(document)}: a secret in a manifest" for document in of_kind(documents, "Secret")]
    for workload in of_kind(documents, *WORKLOADS):
        for container in containers_of(workload):
            for variable in container.get("env", []):
                if re.search(r"KEY|TOKEN|PASSWORD|SECRET", variable["name"]) and "value" in variable:
                    problems.append(f"{title(workload)}: {variable['name']} has its value in the manifest")
    return problems


def default_deny(documents):
    """The namespace denies by default, both ways: the bus is not encrypted."""
    for policy in of_kind(documents, "NetworkPolicy"):
        spec = policy["spec"]
        if spec["podSelector"] == {} and set(spec["policyTypes"]) == {"Ingress", "Egress"} and not (
                spec.get("ingress") or spec.get("egress")):
            return []
    return ["no NetworkPolicy denies everything by default"]


def metrics(documents):
    """Every metric that rules, scalers and dashboards ask for is in METRICS.md."""
    known = set(prometheus_files.documented_metrics()) | prometheus_files.MADE_BY_PROMETHEUS
    queries, recorded = [], set()
    for rule_file in of_kind(documents, "PrometheusRule"):
        for rule in [rule for group in rule_file["spec"]["groups"] for rule in group["rules"]]:
            queries.append((title(rule_file), str(rule["expr"])))
            recorded.add(rule.get("record"))
    for scaled in of_kind(documents, "ScaledObject"):
        queries += [(title(scaled), trigger["metadata"]["query"]) for trigger in scaled["spec"]["triggers"]]
    for board in of_kind(documents, "ConfigMap"):
        for text in board["data"].values() if "grafana_dashboard" in board["metadata"]["labels"] else ():
            queries += [(title(board), target["expr"]) for panel in json.loads(text)["panels"]
                        for target in panel.get("targets", [])]
    problems = []
    for where, query in queries:
        unknown = prometheus_files.metrics_in(query) - known
        unknown |= prometheus_files.recorded_names_in(query) - recorded
        problems += [f"{where}: {name} is not in METRICS.md, and no rule records it" for name in sorted(unknown)]
    return problems


ALL = (schema, names, labels, selectors, references, images, restricted, resources, probes, pre_stop, ports,
       workers, disruption, rbac, secrets, default_deny, metrics)


def problems_of(documents):
    return [problem for check in ALL for problem in check(documents)]


def render_overlay(name):
    return render(ROOT / "k8s" / "overlays" / name)
