// SPDX-License-Identifier: Apache-2.0
#include "services/cli/node_text.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>

#include "services/cli/output.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using google::protobuf::Timestamp;

constexpr std::size_t kColumns = 79;
constexpr std::size_t kMostConcerns = 8;
constexpr int kMostRows = 3;

// "3 d", "5 h", "12 min", "40 s"; "-3 d" for what is past.
std::string Length(std::int64_t seconds) {
  const std::int64_t size = seconds < 0 ? -seconds : seconds;
  const std::string sign = seconds < 0 ? "-" : "";
  if (size >= 2 * 86'400) return sign + std::to_string(size / 86'400) + " d";
  if (size >= 2 * 3'600) return sign + std::to_string(size / 3'600) + " h";
  if (size >= 120) return sign + std::to_string(size / 60) + " min";
  return sign + std::to_string(size) + " s";
}

std::string Size(std::uint64_t octets) {
  const std::uint64_t mebibytes = octets >> 20;
  if (mebibytes >= 10'240) return std::to_string(mebibytes / 1024) + " GiB";
  return std::to_string(mebibytes) + " MiB";
}

// Words broken at blanks; further lines begin with `indent` blanks.
std::string Wrap(const std::string& text, std::size_t indent) {
  std::string wrapped;
  std::string line;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!line.empty() && line.size() + 1 + word.size() > kColumns) {
      wrapped += line + "\n";
      line = std::string(indent, ' ') + word;
    } else {
      line += (at == 0 ? "" : " ") + word;
    }
    at = end + 1;
  }
  return wrapped + line + "\n";
}

// One part: its name in the first column.
std::string Part(const std::string& name, const std::string& words) {
  constexpr std::size_t kName = 14;
  std::string text = name;
  text.resize(kName, ' ');
  return Wrap(text + Clean(words), kName);
}

std::string Indented(const std::string& table) {
  std::string text;
  for (std::size_t at = 0; at < table.size();) {
    const std::size_t end = table.find('\n', at);
    text += "  " + table.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return text;
}

std::string Rest(int all, const char* command) {
  if (all <= kMostRows) return {};
  return "  and " + std::to_string(all - kMostRows) + " more: " + command + "\n";
}

class Screen {
 public:
  explicit Screen(const NodeReport& report) : report_(report), status_(report.status) {}

  std::string Text() {
    text_ = Wrap(Clean(status_.agency()) + "  " + Clean(status_.version()) + "  up " +
                     Length(-Until(status_.started_at())) + "  " + TimeText(status_.now()),
                 2);
    AddConcerns();
    if (!status_.has_health()) return text_;
    AddNode();
    AddPartners();
    AddAgreements();
    AddLists();
    AddCapacities();
    AddDecisions();
    return text_;
  }

 private:
  const v1::NodeHealth& health() const { return status_.health(); }
  std::int64_t Until(const Timestamp& time) const {
    return time.seconds() - status_.now().seconds();
  }
  bool Withheld(const char* part) const {
    for (const std::string& withheld : health().withheld()) {
      if (withheld == part) return true;
    }
    return false;
  }

  void AddConcerns() {
    const std::size_t all = report_.concerns.size();
    if (all == 0) {
      text_ += "ALL WELL\n";
      return;
    }
    text_ += "NEEDS ATTENTION (" + std::to_string(all) + ")\n";
    for (std::size_t i = 0; i < std::min(all, kMostConcerns); ++i) {
      const Concern& concern = report_.concerns[i];
      text_ += Wrap("! " + Clean(concern.words), 2) + Wrap("    " + Clean(concern.remedy), 4);
    }
    if (all <= kMostConcerns) return;
    text_ += "  and " + std::to_string(all - kMostConcerns) + " more: comity status --json\n";
  }

  void AddNode() {
    std::string log = std::to_string(status_.log_size()) + " entries";
    if (health().has_checkpoint_at()) {
      log += ", checkpoint " + Length(-Until(health().checkpoint_at())) + " ago";
    }
    text_ += Part("store", "schema " + std::to_string(health().schema()) + ", " +
                               Size(health().disk_free()) + " of " + Size(health().disk_size()) +
                               " free");
    text_ += Part("log", log);
    std::string certificates;
    for (const v1::CertificateHealth& certificate : health().certificates()) {
      certificates += (certificates.empty() ? "" : ", ") + certificate.what() + " " +
                      Length(Until(certificate.expires_at())) + " left";
    }
    text_ += Part("certificates", certificates.empty() ? "unreadable" : certificates);
  }

  void AddPartners() {
    if (health().partners().empty()) {
      text_ += Part("partners", "none");
      return;
    }
    Table table({"PARTNER", "STATE", "SEEN", "CLOCK", "CERT", "WAITING", "OLDEST"});
    int rows = 0;
    for (const v1::PartnerHealth& partner : health().partners()) {
      if (rows++ == kMostRows) break;
      std::string clock;
      std::string certificate;
      for (const v1::PeerStatus& peer : status_.peers()) {
        if (peer.agency() != partner.agency() || !peer.reachable()) continue;
        clock = std::to_string(peer.clock_skew_ms()) + " ms";
        certificate = Length(Until(peer.certificate_expires_at()));
      }
      const bool is_active = partner.state() == "active";
      table.Add({partner.agency(), is_active ? partner.presence() : partner.state(),
                 partner.has_last_seen() ? Length(-Until(partner.last_seen())) + " ago" : "never",
                 clock, certificate, std::to_string(partner.waiting()),
                 partner.has_oldest() ? Length(-Until(partner.oldest())) : ""});
    }
    text_ += Indented(table.Text()) + Rest(health().partners_size(), "comity peer list");
  }

  void AddAgreements() {
    if (Withheld("agreements")) {
      text_ += Part("agreements", "not shown to this role");
      return;
    }
    std::map<std::string, int> counts;
    for (const v1::AgreementHealth& agreement : health().agreements()) {
      ++counts[agreement.status()];
    }
    std::string words;
    for (const auto& [state, count] : counts) {
      words += (words.empty() ? "" : ", ") + std::to_string(count) + " " + state;
    }
    text_ += Part("agreements", words.empty() ? "none" : words);
  }

  void AddLists() {
    if (Withheld("lists")) {
      text_ += Part("lists", "not shown to this role");
      return;
    }
    std::uint64_t searchable = 0;
    std::uint64_t active = 0;
    for (const v1::ListHealth& list : health().lists()) {
      if (!list.searchable()) continue;
      ++searchable;
      active += list.active();
    }
    text_ += Part("own lists", std::to_string(health().lists_size()) + ", " +
                                   std::to_string(searchable) + " searchable with " +
                                   std::to_string(active) + " entries");
    std::string copies;
    for (const v1::CopyHealth& copy : health().copies()) {
      copies += (copies.empty() ? "" : ", ") + std::to_string(copy.lists()) + " of " +
                copy.holder() + " (oldest " + Length(-Until(copy.oldest())) + ")";
    }
    text_ += Part("copies held", copies.empty() ? "none" : copies);
  }

  void AddCapacities() {
    if (Withheld("capacities")) return;
    if (health().capacities().empty()) {
      text_ += Part("capacities", "nothing used today");
      return;
    }
    Table table({"CAPACITY", "REQUESTER", "HOLDER", "USED TODAY"});
    int rows = 0;
    for (const v1::CapacityHealth& row : health().capacities()) {
      if (rows++ == kMostRows) break;
      const std::uint64_t share = row.limit() == 0 ? 100 : row.used() * 100 / row.limit();
      table.Add({row.agreement() + " " + row.clause(), row.requester(), row.holder(),
                 std::to_string(row.used()) + " (" + std::to_string(share) + " %)"});
    }
    text_ += Indented(table.Text()) + Rest(health().capacities_size(), "comity status --json");
  }

  void AddDecisions() {
    std::string stops = std::to_string(health().stops_size()) + " standing";
    if (health().revocations_size() > 0) {
      stops +=
          "; certificates or keys revoked here: " + std::to_string(health().revocations_size());
    }
    text_ += Part("stops", stops);
    std::string waiting;
    int rows = 0;
    for (const v1::ApprovalHealth& approval : health().approvals()) {
      if (rows++ == kMostRows) break;
      waiting += ", " + approval.act() + " (" + approval.subject() + ")";
    }
    text_ += Part("approvals", std::to_string(health().approvals_size()) + " waiting" + waiting);
    text_ += Part("notices", std::to_string(health().notices()) + " open for this person");
  }

  const NodeReport& report_;
  const v1::NodeStatusResponse& status_;
  std::string text_;
};

}  // namespace

std::string NodeText(const NodeReport& report) {
  return Screen(report).Text();
}

}  // namespace comity::cli
