# SPDX-License-Identifier: Apache-2.0
"""The source tree and the include table, as the rules see them."""
import json
import os
from dataclasses import dataclass
from pathlib import Path

# Build output and version control are not source.
SKIPPED_FOLDERS = {".git", "build", "__pycache__", "node_modules"}
SOURCE_FOLDERS = ("crypto", "policy", "services", "tests")
CODE_SUFFIXES = {".cc", ".h"}


@dataclass(frozen=True)
class Finding:
    """One broken rule at one place; `line` 0 means the whole file."""

    path: str
    line: int
    text: str

    def __str__(self):
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.text}"


class Tree:
    """Files under `root` with paths relative to it, read once."""

    def __init__(self, root):
        self.root = Path(root)
        self.files = sorted(self._walk())

    def _walk(self):
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = [name for name in subfolders if name not in SKIPPED_FOLDERS]
            for name in names:
                yield (Path(folder) / name).relative_to(self.root).as_posix()

    def code(self, *folders):
        """C++ files of the named top folders (all source folders when none is named)."""
        wanted = folders or SOURCE_FOLDERS
        return [path for path in self.files
                if path.split("/")[0] in wanted and Path(path).suffix in CODE_SUFFIXES]

    def lines(self, path):
        return self.text(path).splitlines()

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")


class Table:
    """include_table.json with the groups (@crypto) written out."""

    def __init__(self, path):
        self.data = json.loads(Path(path).read_text(encoding="utf-8"))
        written = self.data["folders"]
        grouped = [name for name in written if name not in self.data["by_name_only"]]
        self.rows = {name: self._expand(row, grouped) for name, row in written.items()}

    @staticmethod
    def _expand(row, grouped):
        expanded = []
        for item in row:
            group = item[1:] + "/" if item.startswith("@") else None
            expanded += [name for name in grouped if name.startswith(group)] if group else [item]
        return expanded

    def row_of(self, folder):
        """The nearest folder, from `folder` upwards, that has a row; None when there is none."""
        while folder and folder not in self.rows:
            folder = os.path.dirname(folder)
        return folder or None

    def __getitem__(self, key):
        return self.data[key]


def within(path, folders):
    """Whether `path` lies in one of `folders`."""
    return any(path == folder or path.startswith(folder + "/") for folder in folders)
