// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "services/runtime/config_keys.h"

namespace comity::runtime {
namespace {

constexpr std::size_t kColumns = 79;
constexpr std::size_t kMarkdownColumns = 120;

std::string_view NameOf(KeyType type) {
  switch (type) {
    case KeyType::kText:
      return "text";
    case KeyType::kPath:
      return "path";
    case KeyType::kPrivatePath:
      return "path, private";
    case KeyType::kAddress:
      return "address";
    case KeyType::kNumber:
      return "number";
    case KeyType::kSeconds:
      return "seconds";
    case KeyType::kMilliseconds:
      return "milliseconds";
  }
  return "";
}

// 1,000,000
std::string Grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string BoundOf(const ConfigKey& key) {
  std::string bound;
  switch (key.type) {
    case KeyType::kText:
      bound = key.form.starts_with("`debug`")
                  ? ""
                  : Grouped(key.least) + " to " + Grouped(key.most) + " octets";
      break;
    case KeyType::kPath:
    case KeyType::kPrivatePath:
      bound = "up to " + Grouped(key.most) + " octets";
      break;
    case KeyType::kAddress:
      bound = "port 0 to 65535";
      break;
    case KeyType::kNumber:
    case KeyType::kSeconds:
    case KeyType::kMilliseconds:
      bound = Grouped(key.least) + " to " + Grouped(key.most);
      break;
  }
  if (key.form.empty()) return bound;
  return bound.empty() ? std::string(key.form) : bound + "; " + std::string(key.form);
}

// Broken at blanks; every line begins with `indent` blanks.
std::string Wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string all;
  std::string line(indent, ' ');
  bool is_empty = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (!is_empty && line.size() + 1 + end > columns) {
      all += line + "\n";
      line = std::string(indent, ' ');
      is_empty = true;
    }
    if (!is_empty) line += ' ';
    line += text.substr(0, end);
    is_empty = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all + line + "\n";
}

// Without the marks of Markdown.
std::string Plain(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '`' && c != '*') plain += c;
  }
  return plain;
}

std::string HeadingOf(const ConfigTable& table) {
  const bool repeats = table.name == "administrator";
  std::string heading = repeats ? "[[" : "[";
  heading += std::string(table.name) + (repeats ? "]]" : "]");
  if (!table.presence.empty()) heading += " - " + std::string(table.presence);
  return heading;
}

bool IsMark(std::string_view fallback) {
  return fallback == "required" || fallback == "none";
}

std::string RowOf(const ConfigKey& key) {
  const std::string fallback =
      IsMark(key.fallback) ? std::string(key.fallback) : "`" + std::string(key.fallback) + "`";
  return "| `" + std::string(key.key) + "` | " + std::string(NameOf(key.type)) + " | " +
         BoundOf(key) + " | " + fallback + " | " + std::string(key.meaning) + " |\n";
}

}  // namespace

std::string ConfigReferenceMarkdown() {
  std::string text =
      "# Keys of the configuration\n\n"
      "Made of the code by `comityd --help-config markdown`; a test compares. Rules of the file "
      "and an example:\n[../formats/configuration.md](../formats/configuration.md).\n\n"
      "## Keys\n\n\"Required\" means that the file is refused without it. A table whose keys all "
      "have defaults may be left out.\n";
  for (const ConfigTable& table : ConfigTables()) {
    text += "\n### " + HeadingOf(table) + "\n\n";
    if (!table.meaning.empty()) text += Wrapped(table.meaning, kMarkdownColumns, 0) + "\n";
    text += "| key | type | bound | default | meaning |\n|---|---|---|---|---|\n";
    for (const ConfigKey& key : ConfigKeys()) {
      if (key.table == table.name) text += RowOf(key);
    }
    if (!table.after.empty()) text += "\n" + Wrapped(table.after, kMarkdownColumns, 0);
  }
  return text;
}

std::string ConfigReferenceText() {
  std::string text =
      "Keys of the configuration (TOML). Required: the file is refused without it. A\n"
      "table whose keys all have defaults may be left out. An unknown key is an error.\n";
  for (const ConfigTable& table : ConfigTables()) {
    text += "\n" + HeadingOf(table) + "\n";
    if (!table.meaning.empty()) text += Wrapped(Plain(table.meaning), kColumns, 2);
    for (const ConfigKey& key : ConfigKeys()) {
      if (key.table != table.name) continue;
      const std::string fallback =
          (IsMark(key.fallback) ? "" : "default ") + std::string(key.fallback);
      text += "\n  " + std::string(key.key) + "\n" +
              Wrapped(std::string(NameOf(key.type)) + "; " + Plain(BoundOf(key)) + "; " + fallback,
                      kColumns, 6) +
              Wrapped(Plain(key.meaning), kColumns, 6);
    }
    if (!table.after.empty()) text += "\n" + Wrapped(Plain(table.after), kColumns, 2);
  }
  return text;
}

}  // namespace comity::runtime
