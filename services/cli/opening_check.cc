// SPDX-License-Identifier: Apache-2.0
#include "services/cli/opening_check.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "crypto/base/secret.h"
#include "crypto/hash/blake2b.h"
#include "crypto/sealed/probe.h"
#include "crypto/sealed/score.h"
#include "crypto/sealed/sealed_list.h"
#include "crypto/tlog/entry.h"
#include "crypto/tlog/entry_bundle.h"
#include "crypto/tlog/tile.h"
#include "services/runtime/guarded.h"

namespace comity::cli {

// What an honest requester would have sent of one frame, and what the log was found to say of it.
struct ExpectedFrame {
  std::string exchange;
  // As the holder's entry would have them.
  std::map<std::string, Digest> blinded;
  std::map<std::string, Digest> headers;
  std::vector<tlog::LogEntry::Agreement> agreements;  // of its lists
  std::string fault;  // why nobody honest would have sent it; empty: none
  // Of every entry that was found:
  bool found = false;
  bool names_lists = true;
  std::string difference;  // empty: none
};

namespace {

constexpr std::string_view kHitEntry = "search-hit";
constexpr std::string_view kPublishedEntry = "sealed-list-published";
constexpr std::string_view kBlindedMessage = "blinded-";
constexpr std::string_view kHeaderMessage = "header-";

Result<Digest> BlindAgain(const sealed::ListHeader& header, const v1::FrameOpening& frame,
                          const std::string& seed) {
  COMITY_ASSIGN_OR_RETURN(
      const sealed::PublicMatrix matrix,
      sealed::PublicMatrix::Expand(header.public_seed, header.scales.dimension));
  const std::span<const std::int8_t> q(reinterpret_cast<const std::int8_t*>(frame.probe().data()),
                                       frame.probe().size());
  COMITY_ASSIGN_OR_RETURN(
      const sealed::Probe probe,
      sealed::Probe::Blind(matrix, q, SecretBytes::CopyOf(AsBytes(seed)), sealed::FastestKernel()));
  return hash::Blake2b256({probe.message()});
}

Status AddExpectedList(const v1::AlertOpening& opening, const v1::FrameOpening& frame, int index,
                       ExpectedFrame& expected) {
  const v1::SealedListOpening& list = frame.lists(index);
  COMITY_ASSIGN_OR_RETURN(const sealed::ListHeader header,
                          sealed::ParseListHeader(AsBytes(list.header())));
  if (header.holder != opening.holder() || header.requester != opening.requester()) {
    return Fail(ErrorCode::kInvalidArgument, "the list was sealed by or for somebody else");
  }
  const std::string at = std::to_string(index);
  expected.headers.emplace(std::string(kHeaderMessage) + at, sealed::HeaderDigest(header));
  expected.agreements.push_back(
      {header.agreement, header.agreement_version, header.agreement_sha256});
  COMITY_ASSIGN_OR_RETURN(const Digest digest, BlindAgain(header, frame, list.seed()));
  expected.blinded.emplace(std::string(kBlindedMessage) + at, digest);
  return {};
}

ExpectedFrame ExpectFrame(const v1::AlertOpening& opening, const v1::FrameOpening& frame) {
  ExpectedFrame expected;
  expected.exchange = frame.exchange_id();
  for (int i = 0; i < frame.lists_size() && expected.fault.empty(); ++i) {
    const Status added = AddExpectedList(opening, frame, i, expected);
    if (!added) expected.fault = "list " + std::to_string(i) + ": " + added.error().detail;
  }
  return expected;
}

std::map<std::string, Digest> MessagesOf(const tlog::LogEntry& entry, std::string_view prefix) {
  std::map<std::string, Digest> messages;
  for (const auto& [name, digest] : entry.messages) {
    if (name.starts_with(prefix)) messages.emplace(name, digest);
  }
  return messages;
}

// What was sent is of the very lists that were searched, each at its place: c'' of another list's
// seed, or of a list under another agreement, is a crafted probe of this one.
void CompareWith(const tlog::LogEntry& entry, ExpectedFrame& frame) {
  frame.found = true;
  const auto headers = MessagesOf(entry, kHeaderMessage);
  frame.names_lists = frame.names_lists && !headers.empty();
  const auto other_agreement = [&](const tlog::LogEntry::Agreement& agreement) {
    return entry.agreement && *entry.agreement != agreement;
  };
  if (MessagesOf(entry, kBlindedMessage) != frame.blinded) {
    frame.difference = "the holder got something else than the probe of this template";
  } else if (!headers.empty() && headers != frame.headers) {
    frame.difference = "other lists were searched than those that this is a probe for";
  } else if (std::ranges::any_of(frame.agreements, other_agreement)) {
    frame.difference = "a list of it is under another agreement than the search";
  }
}

// Entries have no escapes: these octets stand in one exactly if it is of this type.
bool IsOfType(std::string_view text, std::string_view type) {
  return text.find("\"type\":\"" + std::string(type) + "\"") != std::string_view::npos;
}

}  // namespace

struct OpeningCheck::State {
  struct Seen {
    std::vector<ExpectedFrame> frames;
    std::set<Digest> published;  // of the headers that the frames name
  };
  std::string holder;
  std::string requester;
  runtime::Guarded<Seen> seen;

  void Look(std::string_view text);
  void LookAtHit(const tlog::LogEntry& entry);
  void LookAtList(const tlog::LogEntry& entry);
};

void OpeningCheck::State::LookAtHit(const tlog::LogEntry& entry) {
  if (MessagesOf(entry, kBlindedMessage).empty()) return;  // of a search that was not sealed
  seen.With([&](Seen& now) {
    for (ExpectedFrame& frame : now.frames) {
      if (frame.exchange == entry.exchange) CompareWith(entry, frame);
    }
  });
}

void OpeningCheck::State::LookAtList(const tlog::LogEntry& entry) {
  const auto header = entry.messages.find("header");
  if (header == entry.messages.end()) return;
  seen.With([&](Seen& now) {
    for (const ExpectedFrame& frame : now.frames) {
      for (const auto& [name, expected] : frame.headers) {
        if (expected == header->second) now.published.insert(expected);
      }
    }
  });
}

void OpeningCheck::State::Look(std::string_view text) {
  const bool is_hit = IsOfType(text, kHitEntry);
  if (!is_hit && !IsOfType(text, kPublishedEntry)) return;
  const auto entry = tlog::ParseEntry(text);
  if (!entry) return;  // the log does not verify then
  const bool concerns_both = !entry->parties.empty() && entry->parties.front() == holder &&
                             std::ranges::count(entry->parties, requester) != 0;
  if (!concerns_both) return;
  if (is_hit) {
    LookAtHit(*entry);
  } else {
    LookAtList(*entry);
  }
}

std::string Name(OpeningFinding finding) {
  switch (finding) {
    case OpeningFinding::kVerified:
      return "verified";
    case OpeningFinding::kDiffers:
      return "differs";
    case OpeningFinding::kNotInLog:
      break;
  }
  return "not-in-log";
}

OpeningCheck::OpeningCheck(const v1::AlertOpening& opening) : state_(std::make_unique<State>()) {
  state_->holder = opening.holder();
  state_->requester = opening.requester();
  state_->seen.With([&](State::Seen& seen) {
    for (const v1::FrameOpening& frame : opening.frames()) {
      seen.frames.push_back(ExpectFrame(opening, frame));
    }
  });
}

OpeningCheck::~OpeningCheck() = default;

tlog::LogExport OpeningCheck::Watch(tlog::LogExport log) {
  log.read = [read = std::move(log.read), this](const std::string& path) -> Result<Bytes> {
    COMITY_ASSIGN_OR_RETURN(Bytes content, read(path));
    const auto tile = tlog::ParseTilePath(path);
    if (tile && tile->entries) {
      // A bundle that is no bundle fails the verification.
      const Status ignored = tlog::ForEachEntry(content, tile->width, [&](ByteView entry) {
        state_->Look(AsText(entry));
        return Status();
      });
      static_cast<void>(ignored);
    }
    return content;
  };
  return log;
}

std::vector<FrameFinding> OpeningCheck::Findings() const {
  return state_->seen.With([](const State::Seen& seen) {
    std::vector<FrameFinding> findings;
    for (const ExpectedFrame& frame : seen.frames) {
      FrameFinding& one = findings.emplace_back();
      one.exchange = frame.exchange;
      if (!frame.found) {
        one.words = "this log has no hit of that sealed probe";
      } else if (!frame.fault.empty()) {
        one.finding = OpeningFinding::kDiffers;
        one.words = "no opening of an honest probe: " + frame.fault;
      } else if (!frame.difference.empty()) {
        one.finding = OpeningFinding::kDiffers;
        one.words = frame.difference;
      } else if (!frame.names_lists) {
        one.words = "this log does not say which sealed lists were searched";
      } else if (!std::ranges::all_of(frame.headers, [&](const auto& header) {
                   return seen.published.contains(header.second);
                 })) {
        one.words = "this log does not say that the holder published that sealed list";
      } else {
        one.finding = OpeningFinding::kVerified;
      }
    }
    return findings;
  });
}

}  // namespace comity::cli
