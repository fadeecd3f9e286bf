# SPDX-License-Identifier: Apache-2.0
"""The man pages: what the programs say of themselves, and the configuration's reference."""
import gzip
import re

import program_help
import reference_page
from roff import bold, code_block, escape, heading, page_head, paragraph, tagged

# A heading begins a paragraph itself.
AFTER_HEADING = re.compile(r"^(\.S[HS] .*\n)\.PP\n", re.MULTILINE)
PROGRAM_EXITS = re.compile(r"(\d) ([^,.]+)")


def option_tag(option):
    flags = ", ".join(bold(flag) for flag in option.flags)
    value = f" \\fI{escape(option.value)}\\fR" if option.value else ""
    return flags + value


def options_text(options):
    parts = []
    for option in options:
        if "--help" in option.flags and len(options) > 1:
            continue  # every command has it
        required = "; required" if option.required else ""
        parts.append(tagged(option_tag(option), escape(option.help + required)))
    return "".join(parts)


def positional_tag(option):
    return f"\\fI{escape(option.value or option.flags[0])}\\fR"


def synopsis(command):
    words = bold("comity " + " ".join(command.words)) if command.words else bold("comity")
    if command.commands:
        return f"{words} \\fICOMMAND\\fR [\\fIOPTION\\fR]..."
    required = [f"{bold(option.flags[0])} \\fI{escape(option.value)}\\fR"
                for option in command.options if option.required]
    places = [positional_tag(option) if option.required else f"[{positional_tag(option)}]"
              for option in command.positionals]
    return " ".join([words, *required, *places, "[\\fIOPTION\\fR]..."])


def command_body(command, level):
    """Everything that --help says of one command but its name."""
    parts = [paragraph(command.detail)]
    for option in command.positionals:
        parts.append(tagged(positional_tag(option), escape(option.help)))
    parts.append(options_text(command.options))
    if command.exit_codes:
        parts.append(heading("Exit status", level))
        parts += [tagged(bold(code), escape(text)) for code, text in command.exit_codes]
    if command.example:
        parts.append(heading("Example", level) + code_block(command.example))
    return "".join(parts)


def sections_of(command):
    """One section for each command of a group."""
    parts = []
    for below in command.commands:
        parts.append(heading("comity " + " ".join(below.words), 1))
        parts.append(paragraph(below.summary[:1].upper() + below.summary[1:] + "."))
        parts.append(f".PP\n{synopsis(below)}\n" + command_body(below, 2))
    return "".join(parts)


def topic_page(command, date):
    name = "comity-" + "-".join(command.words)
    text = page_head(name, 1, date) + heading("Name", 1)
    text += f"{escape(name)} \\- {escape(command.summary)}\n" + heading("Synopsis", 1)
    if command.commands:
        text += "".join(f"{'.br' + chr(10) if index else ''}{synopsis(below)}\n"
                        for index, below in enumerate(command.commands))
        text += sections_of(command)
    else:
        text += synopsis(command) + "\n" + heading("Description", 1) + command_body(command, 1)
    return name + ".1", text + heading("See also", 1) + see_also("comity(1)", "comityd(8)")


def see_also(*pages):
    names = [f"{bold(page.partition('(')[0])}({page.partition('(')[2]}" for page in pages]
    return ",\n".join(names) + "\n"


def overview_page(program, date):
    text = page_head("comity", 1, date) + heading("Name", 1)
    text += "comity \\- command line of a Comity gateway\n" + heading("Synopsis", 1)
    text += synopsis(program) + "\n" + heading("Description", 1)
    text += paragraph("The command line for officers, signatories, operators, administrators and "
                      "auditors of an agency. What is marked as offline in the pages of the "
                      "commands needs no gateway.")
    text += heading("Options", 1) + options_text(program.options) + heading("Commands", 1)
    for topic in program.commands:
        page = "comity-" + topic.words[0]
        below = ", ".join(bold(command.words[-1]) for command in topic.commands)
        listed = f" ({below})" if below else ""
        text += tagged(f"{bold(topic.words[0])}{listed}",
                       f"{escape(topic.summary)}; see {bold(page)}(1)")
    text += heading("Exit status", 1)
    for code, meaning in PROGRAM_EXITS.findall(" ".join(program.detail.split())):
        text += tagged(bold(code), escape(meaning.strip()))
    text += heading("Environment", 1)
    text += tagged(bold("COMITY_PROFILE"),
                   "the profile that is used without \\fB\\-\\-profile\\fR: which gateway, "
                   "and as whom")
    return "comity.1", text + heading("See also", 1) + see_also("comityd(8)", "comityd.toml(5)")


def daemon_page(usage_text, date):
    """comityd writes its --help itself: usage, a sentence, options, exit status."""
    blocks = [block for block in usage_text.split("\n\n") if block.strip()]
    if len(blocks) != 4 or not blocks[0].startswith("usage: comityd "):
        raise program_help.HelpFault("comityd --help: four blocks are known: usage, what it does, "
                                     "options, log and exit status")
    usage, about, options, log = blocks
    text = page_head("comityd", 8, date) + heading("Name", 1)
    text += "comityd \\- gateway of one agency\n" + heading("Synopsis", 1)
    text += escape(usage.removeprefix("usage: ").strip()) + "\n"
    text += heading("Description", 1) + paragraph(about) + heading("Options", 1)
    for left, right in program_help.read_entries(options.splitlines(), "comityd"):
        text += options_text([program_help.read_option(left, right)])
    text += heading("Log and exit status", 1) + paragraph(log) + heading("Files", 1)
    text += tagged("\\fI/etc/comity/comityd.toml\\fR", "the configuration that the unit "
                   + bold("comityd.service") + " names; see " + bold("comityd.toml") + "(5)")
    text += tagged("\\fI/var/lib/comity\\fR", "the data, by the configuration of "
                   "\\fI/usr/share/doc/comity/docs/operations/installing.md\\fR")
    return "comityd.8", text + heading("See also", 1) + see_also("comity(1)", "comityd.toml(5)")


def write(folder, name, text):
    path = folder / f"man{name[-1]}" / (name + ".gz")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = AFTER_HEADING.sub(r"\1", text)
    path.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))


def write_all(program, daemon_usage, reference, date, out):
    """Pages of both packages. `reference`: docs/formats/configuration.md; `date`: 2026-11-26."""
    pages = {"comity": [overview_page(program, date)],
             "gateway": [daemon_page(daemon_usage, date), reference_page.page(reference, date)]}
    pages["comity"] += [topic_page(topic, date) for topic in program.commands]
    for package, made in pages.items():
        for name, text in made:
            write(out / package, name, text)
