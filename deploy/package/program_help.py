# SPDX-License-Identifier: Apache-2.0
"""What `comity` and `comityd` say of themselves by --help, read into values.

Man pages and completions are made of it, so that they say what the programs say. A line that is not
understood is an error: a page that lacks something would be worse than none.
"""
import re
import subprocess
from dataclasses import dataclass, field

OPTION_LINE = re.compile(r"^  (\S.*?)(?:  +(\S.*))?$")
CONTINUED = re.compile(r"^ {6,}(\S.*)$")
EXIT_CODE = re.compile(r"^  (\d)  (\S.*)$")
REQUIRED = " (required)"
SECTIONS = ("Positionals:", "Options:", "Subcommands:")


class HelpFault(Exception):
    """The text of --help is not of the form that is known."""


@dataclass
class Option:
    """An option, or an argument by its place: then `flags` is its name without dashes."""

    flags: list
    value: str
    help: str
    required: bool


@dataclass
class Command:
    """`words`: as typed after the program; of the program itself none."""

    words: tuple
    summary: str
    usage: str
    positionals: list = field(default_factory=list)
    options: list = field(default_factory=list)
    commands: list = field(default_factory=list)  # of Command
    detail: str = ""
    exit_codes: list = field(default_factory=list)  # (code, text)
    example: str = ""


def ask(program, *words):
    """Standard output of the program, which must succeed."""
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise HelpFault(f"{program} {' '.join(words)}: {done.returncode} {done.stderr}")
    return done.stdout


def read_entries(lines, where):
    """Pairs of what stands left and its explanation."""
    entries = []
    for line in lines:
        further, entry = CONTINUED.match(line), OPTION_LINE.match(line)
        if further and entries:
            left, right = entries[-1]
            entries[-1] = (left, (right + " " + further.group(1)).strip())
        elif entry:
            entries.append((entry.group(1), entry.group(2) or ""))
        else:
            raise HelpFault(f"{where}: not understood: {line!r}")
    return entries


def read_option(left, right):
    required = left.endswith(REQUIRED)
    flags, _, value = left.removesuffix(REQUIRED).partition(" ")
    return Option(flags.split(","), value, right, required)


def split_sections(lines):
    """The sections by name, and what stands after them."""
    sections, current = {}, None
    for index, line in enumerate(lines):
        if line in SECTIONS:
            current = sections.setdefault(line, [])
        elif line and not line.startswith(" "):
            return sections, lines[index:]
        elif line and current is not None:
            current.append(line)
    return sections, []


def read_footer(command, lines):
    text = "\n".join(lines)
    before, _, example = text.partition("\nExample:\n")
    detail, found, codes = before.partition("\nExit codes:\n")
    command.detail = detail.strip()
    command.example = example.strip("\n")
    for line in codes.splitlines() if found else []:
        match = EXIT_CODE.match(line)
        if line and not match:
            raise HelpFault(f"{command.words}: no exit code: {line!r}")
        if match:
            command.exit_codes.append((match.group(1), match.group(2)))


def parse(text, words):
    """The command of one --help text, and the names of the commands below it."""
    lines = text.splitlines()
    usages = [index for index, line in enumerate(lines) if line.startswith("Usage: ")]
    if not usages:
        raise HelpFault(f"{words}: no line 'Usage:'")
    command = Command(words, " ".join(lines[:usages[0]]).strip(),
                      lines[usages[0]].removeprefix("Usage: "))
    sections, footer = split_sections(lines[usages[0] + 1:])
    where = " ".join(words) or "the program"
    for name, kept in (("Positionals:", command.positionals), ("Options:", command.options)):
        for entry in read_entries(sections.get(name, []), where):
            kept.append(read_option(*entry))
    read_footer(command, footer)
    return command, [left for left, _ in read_entries(sections.get("Subcommands:", []), where)]


def load(program, words=()):
    """The command line of the program, with every command below it."""
    command, names = parse(ask(program, *words, "--help"), words)
    command.commands = [load(program, (*words, name)) for name in names]
    return command
