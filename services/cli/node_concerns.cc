// SPDX-License-Identifier: Apache-2.0
#include "services/cli/node_concerns.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using google::protobuf::Timestamp;

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kCertificateSoon = 14 * kDay;
constexpr std::int64_t kCrlSoon = 2 * kDay;         // of the 7 that a list lives
constexpr std::int64_t kAgreementSoon = 30 * kDay;  // two agencies need weeks to sign the next one
constexpr std::int64_t kCheckpointLate = kMinute;   // it follows within 100 ms
constexpr std::int64_t kMessageLate = 60 * kMinute;
constexpr std::int64_t kClockOff = 5000;  // ms; from 60 s on messages are refused
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kDiskLow = 512 * kMebibyte;

class Finder {
 public:
  Finder(const v1::NodeStatusResponse& status, bool contacted)
      : status_(status), contacted_(contacted) {}

  std::vector<Concern> Find() {
    AddNode();
    if (status_.has_health()) AddLog();
    AddContacts();
    if (!status_.has_health()) return std::move(concerns_);
    AddPartners();
    AddAgreements();
    AddCertificates();
    AddLists();
    AddCapacities();
    AddDecisions();
    return std::move(concerns_);
  }

 private:
  const v1::NodeHealth& health() const { return status_.health(); }
  std::int64_t SecondsUntil(const Timestamp& time) const {
    return time.seconds() - status_.now().seconds();
  }
  void Add(std::string words, std::string remedy) {
    concerns_.push_back({std::move(words), std::move(remedy)});
  }

  void AddNode() {
    if (!status_.has_health()) {
      Add("this node was put back from a backup and serves nobody yet",
          "comity restoration status; comity restoration confirm");
    }
    if (!status_.configuration_acknowledged()) {
      Add("the configuration is another one than was acknowledged",
          "compare the file, then comity node acknowledge-configuration");
    }
    if (status_.has_health() && health().disk_free() < kDiskLow) {
      Add("only " + std::to_string(health().disk_free() / kMebibyte) +
              " MiB are free on the disk of the data",
          "make room: what cannot be logged is not answered");
    }
  }

  void AddLog() {
    if (!health().log_problem().empty()) {
      Add("audit log: " + health().log_problem(), "look into the gateway's log at once");
    } else if (!health().publishing()) {
      Add("checkpoints of the audit log cannot be published", "look into the gateway's log");
    } else if (status_.log_size() > status_.checkpoint_size() && health().has_checkpoint_at() &&
               -SecondsUntil(health().checkpoint_at()) > kCheckpointLate) {
      Add("the last checkpoint of the audit log is of " + TimeText(health().checkpoint_at()),
          "look into the gateway's log");
    }
  }

  void AddContacts() {
    if (!contacted_) return;
    for (const v1::PeerStatus& peer : status_.peers()) {
      if (!peer.reachable()) {
        Add(peer.agency() + " does not answer: " + peer.fault(),
            "comity doctor at the gateway says why; ask the partner");
        continue;
      }
      if (std::llabs(peer.clock_skew_ms()) > kClockOff) {
        Add("the clock of " + peer.agency() + " differs by " +
                std::to_string(peer.clock_skew_ms()) + " ms",
            "see which of the two is wrong (timedatectl); 60 s apart, messages are refused");
      }
      if (peer.has_certificate_expires_at() &&
          SecondsUntil(peer.certificate_expires_at()) < kCertificateSoon) {
        Add("the certificate of " + peer.agency() + " expires at " +
                TimeText(peer.certificate_expires_at()),
            "tell the partner");
      }
    }
  }

  void AddPartners() {
    for (const v1::PartnerHealth& partner : health().partners()) {
      if (partner.state() == "suspended") {
        Add(partner.agency() + " is suspended here", "comity peer list; comity peer resume");
      } else if (partner.presence() == "away") {
        Add(partner.agency() + " is away, last seen " + TimeText(partner.last_seen()),
            "ask the partner; comity doctor at the gateway says what the network says");
      }
      if (partner.waiting() == 0) continue;
      const std::string messages =
          std::to_string(partner.waiting()) + " messages wait for " + partner.agency();
      if (!partner.refused().empty()) {
        Add(messages + ", refused with " + partner.refused(),
            "ask the partner for the cause in its gateway's log");
      } else if (-SecondsUntil(partner.oldest()) > kMessageLate) {
        Add(messages + ", the oldest since " + TimeText(partner.oldest()),
            "withdrawals do not arrive while they wait: reach the partner");
      }
    }
  }

  void AddAgreements() {
    for (const v1::AgreementHealth& agreement : health().agreements()) {
      const std::string& name = agreement.agreement();
      const std::string look = "comity agreement status " + name.substr(0, name.find('@'));
      if (agreement.differs()) Add(name + " stands otherwise at the partner", look);
      if (agreement.status() == "suspended" || agreement.status() == "review-overdue" ||
          agreement.status() == "untrusted-keys") {
        Add(name + " is " + agreement.status() + ": nothing is searched under it", look);
      } else if (agreement.status() == "in-force" &&
                 SecondsUntil(agreement.until()) < kAgreementSoon) {
        Add(name + " ends at " + TimeText(agreement.until()), "draft the next version");
      } else if (agreement.status() == "in-force" && !agreement.reviewed() &&
                 SecondsUntil(agreement.review_by()) < kAgreementSoon) {
        Add(name + " must be reviewed by " + TimeText(agreement.review_by()),
            "comity agreement review");
      }
    }
  }

  void AddCertificates() {
    for (const v1::CertificateHealth& certificate : health().certificates()) {
      const bool is_list = certificate.what() == "keys.crl";
      const std::int64_t left = SecondsUntil(certificate.expires_at());
      if (left >= (is_list ? kCrlSoon : kCertificateSoon)) continue;
      Add(certificate.what() + (left < 0 ? " expired at " : " expires at ") +
              TimeText(certificate.expires_at()),
          is_list ? "comity pki renew-crl" : "comity pki issue --gateway --renew");
    }
  }

  void AddLists() {
    for (const v1::ListHealth& list : health().lists()) {
      if (list.stale() > 0) {
        Add(std::to_string(list.stale()) + " entries of " + list.list() +
                " match no more until somebody has looked at them",
            "comity watchlist entries " + list.list());
      }
      if (list.has_delete_by() && SecondsUntil(list.delete_by()) < 0) {
        Add(list.list() + " should have been erased by " + TimeText(list.delete_by()),
            "comity retention due");
      }
    }
  }

  void AddCapacities() {
    constexpr std::uint64_t kNearly = 90;  // per cent
    for (const v1::CapacityHealth& row : health().capacities()) {
      if (row.limit() == 0 || row.used() * 100 < row.limit() * kNearly) continue;
      Add("searches of " + row.requester() + " at " + row.holder() + " under " + row.agreement() +
              " (" + row.clause() + "): " + std::to_string(row.used()) + " of " +
              std::to_string(row.limit()) + " used today",
          "the rest is refused until midnight UTC");
    }
  }

  void AddDecisions() {
    for (const v1::StopHealth& stop : health().stops()) {
      if (stop.scope() == "table") {
        Add("the database's table " + stop.reference() + " is not to be trusted: " + stop.set_by() +
                "; what rests on it is refused",
            "find out who writes to the database; then comity restore, which two people confirm");
        continue;
      }
      Add(stop.scope() + " " + stop.reference() + " is stopped by " + stop.set_by() + " since " +
              TimeText(stop.set_at()),
          "comity stop list; comity stop lift " + stop.stop());
    }
    if (health().approvals_size() > 0) {
      Add(std::to_string(health().approvals_size()) + " acts wait for a second person",
          "comity approvals list");
    }
    if (health().notices() > 0) {
      Add(std::to_string(health().notices()) + " notices are not acknowledged",
          "comity notice list");
    }
  }

  const v1::NodeStatusResponse& status_;
  const bool contacted_;
  std::vector<Concern> concerns_;
};

}  // namespace

std::vector<Concern> ConcernsOf(const v1::NodeStatusResponse& status, bool contacted) {
  return Finder(status, contacted).Find();
}

}  // namespace comity::cli
