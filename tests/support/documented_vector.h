// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace comity::testing {

// The worked examples of a document of docs/formats stand in fenced blocks that follow
// `<!-- vector: NAME -->`, with lines broken where they fit the page. A missing document or vector
// ends the test with an exception.

inline std::string ReadFormatDocument(const std::string& document) {
  std::ifstream in(COMITY_SOURCE_DIR "/docs/formats/" + document);
  if (!in) throw std::runtime_error("no docs/formats/" + document);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Without line ends.
inline std::string DocumentedVector(const std::string& document, const std::string& name) {
  const std::string text = ReadFormatDocument(document);
  const std::string mark = "<!-- vector: " + name + " -->\n```\n";
  const std::size_t begin = text.find(mark);
  const std::size_t end = text.find("```", begin + mark.size());
  if (begin == std::string::npos || end == std::string::npos) {
    throw std::runtime_error("no vector " + name + " in docs/formats/" + document);
  }
  std::string vector = text.substr(begin + mark.size(), end - begin - mark.size());
  std::erase(vector, '\n');
  return vector;
}

inline std::set<std::string> VectorsOf(const std::string& document) {
  constexpr std::string_view kMark = "<!-- vector: ";
  const std::string text = ReadFormatDocument(document);
  std::set<std::string> names;
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at + 1)) {
    const std::size_t begin = at + kMark.size();
    names.insert(text.substr(begin, text.find(" -->", begin) - begin));
  }
  return names;
}

}  // namespace comity::testing
