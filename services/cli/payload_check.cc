// SPDX-License-Identifier: Apache-2.0
#include "services/cli/payload_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include "crypto/base/secret.h"
#include "crypto/hash/sha256.h"
#include "crypto/tlog/commitment.h"
#include "crypto/tlog/entry.h"
#include "crypto/tlog/entry_bundle.h"
#include "crypto/tlog/tile.h"
#include "services/cli/wire_text.h"
#include "services/runtime/guarded.h"

namespace comity::cli {
namespace {

constexpr std::size_t kKeySize = 32;

const v1::OpenedField* FieldOf(const v1::OpenedEntry& entry, std::string_view name) {
  for (const v1::OpenedField& field : entry.fields()) {
    if (field.name() == name) return &field;
  }
  return nullptr;
}

// What is wrong with the fields; empty: the entry commits to exactly them.
std::string FaultOfFields(const v1::OpenedEntry& opened, const tlog::LogEntry& entry) {
  if (opened.record_key().size() != kKeySize) return "the key has not 32 octets";
  const SecretBytes key = SecretBytes::CopyOf(AsBytes(opened.record_key()));
  for (const v1::OpenedField& field : opened.fields()) {
    const auto commitment = entry.commitments.find(field.name());
    if (commitment == entry.commitments.end()) {
      return "the entry has no commitment to " + field.name();
    }
    if (!tlog::Opens(commitment->second, key, field.name(), AsBytes(field.octets()))) {
      return "the entry commits to another value of " + field.name();
    }
  }
  for (const auto& [name, commitment] : entry.commitments) {
    if (FieldOf(opened, name) == nullptr) return name + " is left out";
  }
  return {};
}

// The one that the partner was sent on that day, made again: docs/formats/federation.md.
std::string FaultOfCommitment(const v1::OpenedCommitment& one, const v1::OpenedEntry& opened,
                              const tlog::LogEntry& entry) {
  const std::string what = "the commitment to the " + one.kind() + " of " + one.day();
  const auto* text = FieldOf(opened, one.kind() == "officer" ? "operator" : "case_ref");
  if ((one.kind() != "officer" && one.kind() != "case") || text == nullptr || !entry.agreement ||
      one.key().size() != kKeySize) {
    return what + " is of nothing that the entry has";
  }
  const std::string name = "comity/commitment/v1|" + one.kind() + "|" + entry.agreement->id + "|" +
                           one.day() + "|" + text->octets();
  const Digest value = hash::HmacSha256(SecretBytes::CopyOf(AsBytes(one.key())), {AsBytes(name)});
  return AsText(value.view()) == one.value() ? std::string() : what + " is not opened by its key";
}

EntryFinding Judge(const v1::OpenedEntry& opened) {
  EntryFinding finding{opened.index(), PayloadFinding::kDiffers, {}};
  const auto entry = tlog::ParseEntry(opened.entry());
  if (!entry) {
    finding.words = "no entry of a log: " + entry.error().detail;
  } else if (opened.erased()) {
    finding.finding = PayloadFinding::kErased;
    finding.words = opened.has_period_ended()
                        ? "its period ended at " + TimeText(opened.period_ended())
                        : "it had no period of its own: the log's records-erased say when";
  } else {
    finding.words = FaultOfFields(opened, *entry);
    for (const v1::OpenedCommitment& one : opened.commitments()) {
      if (finding.words.empty()) finding.words = FaultOfCommitment(one, opened, *entry);
    }
    if (finding.words.empty()) finding.finding = PayloadFinding::kVerified;
  }
  return finding;
}

}  // namespace

struct PayloadCheck::State {
  const PayloadOpenings& openings;
  // By index: what the log has there.
  runtime::Guarded<std::map<std::uint64_t, std::string>> logged;
};

std::string Name(PayloadFinding finding) {
  switch (finding) {
    case PayloadFinding::kVerified:
      return "verified";
    case PayloadFinding::kErased:
      return "erased";
    case PayloadFinding::kDiffers:
      return "differs";
    case PayloadFinding::kNotInLog:
      break;
  }
  return "not-in-log";
}

PayloadCheck::PayloadCheck(const PayloadOpenings& openings)
    : state_(new State{.openings = openings, .logged = {}}) {}
PayloadCheck::~PayloadCheck() = default;

tlog::LogExport PayloadCheck::Watch(tlog::LogExport log) {
  log.read = [read = std::move(log.read), this](const std::string& path) -> Result<Bytes> {
    COMITY_ASSIGN_OR_RETURN(Bytes content, read(path));
    const auto tile = tlog::ParseTilePath(path);
    if (!tile || !tile->entries) return content;
    std::uint64_t index = tile->index * tlog::kTileWidth;
    // A bundle that is no bundle fails the verification.
    const Status ignored = tlog::ForEachEntry(content, tile->width, [&](ByteView entry) {
      const auto is_it = [&](const v1::OpenedEntry& one) { return one.index() == index; };
      if (std::ranges::any_of(state_->openings.entries, is_it)) {
        state_->logged.With([&](auto& logged) { logged[index] = AsText(entry); });
      }
      ++index;
      return Status();
    });
    static_cast<void>(ignored);
    return content;
  };
  return log;
}

std::vector<EntryFinding> PayloadCheck::Findings() const {
  return state_->logged.With([&](const auto& logged) {
    std::vector<EntryFinding> findings;
    for (const v1::OpenedEntry& opened : state_->openings.entries) {
      const auto found = logged.find(opened.index());
      if (found == logged.end()) {
        findings.push_back({opened.index(), PayloadFinding::kNotInLog, "the log is shorter"});
      } else if (found->second != opened.entry()) {
        findings.push_back(
            {opened.index(), PayloadFinding::kDiffers, "the log has another entry there"});
      } else {
        findings.push_back(Judge(opened));
      }
    }
    return findings;
  });
}

}  // namespace comity::cli
