# SPDX-License-Identifier: Apache-2.0
"""comityd.toml(5), from docs/formats/configuration.md: its headings, prose, lists, tables, code."""
import re

from roff import code_block, escape, heading, page_head, tagged

MARK = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)]+)\)")


class ReferenceFault(Exception):
    """The reference is not of the form that is known."""


def inline(text):
    """Code and strong text bold, emphasis italic, links as their text."""
    parts, end = [], 0
    for mark in MARK.finditer(text):
        code, strong, emphasis, link, _ = mark.groups()
        parts.append(escape(text[end:mark.start()]))
        parts.append(f"\\fI{escape(emphasis)}\\fR" if emphasis
                     else escape(link) if link else f"\\fB{escape(code or strong)}\\fR")
        end = mark.end()
    joined = "".join(parts) + escape(text[end:])
    return "\\&" + joined if joined.startswith(".") else joined


def table(rows):
    """A table of keys: the first column is the tag, the others follow, named by the heading."""
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
             for row in rows]
    if len(cells) < 3 or any(len(row) != len(cells[0]) for row in cells):
        raise ReferenceFault(f"a table is not understood: {rows[0]}")
    names, text = cells[0], ""
    for row in cells[2:]:
        facts = [f"{name}: {cell}" for name, cell in zip(names[1:-1], row[1:-1]) if cell]
        text += tagged(inline(row[0]), inline("; ".join(facts) + ".") + "\n.br\n" + inline(row[-1]))
    return text


def blocks(text):
    """(kind, lines): heading, code, table, item, prose."""
    kind, lines = "", []
    for line in text.splitlines() + [""]:
        starts = ("code" if line.startswith("```") else "heading" if line.startswith("#")
                  else "table" if line.startswith("|") else "item" if line.startswith("* ") else "")
        if kind == "code":
            if starts == "code":
                yield kind, lines
                kind, lines = "", []
            else:
                lines.append(line)
            continue
        if not line or (starts and (starts != kind or starts != "table")):
            if lines or kind:
                yield kind or "prose", lines
            kind, lines = "", []
        if line:
            kind = starts or kind or "prose"
            if starts != "code":
                lines.append(line)


def render(kind, lines):
    if kind == "heading":
        title = lines[0].lstrip("#").strip().replace("`", "")
        depth = len(lines[0]) - len(lines[0].lstrip("#"))
        return heading(title, 1 if depth <= 2 else 2)
    if kind == "table":
        return table(lines)
    if kind == "code":
        return code_block("\n".join(lines))
    prose = inline(" ".join(line.strip() for line in lines).removeprefix("* "))
    return f".IP \\(bu 2\n{prose}\n" if kind == "item" else f".PP\n{prose}\n"


def page(reference, date):
    """Name and text of the man page."""
    parts = list(blocks(reference))
    if not parts or parts[0][0] != "heading":
        raise ReferenceFault("the reference does not begin with its title")
    text = page_head("comityd.toml", 5, date) + heading("Name", 1)
    text += "comityd.toml \\- configuration of a Comity gateway\n" + heading("Description", 1)
    text += "".join(render(kind, lines) for kind, lines in parts[1:])
    text += heading("See also", 1) + "\\fBcomityd\\fR(8),\n\\fBcomity\\-pki\\fR(1)\n"
    return "comityd.toml.5", text
