// SPDX-License-Identifier: Apache-2.0
#include "services/cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "crypto/base/quote.h"
#include "services/cli/output.h"
#include "services/runtime/nearest.h"

namespace comity::cli {
namespace {

CLI::Option* Describe(CLI::Option* option, const OptionText& text) {
  option->option_text(text.required ? text.value + " (required)" : text.value);
  if (text.required) option->required();
  return option;
}

std::string FooterOf(const CommandText& text, Asks asks) {
  std::string footer = text.detail + "\n\nExit codes:\n  0  done\n";
  if (!text.no.empty()) footer += "  1  " + text.no + "\n";
  footer += "  2  the command line, or a file or value given, is wrong\n";
  if (asks == Asks::kGateway) {
    footer += "  3  the gateway is out of reach, or does not permit it\n";
  }
  footer += "  4  a fault of this program or of the gateway\n";
  if (!text.attention.empty()) footer += "  5  " + text.attention + "\n";
  return footer + "\nExample:\n  " + text.example;
}

// What may stand where `unknown` stands: options for what looks like one, else commands.
std::vector<std::string> KnownTo(const CLI::App& app, bool is_option) {
  std::vector<std::string> known;
  if (is_option) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    return known;
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(command->get_name());
  }
  return known;
}

// A misspelt command is told before the command that is therefore missing.
std::string FaultText(const CLI::ParseError& fault, const CLI::App& app) {
  constexpr std::size_t kLike = 3;  // letters; beyond, a guess would mislead
  const std::vector<std::string> unknown = app.remaining();
  if (unknown.empty()) return fault.what();
  const std::string& word = unknown.front();
  std::string text = "unknown: " + Quote(word);
  const auto known = KnownTo(app, word.starts_with("-"));
  if (known.empty()) return text;
  const std::string& nearest = runtime::Nearest(word, known);
  if (word.size() <= 64 && runtime::EditDistance(word, nearest) <= kLike) {
    text += "; did you mean '" + nearest + "'?";
  }
  return text;
}

// Whether these words name a command or a group of them.
bool IsKnown(const CLI::App& app, std::span<const char* const> words) {
  if (words.empty()) return true;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == words.front()) return IsKnown(*command, words.subspan(1));
  }
  return false;
}

// `comity help COMMAND` is `comity COMMAND --help`, `comity --version` is `comity version`.
std::vector<const char*> Rewritten(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<const char*> arguments(argv, argv + argc);
  if (argc < 2) return arguments;
  const std::string_view first = arguments[1];
  if (first == "help") {
    arguments.erase(arguments.begin() + 1);
    // Help would be given of the words before the unknown one, and nothing said of that.
    if (IsKnown(app, std::span(arguments).subspan(1))) arguments.push_back("--help");
  } else if (first == "--version") {
    arguments[1] = "version";
  }
  return arguments;
}

}  // namespace

Command& Command::Add(const OptionText& text, std::string& value) {
  Describe(app_.add_option(text.flag, value, text.help), text);
  return *this;
}

Command& Command::Add(const OptionText& text, std::vector<std::string>& values) {
  constexpr int kMost = 1000;
  Describe(app_.add_option(text.flag, values, text.help), text)->expected(1, kMost);
  return *this;
}

Command& Command::Add(const OptionText& text, bool& value) {
  app_.add_flag(text.flag, value, text.help);
  return *this;
}

Command& Command::Add(const OptionText& text, CountTarget target) {
  auto* option = Describe(app_.add_option(text.flag, target.value, text.help), text);
  option->check(CLI::Range(target.least, target.most));
  return *this;
}

Command& Command::Add(const OptionText& text, DecimalTarget target) {
  auto* option = Describe(app_.add_option(text.flag, target.value, text.help), text);
  option->check(CLI::Range(target.least, target.most));
  return *this;
}

struct CommandLine::Impl {
  explicit Impl(Session& shared) : session(shared) {}
  void AddGlobals(CLI::App& app, Asks asks) const;
  ExitCode RunChosen();

  Session& session;
  CLI::App app{"comity: command line of a Comity gateway", "comity"};
  std::map<std::string, CLI::App*> groups;
  struct Entry {
    std::string name;
    CLI::App* app;
    Run run;
  };
  std::vector<Entry> entries;
};

void CommandLine::Impl::AddGlobals(CLI::App& target, Asks asks) const {
  target.add_flag("--json", session.json, "print results as JSON");
  if (asks == Asks::kNobody) return;
  target
      .add_option("--profile", session.profile_file,
                  "profile: which gateway, and as whom; default: $COMITY_PROFILE")
      ->option_text("FILE");
}

CommandLine::CommandLine(Session& session) : impl_(std::make_unique<Impl>(session)) {
  impl_->app.require_subcommand(1);
  impl_->AddGlobals(impl_->app, Asks::kGateway);
  impl_->app.footer(
      "'comity help COMMAND' describes a command, as 'comity COMMAND --help' does. Exit codes: 0 "
      "done,\n"
      "1 the answer is no, 2 usage or bad input, 3 gateway out of reach or not permitted, 4 "
      "internal fault, 5 attention "
      "needed.");
}

CommandLine::~CommandLine() = default;

void CommandLine::Group(const std::string& name, const std::string& summary) {
  CLI::App* group = impl_->app.add_subcommand(name, summary);
  group->require_subcommand(1);
  impl_->groups[name] = group;
}

Command CommandLine::Add(const CommandText& text, Asks asks, Run run) {
  const std::size_t space = text.name.find(' ');
  CLI::App* parent = &impl_->app;
  if (space != std::string::npos) parent = impl_->groups.at(text.name.substr(0, space));
  const std::string own = space == std::string::npos ? text.name : text.name.substr(space + 1);
  CLI::App* app = parent->add_subcommand(own, text.summary);
  app->footer(FooterOf(text, asks));
  impl_->AddGlobals(*app, asks);
  impl_->entries.push_back({"comity " + text.name, app, std::move(run)});
  return Command(*app);
}

ExitCode CommandLine::Impl::RunChosen() {
  for (const Entry& entry : entries) {
    if (!entry.app->parsed()) continue;
    const Result<ExitCode> done = entry.run();
    if (done) return *done;
    const std::string advice = AdviceFor(done.error().code);
    PrintError("comity: " + Clean(done.error().detail, Lines::kKeep) + " (" + entry.name + ")" +
               (advice.empty() ? "" : ": " + advice));
    return ExitCodeFor(done.error().code);
  }
  return ExitCode::kInternal;
}

ExitCode CommandLine::Execute(int argc, const char* const* argv) {
  try {  // CLI11 reports by exception, `--help` included
    const std::vector<const char*> arguments = Rewritten(impl_->app, argc, argv);
    impl_->app.parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::CallForHelp&) {
    Print(impl_->app.help() + "\n");
    return ExitCode::kOk;
  } catch (const CLI::ParseError& fault) {
    const CLI::App* app = &impl_->app;
    std::string command = "comity";
    while (!app->get_subcommands().empty()) {
      app = app->get_subcommands().front();
      command += " " + app->get_name();
    }
    PrintError("comity: " + FaultText(fault, *app) + " (" + command + "): see '" + command +
               " --help'");
    return ExitCode::kBadInput;
  }
  return impl_->RunChosen();
}

}  // namespace comity::cli
