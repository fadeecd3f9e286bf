// SPDX-License-Identifier: Apache-2.0
#include "services/cli/profile.h"

#include <toml++/toml.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "services/cli/exit_code.h"
#include "services/runtime/config_reader.h"
#include "services/runtime/file.h"
#include "services/transport/peer_identity.h"

namespace comity::cli {
namespace {

constexpr std::size_t kMaxProfile = 64 * 1024;
constexpr std::size_t kMaxValue = 2048;

std::filesystem::path Beside(const std::filesystem::path& file, const std::string& path) {
  return (file.parent_path() / path).lexically_normal();
}

void ReadTable(const toml::table& table, const std::filesystem::path& file, Profile& profile,
               std::vector<runtime::ConfigIssue>& issues) {
  runtime::TableReader reader(table, "the profile", issues);
  if (const auto gateway = reader.Required("gateway", kMaxValue)) {
    if (const auto address = transport::ParseAddress(gateway->value)) {
      profile.gateway = *address;
    } else {
      reader.Report(gateway->place, "gateway: " + address.error().detail);
    }
  }
  if (const auto id = reader.Required("spiffe_id", kMaxValue)) {
    const auto identity = transport::ParseSpiffeId(id->value);
    if (!identity || identity->kind != transport::PeerKind::kGateway) {
      reader.Report(id->place, "spiffe_id: it must be spiffe://<trust domain>/gateway");
    }
    profile.spiffe_id = id->value;
  }
  if (const auto path = reader.Required("identity", kMaxValue)) {
    profile.identity = Beside(file, path->value);
  }
  if (const auto path = reader.Required("roots", kMaxValue)) {
    profile.roots = Beside(file, path->value);
  }
  if (const auto path = reader.Optional("signing_key", kMaxValue)) {
    profile.signing_key = Beside(file, path->value);
  }
  reader.Finish();
}

std::string Quoted(const std::filesystem::path& path) {
  std::string text = "\"";
  for (const char c : path.string()) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

}  // namespace

Result<Profile> ParseProfile(std::string_view text, const std::filesystem::path& file) {
  std::vector<runtime::ConfigIssue> issues;
  Profile profile;
  try {  // toml++ reports faults by exception
    ReadTable(toml::parse(text), file, profile, issues);
  } catch (const toml::parse_error& fault) {
    issues.push_back(runtime::PlaceOf(fault.source()));
    issues.back().message = "not TOML: " + std::string(fault.description());
  }
  if (issues.empty()) return profile;
  std::string all;
  for (const runtime::ConfigIssue& issue : issues) {
    all += (all.empty() ? "" : "\n") + runtime::Describe(issue, file);
  }
  return Fail(ErrorCode::kInvalidArgument, all);
}

std::string EncodeProfile(const Profile& profile) {
  std::string text = "# Profile for `comity --profile`: which gateway, and as whom.\n";
  text += "gateway = \"" + profile.gateway.text() + "\"\n";
  text += "spiffe_id = \"" + profile.spiffe_id + "\"\n";
  text += "identity = " + Quoted(profile.identity) + "\n";
  text += "roots = " + Quoted(profile.roots) + "\n";
  if (profile.signing_key) text += "signing_key = " + Quoted(*profile.signing_key) + "\n";
  return text;
}

Result<Profile> LoadProfile(const Session& session) {
  std::filesystem::path file = session.profile_file;
  if (file.empty()) {
    const char* named = std::getenv("COMITY_PROFILE");
    if (named != nullptr) file = named;
  }
  if (file.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "no profile is named; give --profile FILE or set COMITY_PROFILE "
                "('comity pki issue --person' writes one)");
  }
  COMITY_ASSIGN_OR_RETURN(const std::string text,
                          Locally(runtime::ReadTextFile(file, kMaxProfile)));
  return ParseProfile(text, file);
}

}  // namespace comity::cli
