# SPDX-License-Identifier: Apache-2.0
"""Which Debian packages a program is made of: shared libraries, and what was compiled into it."""
import os
import re
import subprocess
from dataclasses import dataclass, field

LIBRARY = re.compile(r"^\s*(\S+) => (/\S+) \(0x|^\s*(/\S*ld-linux\S*) \(0x")
NEEDED = re.compile(r"\(NEEDED\).*\[(\S+)\]")
# What belongs to the build and leaves nothing in the program.
STATIC = re.compile(r"^/usr/lib/.*\.(a|h|hpp)$|^/usr/include/.*")


class LinkFault(Exception):
    """A program or library was not found, or belongs to no package."""


@dataclass
class Package:
    name: str
    version: str
    source: str
    source_version: str
    architecture: str
    files: list = field(default_factory=list)  # paths, as linked or compiled in
    shared: bool = True                        # False: headers and static libraries
    needs: set = field(default_factory=set)    # names of packages


def output_of(*command):
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise LinkFault(f"{' '.join(command)[:200]}: {done.stderr.strip()[:400]}")
    return done.stdout


def libraries_of(program):
    """soname -> path of every shared library that the loader takes."""
    found = {}
    for line in output_of("ldd", program).splitlines():
        if "not found" in line:
            raise LinkFault(f"{program}: {line.strip()}")
        match = LIBRARY.match(line)
        if match:
            path = match.group(2) or match.group(3)
            found[os.path.basename(match.group(1) or path)] = path
    return found


def owners(paths):
    """path -> package. A link (merged /usr, alternatives) counts as what it leads to."""
    real = {path: os.path.realpath(path) for path in paths}
    names = {}  # each name by which dpkg may know a file -> the path
    for path, end in real.items():
        for name in {path, end, end.removeprefix("/usr"), "/usr" + path}:
            names[name] = path
    # Not every name is known: what it prints counts, not how it ends.
    listed = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True,
                            check=False, env=dict(os.environ, LC_ALL="C.UTF-8")).stdout
    found = {}
    for line in listed.splitlines():
        package, _, name = line.rpartition(": ")
        if name in names and not package.startswith("diversion "):
            found[names[name]] = package.split(",")[0]
    missing = sorted(set(paths) - set(found))
    if missing:
        raise LinkFault(f"of no Debian package: {', '.join(missing[:5])}")
    return found


def describe(names):
    """package -> Package."""
    form = ("${Package}|${Version}|${source:Package}|${source:Version}|${Architecture}\\n")
    lines = output_of("dpkg-query", "-W", "-f", form, *sorted(names)).splitlines()
    return {values[0]: Package(*values) for values in (line.split("|") for line in lines)}


def shared_packages(program):
    """Packages of the shared libraries, and those that the program itself names."""
    libraries = libraries_of(program)
    owner = owners(libraries.values())
    packages = describe(set(owner.values()))
    by_soname = {soname: packages[owner[path].split(":")[0]] for soname, path in libraries.items()}
    direct = set()
    for soname, path in [("", program), *libraries.items()]:
        needed = {by_soname[name].name for name in needed_by(path) if name in by_soname}
        if not soname:
            direct = needed
            continue
        package = by_soname[soname]
        package.files.append(path)
        package.needs |= needed - {package.name}
    return packages, direct


def needed_by(path):
    return NEEDED.findall(output_of("readelf", "-d", path))


def compiled_in(build, target, known_sources):
    """Packages of headers and static libraries of a target, whose source is in no shared library.

    `build` is a Ninja build folder in which the target is up to date; -n: nothing is written there.
    """
    inputs = output_of("ninja", "-n", "-C", build, "-t", "inputs", target).splitlines()
    objects = [line for line in inputs if line.endswith((".o", ".gch"))]
    paths = {line for line in inputs if STATIC.match(line)}
    for line in output_of("ninja", "-n", "-C", build, "-t", "deps", *objects).splitlines():
        if line.startswith("    "):
            path = os.path.realpath(os.path.join(build, line.strip()))
            if STATIC.match(path):
                paths.add(path)
    owner = owners(paths)
    packages = describe(set(owner.values()))
    for path, name in owner.items():
        packages[name.split(":")[0]].files.append(path)
    kept = {name: package for name, package in packages.items()
            if package.source not in known_sources}
    for package in kept.values():
        package.shared = False
    return kept
