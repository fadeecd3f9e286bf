# SPDX-License-Identifier: Apache-2.0
"""Completions of `comity` for bash and zsh, from what the program says of itself."""
# Values of options that are names of files or folders; everything else is for the person to know.
FILE_VALUES = {"FILE", "CARD", "CONFIG", "KEYFILE", "KEY", "FILE|TEXT"}
FOLDER_VALUES = {"DIR"}

BASH_HEAD = """\
# bash completion of comity. Made when the package was built; do not edit.
# shellcheck shell=bash disable=SC2207

_comity() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local path="" word index skip=no words="" files="" folders=""
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ $skip == yes ]]; then
      skip=no
      continue
    fi
    if [[ " $(_comity_valued "$path") " == *" $word "* ]]; then
      skip=yes
    elif [[ $word != -* && " $(_comity_commands "$path") " == *" $word "* ]]; then
      path+=${path:+ }$word
    fi
  done
  case "$path" in
"""
BASH_TAIL = """\
  esac
  if [[ " $files " == *" $prev "* ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$cur"))
  elif [[ " $folders " == *" $prev "* ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -d -- "$cur"))
  elif [[ " $(_comity_valued "$path") " == *" $prev "* ]]; then
    return
  elif [[ $cur == -* || -n $(_comity_commands "$path") ]]; then
    COMPREPLY=($(compgen -W "$words $(_comity_commands "$path")" -- "$cur"))
  else
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}

complete -F _comity comity
"""


def every(command):
    yield command
    for below in command.commands:
        yield from every(below)


def flags_with(command, values):
    return [flag for option in command.options if option.value in values for flag in option.flags]


def bash_case(command):
    words = [flag for option in command.options for flag in option.flags]
    lines = [f'    "{" ".join(command.words)}")', f'      words="{" ".join(words)}"']
    for name, values in (("files", FILE_VALUES), ("folders", FOLDER_VALUES)):
        flags = flags_with(command, values)
        if flags:
            lines.append(f'      {name}="{" ".join(flags)}"')
    return "\n".join(lines + ["      ;;\n"])


def bash_lists(name, commands, listed):
    """A function that prints a list for the commands typed so far."""
    cases = "".join(f'    "{" ".join(command.words)}") echo "{" ".join(listed(command))}" ;;\n'
                    for command in commands if listed(command))
    return f'\n{name}() {{\n  case "$1" in\n{cases}  esac\n}}\n'


def flags_valued(command):
    return [flag for option in command.options if option.value for flag in option.flags]


def names_below(command):
    return [below.words[-1] for below in command.commands]


def bash_text(program):
    commands = list(every(program))
    return (BASH_HEAD + "".join(map(bash_case, commands)) + BASH_TAIL
            + bash_lists("_comity_valued", commands, flags_valued)
            + bash_lists("_comity_commands", commands, names_below))


def zsh_said(text):
    """A description: within single quotes, brackets and between colons."""
    text = text.replace("\\", "\\\\").replace("[", "(").replace("]", ")").replace(":", "\\:")
    return text.replace("'", "'\\''")


def zsh_action(value):
    return "_files" if value in FILE_VALUES else "_files -/" if value in FOLDER_VALUES else " "


def zsh_options(command):
    lines = []
    for option in command.options:
        for flag in option.flags:
            value = f":{zsh_said(option.value)}:{zsh_action(option.value)}" if option.value else ""
            lines.append(f"    '*{flag}[{zsh_said(option.help)}]{value}'")
    return lines


def zsh_function(command):
    name = "_".join(["_comity", *command.words])
    lines = zsh_options(command)
    if not command.commands:
        lines.append("    '*:argument:_files'")
        return f"{name}() {{\n  _arguments -S \\\n" + " \\\n".join(lines) + "\n}\n"
    described = "\n".join(f"        '{below.words[-1]}:{zsh_said(below.summary)}'"
                          for below in command.commands)
    cases = "\n".join(f"        {below.words[-1]}) {'_'.join(['_comity', *below.words])} ;;"
                      for below in command.commands)
    lines += ["    '1: :->command'", "    '*:: :->rest'"]
    return (f"{name}() {{\n  local context state state_descr line\n  typeset -A opt_args\n"
            "  local -a commands\n  _arguments -C -S \\\n" + " \\\n".join(lines) + "\n"
            f"  case $state in\n    command)\n      commands=(\n{described}\n      )\n"
            "      _describe command commands ;;\n"
            f"    rest)\n      case $line[1] in\n{cases}\n      esac ;;\n  esac\n}}\n")


def zsh_text(program):
    functions = "\n".join(zsh_function(command) for command in every(program))
    return ("#compdef comity\n# Made when the package was built; do not edit.\n\n" + functions
            + "\n_comity \"$@\"\n")


def write_all(program, out):
    for name, text in {"bash/comity": bash_text(program), "zsh/_comity": zsh_text(program)}.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
