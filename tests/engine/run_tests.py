#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of the Python package for engines.

usage: run_tests.py --bin FOLDER [TEST...]

exit 0: passed, 1: failed, 2: packages are missing; the output names them
"""
import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINE = HERE.parents[1] / "deploy/engine"
MISSING = 2


def missing():
    """What these tests need and this machine lacks."""
    modules = {"grpc": "python3-grpcio", "google.protobuf": "python3-protobuf"}
    programs = {"protoc": "protobuf-compiler", "grpc_python_plugin": "protobuf-compiler-grpc"}
    lacking = [package for name, package in programs.items() if shutil.which(name) is None]
    for name, package in modules.items():
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            lacking.append(package)
    return lacking


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, type=Path)
    parser.add_argument("tests", metavar="TEST", nargs="*")
    options = parser.parse_args()
    lacking = missing()
    if lacking:
        print(f"not installed for {sys.executable}: {', '.join(lacking)}")
        return MISSING
    os.environ["COMITY_BIN"] = str(options.bin.resolve())
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    with tempfile.TemporaryDirectory(prefix="comity-engine-") as site:
        sys.path[:0] = [site, str(ENGINE), str(ENGINE / "python"), str(HERE)]
        import install
        install.install(site)
        sys.path.remove(str(ENGINE / "python"))  # the installed copy is tested
        loader = unittest.defaultTestLoader
        suite = loader.loadTestsFromNames(options.tests) if options.tests else loader.discover(
            str(HERE), pattern="*_test.py")
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
