# SPDX-License-Identifier: Apache-2.0
"""The few man(7) macros that the pages use. All text goes through escape()."""


def escape(text):
    """Text as it is, whatever it begins with: no macro, no escape, a copyable hyphen."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\`")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    return "\n".join("\\&" + line if line.startswith(".") else line for line in text.split("\n"))


def bold(text):
    return f"\\fB{escape(text)}\\fR"


def page_head(name, section, date):
    return (".\\\" Made when the package was built; do not edit.\n"
            f'.TH {escape(name).upper()} {section} "{date}" "Comity" "Comity"\n.nh\n.ad l\n')


def heading(text, level):
    return f'.{"SH" if level == 1 else "SS"} "{escape(text.upper() if level == 1 else text)}"\n'


def paragraph(text):
    """Paragraphs of prose; the lines of one are filled anew."""
    blocks = [block.strip() for block in text.split("\n\n")]
    return "".join(f".PP\n{escape(block)}\n" for block in blocks if block)


def tagged(tag, text):
    """`tag` and `text` are roff already."""
    return f".TP\n{tag}\n{text or '(no further explanation)'}\n"


def code_block(text):
    return f".PP\n.nf\n{escape(text)}\n.fi\n"
