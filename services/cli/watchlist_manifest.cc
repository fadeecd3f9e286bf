// SPDX-License-Identifier: Apache-2.0
#include "services/cli/watchlist_manifest.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "comity/v1/watchlists.grpc.pb.h"
#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/merkle/compact_tree.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/sign/dsse.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::minutes kPatience{10};
constexpr std::size_t kMaxHead = std::size_t{64} << 10;
constexpr std::size_t kMaxRows = std::size_t{512} << 20;
constexpr std::string_view kPayloadType = "application/vnd.comity.watchlist-manifest.v1+json";

struct ManifestOptions {
  std::string list, folder, key, reference, day;
};

struct Received {
  std::string head;
  std::string rows;
};

Result<Received> Receive(const OwnGateway& gateway, const std::string& list) {
  const auto stub = v1::Watchlists::NewStub(gateway.channel());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::ManifestRequest request;
  request.set_watchlist(list);
  const auto reader = stub->Manifest(&context, request);
  Received received;
  v1::ManifestPart part;
  while (reader->Read(&part)) {
    if (part.has_head()) received.head = part.head();
    received.rows += part.rows();
    if (received.rows.size() > kMaxRows) context.TryCancel();
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return Fail(gateway.Describe(status));
  return received;
}

std::string RootOf(std::string_view rows) {
  merkle::CompactTree tree;
  bool any = false;
  while (!rows.empty()) {
    const std::size_t end = std::min(rows.find('\n'), rows.size());
    tree.Append(merkle::LeafHash(AsBytes(rows.substr(0, end))));
    rows.remove_prefix(std::min(end + 1, rows.size()));
    any = true;
  }
  return EncodeHex((any ? tree.Root() : merkle::EmptyRoot()).view());
}

// The head's payload, if the rows are those it speaks of and, when a key is given, it is by that
// key.
Result<nlohmann::json> Verify(const Received& received, const std::string& key) {
  COMITY_ASSIGN_OR_RETURN(const auto envelope, sign::ParseDsseJson(received.head, kMaxHead));
  if (envelope.payload_type != kPayloadType) {
    return Fail(ErrorCode::kCorrupt, "the gateway sent no manifest");
  }
  if (!key.empty()) {
    COMITY_ASSIGN_OR_RETURN(const auto agency_key, sign::ParsePublicKey(key));
    COMITY_RETURN_IF_ERROR(sign::VerifySignedBy(envelope, agency_key));
  }
  COMITY_ASSIGN_OR_RETURN(nlohmann::json head,
                          ParseCanonicalJson(AsText(envelope.payload), kMaxHead));
  if (!head.is_object() || head.value("root", "") != RootOf(received.rows)) {
    return Fail(ErrorCode::kCorrupt, "the rows are not those that the manifest was signed over");
  }
  return head;
}

Result<ExitCode> Manifest(const ManifestOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const Received received, Receive(gateway, options.list));
  COMITY_ASSIGN_OR_RETURN(const nlohmann::json head, Verify(received, options.key));
  if (!options.folder.empty()) {
    const std::filesystem::path folder = options.folder;
    COMITY_RETURN_IF_ERROR(WriteNewFile(folder / (options.list + ".manifest.json"), received.head));
    COMITY_RETURN_IF_ERROR(WriteNewFile(folder / (options.list + ".rows.jsonl"), received.rows));
  }
  Json json = Json::object();
  for (const auto& [name, value] : head.items()) json[name] = value;
  json["signature_verified"] = !options.key.empty();
  if (session.json) {
    PrintJson(json);
    return ExitCode::kOk;
  }
  for (const auto& [name, value] : json.items()) {
    Print(name + std::string(20 - std::min<std::size_t>(name.size(), 19), ' ') +
          Clean(value.is_string() ? value.get<std::string>() : value.dump()) + "\n");
  }
  if (options.folder.empty()) Print(Clean(received.rows, Lines::kKeep));
  return ExitCode::kOk;
}

Result<ExitCode> WasOn(const ManifestOptions& options, const Session& session) {
  v1::WasOnRequest request;
  request.set_reference(options.reference);
  request.set_day(options.day);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::WasOnResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::WasOn, request));
  Json json = Json::array();
  Table table({"WATCHLIST", "STATE", "CATEGORY", "FROM", "UNTIL"});
  for (const v1::Listing& listing : response.listings()) {
    json.push_back({{"watchlist", listing.watchlist()},
                    {"state", listing.state()},
                    {"category", listing.category()},
                    {"from", TimeText(listing.from())},
                    {"until", TimeText(listing.until())}});
    table.Add({listing.watchlist(), listing.state(), listing.category(), TimeText(listing.from()),
               listing.has_until() ? TimeText(listing.until()) : "still on it"});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? options.reference + " was on no list on " + options.day + "\n"
                        : table.Text());
  }
  return response.listings().empty() ? ExitCode::kNo : ExitCode::kOk;
}

}  // namespace

void AddWatchlistManifest(CommandLine& line, Session& session) {
  auto options = std::make_shared<ManifestOptions>();
  line.Add({"watchlist manifest", "what is kept of a closed list",
            "Prints the signed manifest of a closed or deleted list and its rows, and checks that "
            "they\n"
            "belong together: pseudonymous references, categories and times, no face, no name.",
            "", "comity watchlist manifest court-warrants --out /tmp"},
           Asks::kGateway, [options, &session] { return Manifest(*options, session); })
      .Add({"list", "LIST", "a list that is closed", true}, options->list)
      .Add({"--out", "DIR", "write LIST.manifest.json and LIST.rows.jsonl there", false},
           options->folder)
      .Add({"--agency-key", "KEY", "verify the signature by this key, ed25519:...", false},
           options->key);
  options = std::make_shared<ManifestOptions>();
  line.Add({"watchlist was-on", "whether a reference was on a list on a day",
            "Answers from what is kept of lists, without a face and also after their deletion.",
            "it was on none", "comity watchlist was-on ns-2026-0142 --day 2026-11-25"},
           Asks::kGateway, [options, &session] { return WasOn(*options, session); })
      .Add({"reference", "REFERENCE", "the entry's reference", true}, options->reference)
      .Add({"--day", "DAY", "UTC, 2026-11-25", true}, options->day);
}

}  // namespace comity::cli
