#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the package comity_engine and the stubs that it needs into a folder.

usage: install.py FOLDER [--proto FOLDER]

The stubs are made from the .proto files of this tree (or of --proto) by protoc and its Python
plugin for gRPC (Debian: protobuf-compiler, protobuf-compiler-grpc). To use the package, name FOLDER
in PYTHONPATH, or install into a folder that Python searches. It runs on Debian's python3-grpcio and
python3-protobuf. What is there from an earlier installation is replaced.
"""
import argparse
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROTO = HERE.parents[2] / "proto"
STUBS = ("types", "recognition")  # all that an engine speaks


def find_program(name, package):
    path = shutil.which(name)
    if path is None:
        raise SystemExit(f"install.py: {name} is missing; apt-get install {package}")
    return path


def make_stubs(proto, folder):
    protoc = find_program("protoc", "protobuf-compiler")
    plugin = find_program("grpc_python_plugin", "protobuf-compiler-grpc")
    subprocess.run(
        [protoc, f"-I{proto}", f"--python_out={folder}", f"--grpc_python_out={folder}",
         f"--plugin=protoc-gen-grpc_python={plugin}",
         *(f"comity/v1/{name}.proto" for name in STUBS)],
        check=True)


def install(folder, proto=PROTO):
    folder = Path(folder)
    for old in ("comity_engine", "comity"):
        shutil.rmtree(folder / old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(HERE / "comity_engine", folder / "comity_engine",
                    ignore=shutil.ignore_patterns("__pycache__"))
    make_stubs(proto, folder)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--proto", metavar="FOLDER", default=PROTO, type=Path)
    options = parser.parse_args()
    if not (options.proto / "comity/v1/recognition.proto").is_file():
        raise SystemExit(f"install.py: {options.proto}: no comity/v1/recognition.proto there")
    install(options.folder, options.proto)
    print(f"comity_engine is in {options.folder}; use it with PYTHONPATH={options.folder}")


if __name__ == "__main__":
    sys.exit(main())
