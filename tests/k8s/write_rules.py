#!/usr/bin/env python3
"""Writes k8s/components/monitoring/rules.yaml from the rule files of monitoring/prometheus (`./dev k8s --write`).

Kustomize cannot put one YAML file into another, and Prometheus and its operator want the same groups in different
wrappers. A test compares the result, so the two cannot part.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "k8s" / "components" / "monitoring" / "rules.yaml"
HEAD = """\
# Written by `./dev k8s --write` from monitoring/prometheus/rules/{name}; change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: parley-{stem}
  labels:
    app.kubernetes.io/name: parley
    app.kubernetes.io/part-of: parley
    app.kubernetes.io/managed-by: kustomize
spec:
"""


def rules_text():
    parts = []
    for file in sorted((ROOT / "monitoring" / "prometheus" / "rules").glob("*.yml")):
        lines = file.read_text().splitlines()
        body = lines[lines.index("groups:"):]
        parts.append(HEAD.format(name=file.name, stem=file.stem) + "".join(f"  {line}".rstrip() + "\n" for line in body))
    return "---\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(rules_text())
    print(f"wrote {TARGET.relative_to(ROOT)}")
