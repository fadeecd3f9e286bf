# SPDX-License-Identifier: Apache-2.0
"""The software bill of materials (CycloneDX 1.5, JSON) of one program that was built here.

Listed are the packages of the shared libraries that the loader takes, with their exact versions
and what needs what, and those that only gave headers or static libraries. Nothing in it depends on
when or in which folder it was made.
"""
import datetime
import hashlib
import json
import urllib.parse
import uuid
from pathlib import Path

import linked_packages

NAMESPACE = uuid.UUID("3f0f4f2e-6f0c-5c0e-9d5b-0b8b8f6b5a11")  # of this project's bills, by chance


def distribution():
    fields = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines()
                  if "=" in line)
    return f'{fields["ID"]}-{fields["VERSION_ID"]}'.replace('"', "")


def purl_of(package, distro):
    version = urllib.parse.quote(package.version, safe="~")
    name = urllib.parse.quote(package.name, safe="~")
    return f"pkg:deb/debian/{name}@{version}?arch={package.architecture}&distro={distro}"


def sha256_of(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def component(package, purl):
    facts = [("comity:linkage", "shared" if package.shared else "compiled-in"),
             ("debian:source", package.source), ("debian:source-version", package.source_version)]
    made = {"type": "library", "bom-ref": purl, "name": package.name, "version": package.version,
            "purl": purl, "scope": "required",
            "properties": [{"name": name, "value": value} for name, value in facts]}
    if package.shared:
        made["components"] = [
            {"type": "file", "bom-ref": f"{purl}#{Path(path).name}", "name": path,
             "hashes": [{"alg": "SHA-256", "content": sha256_of(path)}]}
            for path in sorted(package.files)]
    return made


def bill(program, version, epoch, packages, direct):
    distro = distribution()
    purls = {name: purl_of(package, distro) for name, package in packages.items()}
    own = f"pkg:generic/{program}@{version}"
    direct |= {name for name, package in packages.items() if not package.shared}
    depends = [{"ref": own, "dependsOn": sorted(purls[name] for name in direct)}]
    for name, package in sorted(packages.items()):
        needs = sorted(purls[need] for need in package.needs)
        depends.append({"ref": purls[name], "dependsOn": needs})
    time = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    content = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "bom-ref": own, "name": program,
                          "version": version, "purl": own,
                          "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": [component(packages[name], purls[name]) for name in sorted(packages)],
        "dependencies": depends}
    digest = json.dumps(content, sort_keys=True)
    return {"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
            "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, digest)}", **content}


def write(build, target, version, epoch, out):
    """`target`: a program as Ninja names it, bin/comityd; up to date in the folder `build`."""
    program = str(build / target)
    packages, direct = linked_packages.shared_packages(program)
    sources = {package.source for package in packages.values()}
    packages.update(linked_packages.compiled_in(str(build), target, sources))
    made = bill(Path(program).name, version, epoch, packages, direct)
    out.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
