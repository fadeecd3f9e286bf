// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/cli.h"

#include "tests/support/process.h"

namespace comity::demo {
namespace {

std::vector<std::string> Command(const std::filesystem::path& binary,
                                 const std::filesystem::path& profile,
                                 std::vector<std::string> arguments) {
  std::vector<std::string> command{binary.string()};
  if (!profile.empty()) command.insert(command.end(), {"--profile", profile.string()});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

tl::unexpected<Error> Failed(const std::vector<std::string>& command,
                             const testing::CommandOutput& output) {
  std::string text = "exit code " + std::to_string(output.exit_code) + " of:";
  for (const std::string& word : command) text += " " + word;
  return Fail(ErrorCode::kInternal, text + "\n" + output.out + output.err);
}

}  // namespace

Status Cli::Run(std::vector<std::string> arguments) const {
  const auto command = Command(binary_, profile_, std::move(arguments));
  COMITY_ASSIGN_OR_RETURN(const testing::CommandOutput output, testing::RunCommand(command));
  if (output.exit_code != 0) return Failed(command, output);
  return {};
}

Result<nlohmann::json> Cli::Ask(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "--json");
  const auto command = Command(binary_, profile_, std::move(arguments));
  COMITY_ASSIGN_OR_RETURN(const testing::CommandOutput output,
                          testing::RunCommand(command, std::chrono::seconds(300)));
  auto answer = nlohmann::json::parse(output.out, nullptr, /*allow_exceptions=*/false);
  if (output.exit_code > 1 || answer.is_discarded()) return Failed(command, output);
  return answer;
}

}  // namespace comity::demo
