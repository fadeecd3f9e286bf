#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alert rules and dashboard name the metrics that the gateway exports: all, and no others."""
import json
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy/package/monitoring"
NAME = re.compile(r"\bcomity_[a-z_]+\b")


def exported():
    """Names of metrics as they stand in the code that sets them."""
    names = set()
    for path in (ROOT / "services").rglob("*.cc"):
        names |= set(re.findall(r'"(comity_[a-z_]+)"', path.read_text()))
    return names


class Monitoring(unittest.TestCase):
    def test_code_exports_metrics(self):
        self.assertGreater(len(exported()), 8)

    def test_every_metric_is_explained(self):
        text = (ROOT / "docs/operations/running.md").read_text()
        explained = set(re.findall(r"^\| `(comity_[a-z_]+)`", text, re.MULTILINE))
        self.assertEqual(exported() ^ explained, set())

    def test_rules_watch_every_metric_and_no_other(self):
        text = (MONITORING / "comity.rules.yaml").read_text()
        self.assertEqual(exported() ^ set(NAME.findall(text)), set())

    def test_each_rule_says_what_to_do(self):
        rules = (MONITORING / "comity.rules.yaml").read_text().split("- alert: ")[1:]
        self.assertGreater(len(rules), 5)
        for rule in rules:
            for part in ("expr: ", "severity: ", "summary: ", "action: "):
                self.assertIn(part, rule)

    def test_dashboard_shows_every_metric_and_no_other(self):
        dashboard = json.loads((MONITORING / "comity.dashboard.json").read_text())
        shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertEqual(exported() ^ set(NAME.findall(" ".join(shown))), set())
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))


if __name__ == "__main__":
    unittest.main()
