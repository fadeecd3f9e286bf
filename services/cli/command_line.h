// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "services/cli/exit_code.h"
#include "services/cli/session.h"

namespace CLI {
class App;
}

namespace comity::cli {

// What `--help` says of a command.
struct CommandText {
  std::string name;     // as it is typed: "pki init"
  std::string summary;  // one line
  std::string detail;   // what it does and what to know before
  std::string no;       // when it ends with 1; empty: it never does
  std::string example;
  std::string attention{};  // when it ends with 5; empty: it never does
};
enum class Asks { kNobody, kGateway };  // kGateway: --profile, and exit code 3

struct OptionText {
  std::string flag;   // "--dir"; without dashes: an argument by its place
  std::string value;  // "DIR"
  std::string help;   // with unit and range
  bool required = false;
};
// Numbers with their bounds, both included.
struct CountTarget {
  std::optional<std::uint64_t>& value;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};
struct DecimalTarget {
  double& value;
  double least = 0;
  double most = 0;
};

// One command; the parser's library stays behind it. Targets must outlive the command line.
//
// Threads: thread-compatible.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(app) {}
  Command& Add(const OptionText& text, std::string& value);
  Command& Add(const OptionText& text, std::vector<std::string>& values);  // one or more
  Command& Add(const OptionText& text, bool& value);
  Command& Add(const OptionText& text, CountTarget target);
  Command& Add(const OptionText& text, DecimalTarget target);

 private:
  CLI::App& app_;  // owned by the command line
};

// All commands of the program.
//
// Threads: thread-compatible.
class CommandLine {
 public:
  using Run = std::function<Result<ExitCode>()>;

  explicit CommandLine(Session& session);  // must outlive the object
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  void Group(const std::string& name, const std::string& summary);
  // `text.name` is that of a group and the command's, or the command's alone.
  Command Add(const CommandText& text, Asks asks, Run run);

  // Reads the arguments and runs the command they name. Errors are printed here and nowhere else.
  ExitCode Execute(int argc, const char* const* argv);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace comity::cli
