// SPDX-License-Identifier: Apache-2.0
// Plays the main job for `deploy/demo`.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>

#include "services/transport/tls_policy.h"
#include "tests/demo/story.h"

namespace {

using namespace comity;

// The programs stand beside this one in the build folder.
demo::Programs FindPrograms() {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  const auto bin = self.parent_path().parent_path().parent_path() / "bin";
  return {bin / "comityd", bin / "comity"};
}

std::filesystem::path MakeFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "comity-demo-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return {};
  return pattern;
}

Status WriteReport(const std::filesystem::path& file, const demo::Report& report) {
  std::ofstream out(file);
  out << report.ToJson().dump(2) << "\n";
  out.flush();
  return out ? Status() : Fail(ErrorCode::kUnavailable, "cannot write " + file.string());
}

Status Play(const demo::Options& options, const std::filesystem::path& folder) {
  demo::Story story(options, FindPrograms(), folder);
  COMITY_RETURN_IF_ERROR(story.Play());
  if (!options.report.empty()) {
    COMITY_RETURN_IF_ERROR(WriteReport(options.report, story.report()));
    fmt::print("\nReport: {}\n", options.report.string());
  }
  if (options.keep) {
    story.KeepRunning();
  } else {
    story.CleanUp();
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Plays the main job with three agencies on this machine and measures it."};
  demo::Options options;
  options.templates = std::filesystem::path(COMITY_SOURCE_DIR) / "tests/data/lfw_facenet128";
  double threshold = 0;
  std::string store = "sqlite";
  app.add_option("--templates", options.templates,
                 "folder with templates.f32, labels.csv and split.csv");
  auto* const threshold_option = app.add_option("--threshold", threshold,
                                                "cosine from which a face is a hit; default: "
                                                "calibrated to FPIR 1 %")
                                     ->check(CLI::Range(0.0001, 1.0));
  app.add_option("--entries", options.entries, "at most so many watchlist entries; 0: all");
  app.add_option("--report", options.report, "file for the figures as JSON");
  app.add_option("--store", store, "where the gateways keep their records")
      ->check(CLI::IsMember({"sqlite", "postgresql"}));
  app.add_flag("--keep", options.keep, "leave the gateways running and say how to look around");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.postgresql = store == "postgresql";
  if (options.postgresql && options.keep) {
    fmt::print(stderr, "demo: --keep is for SQLite: the database server ends with the demo\n");
    return 2;
  }
  if (*threshold_option) options.threshold = threshold;
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  const std::filesystem::path folder = MakeFolder();
  Status played = transport::EnforceTls13();
  if (played && folder.empty()) played = Fail(ErrorCode::kUnavailable, "no temporary folder");
  if (played) played = Play(options, folder);
  if (!played) {
    fmt::print(stderr, "\ndemo: {}\nThe gateways' logs are in {}\n", played.error().detail,
               folder.string());
    return 1;
  }
  fmt::print("\nEverything went as it must. {}: {}\n",
             options.keep ? "The agencies' folders" : "The exported logs", folder.string());
  return 0;
}
