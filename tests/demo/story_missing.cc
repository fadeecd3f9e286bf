// SPDX-License-Identifier: Apache-2.0
// Somebody is found who cannot say who they are: one search, case by case, of two holders; then of
// two of whom one is dead.
#include <fstream>

#include "tests/demo/story.h"
#include "tests/demo/tell.h"

namespace comity::demo {
namespace {

// One row of float32 as a NumPy file, version 1.0.
Status WriteNpy(std::span<const float> row, const std::filesystem::path& path) {
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': (1, {}), }}", row.size());
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  const auto length = static_cast<unsigned>(header.size());
  file << "\x93NUMPY" << '\x01' << '\0' << static_cast<char>(length & 0xff)
       << static_cast<char>(length >> 8U) << header;
  file.write(reinterpret_cast<const char*>(row.data()),
             static_cast<std::streamsize>(row.size_bytes()));
  file.flush();
  return file ? Status() : Fail(ErrorCode::kUnavailable, "cannot write " + path.string());
}

std::uint64_t Milliseconds(const nlohmann::json& result) {
  return static_cast<std::uint64_t>(result.value("ms", 0.0) + 0.5);
}

void TellAnswers(const nlohmann::json& found) {
  for (const auto& result : found["holders"]) {
    std::string hits;
    for (const auto& hit : result.value("hits", nlohmann::json::array())) {
      hits += " " + hit.value("reference", "");
    }
    Tell(fmt::format("    {:<18} {:<10} {:>5} ms {}", result.value("holder", ""),
                     result.value("status", ""), Milliseconds(result),
                     result.value("status", "") == "answered"
                         ? (hits.empty() ? "no hit" : "hit:" + hits)
                         : result.value("reason", "")));
  }
}

}  // namespace

Result<nlohmann::json> Story::Identify(const FaceSet::Face& face) {
  const std::filesystem::path file = folder_ / "found.npy";
  COMITY_RETURN_IF_ERROR(WriteNpy(faces_.Row(face.row), file));
  return police_->cli().Ask({"search",
                             "identify",
                             "--purpose",
                             kMissingPurpose,
                             "--case",
                             "NP-2026-0042",
                             "--aim",
                             "identify",
                             "--subject",
                             "missing",
                             "--category",
                             kMissingCategory,
                             "--engine-profile",
                             fmt::format("{}/{}/{}", kEngine, kEngineVersion, faces_.dimension),
                             "--threshold",
                             fmt::format("{}", report_.threshold),
                             "--mode",
                             "direct",
                             "--template",
                             file.string(),
                             "--deadline",
                             "2000"});
}

Status Story::SearchManyHolders() {
  Chapter("Somebody is found who cannot say who they are: the police ask, case by case");
  const FaceSet::Face& face = found_.back();  // of a person whom the council misses
  COMITY_ASSIGN_OR_RETURN(const auto both, Identify(face));
  Tell("  both holders are there:");
  TellAnswers(both);
  health_->Kill();
  COMITY_ASSIGN_OR_RETURN(const auto one, Identify(face));
  Tell("  riverside-health's gateway was killed:");
  TellAnswers(one);
  bool others_answered = !one["holders"].empty();
  for (const auto& result : one["holders"]) {
    report_.fanout.push_back(
        {result.value("holder", ""), result.value("status", ""), Milliseconds(result)});
    const bool dead = result.value("holder", "") == health_->name();
    others_answered = others_answered && (result.value("status", "") == "answered") != dead;
  }
  COMITY_RETURN_IF_ERROR(health_->StartAgain());
  if (both["holders"].size() == 2 && others_answered) return {};
  return Fail(ErrorCode::kInternal, "the fan-out did not answer as it must: " + one.dump());
}

}  // namespace comity::demo
