// SPDX-License-Identifier: Apache-2.0
// The victim of file_fault_test, with faulty_io.cc linked in. Usage: file_victim FOLDER
// replace|keep Does it as the gateway does, again when it failed, and says of each attempt "done"
// or "refused ...".
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "services/runtime/file.h"
#include "services/runtime/partial_file.h"

namespace {

using comity::AsBytes;
using comity::Status;
using std::filesystem::path;

constexpr int kAttempts = 3;

void Say(std::string text) {
  text += '\n';
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(9);
}

Status Replace(const path& folder) {
  return comity::runtime::WriteFile(folder / "file", AsBytes(std::string(9000, 'n')), 0600);
}

// A block that arrives in three pieces.
Status Keep(const path& folder) {
  const path part = folder / "block.part";
  for (int i = 0; i < 3; ++i) {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, comity::runtime::PartialSize(part));
    if (size >= 9000) break;
    COMITY_RETURN_IF_ERROR(
        comity::runtime::AppendAt(part, size, AsBytes(std::string(3000, 'n')), 0600));
  }
  return comity::runtime::KeepAs(part, folder / "file");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const bool replaces = std::string_view(arguments[2]) == "replace";
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Status done = replaces ? Replace(arguments[1]) : Keep(arguments[1]);
    if (done) {
      Say("done");
      return 0;
    }
    Say("refused " + done.error().detail);
  }
  return 1;
}
