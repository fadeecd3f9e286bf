#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The bills of materials in the built packages against CycloneDX's own schema.

usage: sbom_test.py [unittest's options]     packages: $COMITY_PACKAGES or build/release/packages
The schema comes from the npm package of the CycloneDX project, once, into build/cyclonedx_schema
($COMITY_SBOM_SCHEMA: a folder that has it already). Its octets are pinned here.
"""
import copy
import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

import jsonschema

import package_test

SOURCE = "@cyclonedx/cyclonedx-library@10.3.0"
FOLDER = Path(os.environ.get("COMITY_SBOM_SCHEMA", package_test.ROOT / "build/cyclonedx_schema"))
MAIN = "bom-1.5.SNAPSHOT.schema.json"
PINNED = {
    MAIN: "7e88444a06e0924f13dc3833cda313872c772763b47a4e1ac55e77992b8f0a44",
    "spdx.SNAPSHOT.schema.json": "4b345e2329f209f34e960ae2a8e7cb46a166907e6a45e94978565925dc47b359",
    "jsf-0.82.SNAPSHOT.schema.json":
        "8bae002c25e723db7ee1f26afde680ae1a2b1a8f6b4b4b0fd65dc3becb090aae",
}


def fetch():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder, SOURCE],
                       check=True, stdout=subprocess.DEVNULL, timeout=300)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as files:
            for name in PINNED:
                text = files.extractfile(f"package/res/schema/{name}").read()
                (FOLDER / name).write_bytes(text)


def schema(name):
    octets = (FOLDER / name).read_bytes()
    if hashlib.sha256(octets).hexdigest() != PINNED[name]:
        raise AssertionError(f"{FOLDER / name} is not the schema that is pinned")
    return json.loads(octets)


def validator():
    if not all((FOLDER / name).exists() for name in PINNED):
        fetch()
    main = schema(MAIN)
    known = {}
    for name in PINNED:
        known[f"http://cyclonedx.org/schema/{name}"] = schema(name)
    resolver = jsonschema.RefResolver.from_schema(main, store=known)
    return jsonschema.Draft7Validator(main, resolver=resolver,
                                      format_checker=jsonschema.draft7_format_checker)


class Bills(package_test.Packages):
    def setUp(self):
        self.rules = validator()

    def bill(self, name):
        path = self.files[name] / f"usr/share/doc/{name}/sbom.cdx.json"
        return json.loads(path.read_text())

    def faults(self, bill):
        return [f"{'/'.join(map(str, fault.path))}: {fault.message[:200]}"
                for fault in self.rules.iter_errors(bill)]

    def test_they_are_valid_cyclonedx(self):
        for name in package_test.NAMES:
            bill = self.bill(name)
            self.assertGreater(len(bill["components"]), 10, name)
            self.assertEqual(self.faults(bill), [], name)

    def test_what_is_not_valid_is_found(self):
        sound = self.bill("comity")

        def broken(change):
            bill = copy.deepcopy(sound)
            change(bill)
            return self.faults(bill)
        component = sound["components"][0]
        self.assertNotEqual(broken(lambda bill: bill["components"][0].pop("name")), [], component)
        self.assertNotEqual(broken(lambda bill: bill["components"][0].update(type="libary")), [])
        self.assertNotEqual(broken(lambda bill: bill.update(serialNumber="urn:uuid:1")), [])
        own = {"licenses": [{"license": {"id": "Apache-2"}}]}  # the list of SPDX is looked up
        self.assertNotEqual(broken(lambda bill: bill["metadata"]["component"].update(own)), [])


if __name__ == "__main__":
    unittest.main()
