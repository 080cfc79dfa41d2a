#!/usr/bin/env python3
"""Makes tests/k8s/schemas/: JSON schemas of the kinds that k8s/ uses, without descriptions, closed to unknown fields.

    make_schemas.py SWAGGER CRD...

SWAGGER is api/openapi-spec/swagger.json of the Go module k8s.io/kubernetes; each CRD is a CustomResourceDefinition, from
example/prometheus-operator-crd of github.com/prometheus-operator/prometheus-operator and config/crd/bases of
github.com/kedacore/keda/v2 (`go mod download -json MODULE@VERSION` says where they are). All three are Apache-2.0.
"""

import json
import sys
from pathlib import Path

import yaml

TARGET = Path(__file__).resolve().parent / "schemas"
KINDS = {("", "v1"): ["ConfigMap", "Namespace", "Secret", "Service", "ServiceAccount"],
         ("apps", "v1"): ["Deployment", "StatefulSet"],
         ("networking.k8s.io", "v1"): ["NetworkPolicy"],
         ("policy", "v1"): ["PodDisruptionBudget"],
         ("rbac.authorization.k8s.io", "v1"): ["Role", "RoleBinding"]}
KEPT = ("type", "required", "enum", "items", "properties", "additionalProperties", "format", "$ref", "minimum", "maximum",
        "pattern", "minLength", "maxLength", "minItems", "anyOf")
ANY_NUMBER_OR_TEXT = {"anyOf": [{"type": "integer"}, {"type": "string"}]}


def trimmed(schema, found):
    """What constrains values. References are noted in `found`; objects with named fields allow no others."""
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return ANY_NUMBER_OR_TEXT
    kept = {key: schema[key] for key in KEPT if key in schema}
    kept.pop("format", None)
    if "$ref" in kept:
        name = kept["$ref"].rsplit("/", 1)[1]
        found.add(name)
        return {"$ref": f"#/definitions/{name}"}
    if "properties" in kept:
        kept["properties"] = {key: trimmed(value, found) for key, value in kept["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            kept["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = trimmed(kept[key], found)
    return kept


def write(name, schema):
    (TARGET / f"{name}.json").write_text(json.dumps(schema, indent=None, separators=(",", ":"), sort_keys=True) + "\n")


def write_builtin(swagger):
    definitions, wanted, kinds = swagger["definitions"], set(), {}
    for name, definition in definitions.items():
        for known in definition.get("x-kubernetes-group-version-kind", []):
            if known["kind"] in KINDS.get((known["group"], known["version"]), []):
                kinds[f"{known['group']}/{known['version']}/{known['kind']}".lstrip("/")] = name
                wanted.add(name)
    result, done = {}, set()
    while wanted - done:
        name = sorted(wanted - done)[0]
        done.add(name)
        # A quantity may be a number in YAML; the API server turns it into text.
        result[name] = ANY_NUMBER_OR_TEXT if name.endswith(".Quantity") else trimmed(definitions[name], wanted)
    write("kubernetes", {"definitions": result, "kinds": kinds})


def write_custom(file):
    resource = yaml.safe_load(Path(file).read_text())["spec"]
    names = resource["names"]
    for version in resource["versions"]:
        if version["storage"]:
            schema = trimmed(version["schema"]["openAPIV3Schema"], set())
            schema["properties"]["metadata"] = {"type": "object"}
            schema.setdefault("required", []).extend(["apiVersion", "kind", "metadata"])
            write(f"{resource['group']}.{version['name']}.{names['kind']}", schema)


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    write_builtin(json.loads(Path(sys.argv[1]).read_text()))
    for crd in sys.argv[2:]:
        write_custom(crd)
