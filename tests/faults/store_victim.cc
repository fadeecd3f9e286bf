// SPDX-License-Identifier: Apache-2.0
// The victim of store_fault_test, with faulty_io.cc linked in.
// Usage: store_victim FOLDER FIRST COUNT go-on|die
// Does the acts FIRST.. and says of each "done N" or "refused N code: words"; of the start
// "cannot open: ..."; at its end "end". `die`: ends as if killed at the first refusal.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/faults/node.h"

namespace {

using comity::testing::Node;

void Say(std::string text) {
  text += '\n';
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(9);
}

std::string Words(const comity::Error& error) {
  return std::string(comity::Name(error.code)) + ": " + error.detail;
}

int Main(const std::string& folder, int first, int count, bool dies) {
  auto node = Node::Open(folder);
  if (!node) {
    Say("cannot open " + Words(node.error()));
    return 3;
  }
  for (int number = first; number < first + count; ++number) {
    const auto outcome = (*node)->Act(number);
    if (outcome) {
      Say("done " + std::to_string(number));
      continue;
    }
    Say("refused " + std::to_string(number) + " " + Words(outcome.error()));
    if (dies) std::_Exit(4);
  }
  // Best effort: a disk that fails for good leaves entries without a checkpoint, and says so.
  const auto flushed = (*node)->log().Flush(std::chrono::milliseconds(300));
  if (!flushed) Say("not published " + Words(flushed.error()));
  node->reset();
  Say("end");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return 2;
  return Main(arguments[1], std::atoi(arguments[2]), std::atoi(arguments[3]),
              std::string_view(arguments[4]) == "die");
}
