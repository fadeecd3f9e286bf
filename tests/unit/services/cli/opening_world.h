// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "comity/v1/alerts.pb.h"
#include "crypto/hash/blake2b.h"
#include "crypto/sealed/probe.h"
#include "crypto/sealed/sealed_list.h"
#include "tests/support/sample_log.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::testing {

// A requester that searched lists sealed, and what its holder logged.
//
// Threads: thread-compatible.
class OpeningWorld {
 public:
  OpeningWorld() {
    for (std::uint8_t i = 0; i < 2; ++i) {
      headers.push_back(sealed::testing::SampleHeader({.dimension = 128}));
      headers.back().epoch = i + 1U;
      headers.back().public_seed.fill(i);
    }
    opening.set_alert("a-1");
    opening.set_requester("kantonspolizei-sued");
    opening.set_holder("landespolizei-nord");
  }

  // A frame that was searched honestly in all lists; returns the digests that the holder logs.
  std::map<std::string, Digest> Search(const std::string& exchange) {
    return Search(exchange, headers);
  }
  // The same with probes that were blinded for other lists of as many.
  std::map<std::string, Digest> Search(const std::string& exchange,
                                       const std::vector<sealed::ListHeader>& blinded_for) {
    v1::FrameOpening& frame = *opening.add_frames();
    const std::vector<std::int8_t> q = faces.Template();
    frame.set_exchange_id(exchange);
    frame.set_probe(q.data(), q.size());
    std::map<std::string, Digest> messages;
    for (std::size_t i = 0; i < headers.size(); ++i) {
      const auto matrix = sealed::PublicMatrix::Expand(blinded_for[i].public_seed, 128).value();
      SecretBytes seed(32);
      random.Fill(seed.ExposeMutable());
      v1::SealedListOpening& list = *frame.add_lists();
      const Bytes header = sealed::EncodeListHeader(blinded_for[i]);
      list.set_header(header.data(), header.size());
      list.set_seed(seed.Expose().data(), seed.size());
      const auto probe =
          sealed::Probe::Blind(matrix, q, std::move(seed), sealed::FastestKernel()).value();
      messages["blinded-" + std::to_string(i)] = hash::Blake2b256({probe.message()});
      messages["header-" + std::to_string(i)] = sealed::HeaderDigest(headers[i]);
    }
    return messages;
  }
  tlog::LogEntry Entry(const std::string& type) const {
    tlog::LogEntry entry;
    entry.type = type;
    entry.time = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25);
    entry.parties = {opening.holder(), opening.requester()};
    return entry;
  }
  void LogHit(const std::string& exchange, const std::map<std::string, Digest>& messages) {
    const sealed::ListHeader& list = headers.front();
    tlog::LogEntry entry = Entry("search-hit");
    entry.exchange = exchange;
    entry.agreement = {list.agreement, list.agreement_version, list.agreement_sha256};
    entry.messages = messages;
    entry.messages["probe"] = hash::Blake2b256({AsBytes(exchange)});
    entries.push_back(entry);
  }
  void LogLists() {
    for (const sealed::ListHeader& header : headers) {
      entries.push_back(Entry("sealed-list-published"));
      entries.back().messages["header"] = sealed::HeaderDigest(header);
    }
  }
  // The entries so far, among others.
  SampleLog Log() const {
    return MakeSampleLog(entries.size() + 300, [&](std::uint64_t i) {
      return *tlog::EncodeEntry(i < 300 ? SampleEntry(i) : entries[i - 300]);
    });
  }

  sealed::testing::Faces faces{128, 5};
  sealed::testing::SeededRandom random{6};
  std::vector<sealed::ListHeader> headers;
  v1::AlertOpening opening;
  std::vector<tlog::LogEntry> entries;
};

}  // namespace comity::testing
