// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <fstream>

#include "tests/demo/story.h"

namespace comity::demo {
namespace {

// Flips one bit in the middle of a copy's last entry bundle.
Status FlipOneBit(const std::filesystem::path& folder) {
  std::filesystem::path target;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder / "tile/entries")) {
    if (file.is_regular_file()) target = file.path();
  }
  std::fstream file(target, std::ios::binary | std::ios::in | std::ios::out);
  const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(target) / 2);
  file.seekg(middle);
  const char octet = static_cast<char>(file.get() ^ 1);
  file.seekp(middle);
  file.put(octet);
  return file ? Status() : Fail(ErrorCode::kUnavailable, "cannot change " + target.string());
}

}  // namespace

Status Story::Audit() {
  fmt::print("\nAudit logs: exported, then verified offline without any gateway\n");
  const Cli offline(programs_.comity, {});
  for (const Agency* agency : {&*police_, &*council_}) {
    AuditResult result;
    result.agency = agency->name();
    const std::filesystem::path folder = agency->folder() / "audit-export";
    result.export_folder = folder.string();
    COMITY_RETURN_IF_ERROR(agency->cli("auditor").Run({"audit", "export", folder.string()}));
    COMITY_ASSIGN_OR_RETURN(const auto verified, offline.Ask({"audit", "verify", folder.string()}));
    result.verified = verified.value("verified", false);
    result.entries = verified.value("entries", std::uint64_t{0});
    const std::filesystem::path copy = agency->folder() / "tampered-export";
    std::filesystem::copy(folder, copy, std::filesystem::copy_options::recursive);
    COMITY_RETURN_IF_ERROR(FlipOneBit(copy));
    COMITY_ASSIGN_OR_RETURN(const auto tampered, offline.Ask({"audit", "verify", copy.string()}));
    result.tampering_found = !tampered.value("verified", true);
    fmt::print("  {:<18} {} entries, {}; one flipped bit: {}\n", result.agency, result.entries,
               result.verified ? "verified" : "NOT VERIFIED",
               result.tampering_found ? "found" : "NOT FOUND");
    report_.audit.push_back(result);
    if (!result.verified || !result.tampering_found) {
      return Fail(ErrorCode::kCorrupt,
                  "the log of " + result.agency + " does not verify as it must");
    }
  }
  return {};
}

}  // namespace comity::demo
