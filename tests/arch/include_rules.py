# SPDX-License-Identifier: Apache-2.0
"""Who includes whom: the include table holds, and has no cycle."""
import os
import re
from fnmatch import fnmatchcase

from tree import SOURCE_FOLDERS, Finding, within

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
PRODUCTION = ("crypto", "policy", "services")


def includes_of(tree, path):
    for number, line in enumerate(tree.lines(path), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def check_table(tree, table):
    """Every row names known folders, and following the rows never leads back."""
    place = "tests/arch/include_table.json"
    for name, row in table.rows.items():
        for item in row:
            if item not in table.rows:
                yield Finding(place, 0, f"row {name} names {item}, which has no row")
    for cycle in find_cycles(table.rows):
        yield Finding(place, 0, "cycle: " + " -> ".join(cycle))


def find_cycles(rows):
    done, cycles = set(), []

    def visit(name, way):
        if name in way:
            cycles.append(way[way.index(name):] + [name])
        elif name not in done:
            for item in rows.get(name, []):
                visit(item, way + [name])
            done.add(name)

    for name in rows:
        visit(name, [])
    return cycles


def check_includes(tree, table):
    for path in tree.code():
        for number, quoted, header in includes_of(tree, path):
            if quoted:
                yield from check_own(table, path, number, header)
            if path.split("/")[0] in PRODUCTION:
                yield from check_banned(table, path, number, header)


def check_own(table, path, number, header):
    """A quoted include names a file from the repository root that the folder's row allows."""
    target = folder_of_header(table, header)
    if target is None:
        yield Finding(path, number, f'"{header}" is not a path from the repository root')
    elif path.split("/")[0] in PRODUCTION:
        source = table.row_of(os.path.dirname(path))
        if source is None:
            yield Finding(path, number, f"{os.path.dirname(path)} has no row in the include table")
        elif target != source and target not in table.rows[source]:
            yield Finding(path, number, f'{source} may not include {target} ("{header}")')


def folder_of_header(table, header):
    for prefix, folder in table["generated_headers"].items():
        if header.startswith(prefix):
            return folder
    if header.split("/")[0] not in SOURCE_FOLDERS:
        return None
    return table.row_of(os.path.dirname(header)) or os.path.dirname(header)


def check_banned(table, path, number, header):
    for rule in table["banned_headers"]:
        if fnmatchcase(header, rule["header"]) and not within(path, rule["only"]):
            where = ", ".join(rule["only"]) or "nowhere"
            yield Finding(path, number, f"{header} may be included in: {where}")
    pure = table["pure"]
    if within(path, pure["folders"]):
        if any(fnmatchcase(header, pattern) for pattern in pure["banned_headers"]):
            yield Finding(path, number, f"{header}: a pure folder does no I/O and has no threads")
