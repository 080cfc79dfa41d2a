#!/usr/bin/env python3
"""Writes dashboards/*.json from sources/; --check only compares. The JSON is what Grafana's file provider and the Kubernetes
ConfigMaps take, so that nobody needs this script to use it."""

import json
import sys
from pathlib import Path

from sources import agent, broker, fleet, spend

FOLDER = Path(__file__).resolve().parent / "dashboards"


def main():
    is_check = sys.argv[1:] == ["--check"]
    stale = []
    for name, source in {"fleet": fleet, "broker": broker, "agent": agent, "spend": spend}.items():
        file, text = FOLDER / f"{name}.json", json.dumps(source.DASHBOARD, indent=2) + "\n"
        if is_check and (not file.exists() or file.read_text() != text):
            stale.append(file.name)
        elif not is_check:
            FOLDER.mkdir(exist_ok=True)
            file.write_text(text)
    if stale:
        sys.exit(f"not what sources/ makes: {', '.join(stale)}; run this script, or change sources/ instead of the JSON")


if __name__ == "__main__":
    main()
