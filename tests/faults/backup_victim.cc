// SPDX-License-Identifier: Apache-2.0
// The victim of backup_fault_test, with faulty_io.cc linked in. Usage, all paths absolute:
//   backup_victim make NODE FILE           a backup of the node
//   backup_victim restore FILE CONFIG INTO
//   backup_victim next PKI CARD            the agency's next signing key; says its public half
//   backup_victim switch PKI
// Says "done ..." or "refused ...".
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "services/cli/backup_restore.h"
#include "services/runtime/file.h"
#include "services/transport/pki_rotate.h"
#include "tests/faults/node.h"

namespace {

using comity::Result;
using comity::Status;
using Words = std::vector<std::string>;

constexpr std::size_t kMaxCard = std::size_t{64} << 10;

Result<std::string> Make(const Words& words) {
  COMITY_ASSIGN_OR_RETURN(const auto node, comity::testing::Node::Open(words[1]));
  COMITY_RETURN_IF_ERROR(node->Backup(words[2]));
  return words[2];
}

Result<std::string> Restore(const Words& words) {
  const comity::runtime::SystemClock clock;
  COMITY_ASSIGN_OR_RETURN(const auto restored,
                          comity::cli::RestoreBackup({words[1], words[2], words[3]}, clock));
  return restored.manifest.id;
}

Result<std::string> MakeNext(const Words& words) {
  COMITY_ASSIGN_OR_RETURN(const std::string text,
                          comity::runtime::ReadTextFile(words[2], kMaxCard));
  COMITY_ASSIGN_OR_RETURN(auto card, comity::transport::ParsePeerCard(text));
  COMITY_ASSIGN_OR_RETURN(const auto next,
                          comity::transport::MakeNextKey(words[1], std::move(card)));
  return next.signing_key;
}

Result<std::string> Switch(const Words& words) {
  COMITY_RETURN_IF_ERROR(comity::transport::SwitchKey(words[1]));
  return words[1];
}

Result<std::string> Do(const Words& words) {
  if (words[0] == "make") return Make(words);
  if (words[0] == "restore") return Restore(words);
  return words[0] == "next" ? MakeNext(words) : Switch(words);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const Words words(arguments + 1, arguments + count);
  const auto outcome = Do(words);
  const std::string text =
      (outcome ? "done " + *outcome : "refused " + outcome.error().detail) + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(9);
  return outcome ? 0 : 1;
}
