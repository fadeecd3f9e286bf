#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one fault after another into a copy of the tree, and demands that a test notices each.

    run_planted.py [--only NAME] [--list]

A fault is a replacement of one piece of text, in faults.json. The copy is built in build/planted
with the compiler cache of the tree. Exit code: 0 each fault was caught, 1 one was not, 2 the list
is wrong.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "planted"
TREE = WORK / "tree"
BUILD = WORK / "build"


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def copy_tree():
    """The tracked files and those that would be; unchanged files keep their time for ninja."""
    listed = run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others",
                  "--exclude-standard"]).stdout
    wanted = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    if TREE.exists():
        for old in [p for p in TREE.rglob("*") if p.is_file()]:
            if str(old.relative_to(TREE)) not in wanted:
                old.unlink()
    for name in wanted:
        source, target = ROOT / name, TREE / name
        if not target.exists() or source.read_bytes() != target.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def environment():
    # Paths are relative to the copy, so that it shares the cache of the tree.
    return dict(os.environ, CCACHE_DIR=str(ROOT / "build/ccache"), CCACHE_BASEDIR=str(TREE),
                CCACHE_NOHASHDIR="1", CCACHE_SLOPPINESS="pch_defines,time_macros")


def build(targets):
    return run(["ninja", "-C", str(BUILD), *targets], env=environment())


def configure():
    return run(["cmake", "--preset", "quick", "-B", str(BUILD)], cwd=TREE, env=environment())


# A fault that only shows in time is looked for by a program under valgrind.
MEMCHECK = ["valgrind", "--quiet", "--error-limit=no", "--log-file=/dev/null",
            f"--suppressions={TREE / 'tests/constant_time/libsodium.supp'}"]


def test(fault):
    command = MEMCHECK if fault.get("valgrind") else []
    command = [*command, str(BUILD / fault["program"]), "--gtest_brief=1",
               "--gtest_fail_fast"]
    if "filter" in fault:
        command.append("--gtest_filter=" + fault["filter"])
    try:
        return run(command, timeout=180).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def target_of(fault):
    return pathlib.Path(fault["program"]).name


def fail(message, output=""):
    print(message)
    print("\n".join(output.splitlines()[-25:]))
    sys.exit(2)


def check_sound(faults):
    """Without a fault every test passes, else a failure would prove nothing."""
    result = build(sorted({target_of(fault) for fault in faults}))
    if result.returncode != 0:
        fail("the tree does not build without a fault", result.stdout)
    runs = {(fault["program"], fault.get("filter")): fault for fault in faults}
    for fault in runs.values():
        if not test(fault):
            fail(f"{fault['name']}: its test fails without the fault already")


def plant(fault):
    """True if the suite caught it: a test fails. A fault that does not compile proves nothing."""
    path = TREE / fault["file"]
    sound = path.read_text()
    try:
        path.write_text(sound.replace(fault["find"], fault["replace"]))
        result = build([target_of(fault)])
        if result.returncode != 0:
            fail(f"{fault['name']}: does not compile", result.stdout)
        return not test(fault)
    finally:
        path.write_text(sound)


def check_list(faults):
    names = [fault["name"] for fault in faults]
    if len(set(names)) != len(names):
        fail("two faults have one name")
    for fault in faults:
        folder = (ROOT / fault["program"]).parent
        if not re.search(rf"\b{target_of(fault)}\b", (folder / "CMakeLists.txt").read_text()):
            fail(f"{fault['name']}: {fault['program']} is no program of tests")
        count = (ROOT / fault["file"]).read_text().count(fault["find"])
        if count != 1:
            fail(f"{fault['name']}: its text stands {count} times in {fault['file']}, not once")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="one fault by its name")
    parser.add_argument("--list", action="store_true", help="check and print the list only")
    arguments = parser.parse_args()
    faults = json.loads((pathlib.Path(__file__).parent / "faults.json").read_text())
    check_list(faults)
    if arguments.only:
        faults = [fault for fault in faults if fault["name"] == arguments.only]
    if arguments.list:
        for fault in faults:
            print(f"{fault['name']:<40} {fault['about']}")
        return 0
    if not faults:
        fail("no such fault")
    WORK.mkdir(parents=True, exist_ok=True)
    copy_tree()
    result = configure()
    if result.returncode != 0:
        fail("the copy does not configure", result.stdout)
    check_sound(faults)
    missed = 0
    for number, fault in enumerate(faults, 1):
        start = time.monotonic()
        caught = plant(fault)
        missed += not caught
        print(f"[{number}/{len(faults)}] {'caught' if caught else 'MISSED'}: {fault['name']}"
              f" ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{len(faults) - missed} of {len(faults)} planted faults were caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
