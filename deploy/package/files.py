#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the files of the packages that are not in the tree, beside programs that are built.

usage: files.py --build DIR --maintainer 'NAME <ADDRESS>' [--root DIR]
       DIR/package gets man pages, completions, bills of materials, notices, changelogs, the client
       exit 0: made, 1: a step failed, 2: wrong usage
"""
import argparse
import gzip
import json
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import completions
import linked_packages
import man_pages
import program_help
import reference_page
import sbom

PACKAGES = {"comity": "bin/comity", "comity-gateway": "bin/comityd"}
ENGINE_PACKAGE = "python3-comity-engine"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "deploy/engine/python"))
import install as engine_install  # noqa: E402


def newest_entry(changelog):
    """Version of the package, and time in seconds, of the first entry of a Debian changelog."""
    lines = changelog.read_text(encoding="utf-8").splitlines()
    version = lines[0].split("(")[1].split(")")[0]
    signed = next(line for line in lines if line.startswith(" -- "))
    return version, int(parsedate_to_datetime(signed.split(">  ")[1]).timestamp())


def signed_by(changelog, maintainer):
    """The changelog, its entries signed by whoever makes these packages: the tree names nobody."""
    text = changelog.read_text(encoding="utf-8")
    return re.sub(r"(?m)^ -- .*>  ", lambda _: f" -- {maintainer}  ", text).encode()


def changelogs(root, documents, maintainer):
    compress((root / "CHANGELOG.md").read_bytes(), documents / "changelog.gz")
    compress(signed_by(HERE / "changelog", maintainer), documents / "changelog.Debian.gz")


def compress(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(source, 9, mtime=0))


def notices(bill):
    """The terms of everything that is compiled in."""
    parts = []
    for component in json.loads(bill.read_text(encoding="utf-8"))["components"]:
        facts = {fact["name"]: fact["value"] for fact in component["properties"]}
        if facts["comity:linkage"] == "compiled-in":
            terms = Path("/usr/share/doc", component["name"], "copyright").read_bytes()
            title = f"{component['name']} {component['version']}\n".encode()
            parts.append(title + b"=" * (len(title) - 1) + b"\n" + terms)
    return b"\n\n".join(parts)


def reference(root):
    """Rules of the configuration's file, with its keys as the code says them."""
    rules = (root / "docs/formats/configuration.md").read_text(encoding="utf-8")
    keys = (root / "docs/operations/configuration.md").read_text(encoding="utf-8")
    before, _, after = rules.partition("## Keys\n")
    return before + "## Keys\n" + keys.partition("## Keys\n")[2] + "\n" + \
        after[after.index("## Downsides"):]


def make(build, root, maintainer):
    out = build / "package"
    shutil.rmtree(out, ignore_errors=True)
    version, epoch = newest_entry(HERE / "changelog")
    upstream = version.rpartition("-")[0]
    day = datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%d")
    program = program_help.load(str(build / "bin/comity"))
    man_pages.write_all(program, program_help.ask(str(build / "bin/comityd"), "--help"),
                        reference(root), day,
                        out / "man")
    completions.write_all(program, out / "completions")
    for name, target in PACKAGES.items():
        documents = out / "doc" / name
        changelogs(root, documents, maintainer)
        bill = documents / "sbom.cdx.json"
        sbom.write(build, target, upstream, epoch, bill)
        compress(notices(bill), documents / "notices.gz")
    changelogs(root, out / "doc" / ENGINE_PACKAGE, maintainer)
    engine_install.install(out / "python", root / "proto")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--root", default=HERE.parents[1], type=Path)
    parser.add_argument("--maintainer", required=True)
    given = parser.parse_args()
    try:
        make(given.build.resolve(), given.root.resolve(), given.maintainer)
    except (program_help.HelpFault, reference_page.ReferenceFault, linked_packages.LinkFault,
            subprocess.CalledProcessError, OSError) as fault:
        print(f"files.py: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
