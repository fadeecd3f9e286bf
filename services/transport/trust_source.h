// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "services/runtime/clock.h"
#include "services/transport/openssl_ptr.h"
#include "services/transport/peer_identity.h"

namespace comity::transport {

// Who may be certified by which files: one pinned gateway, or the engines and people of one agency.
struct TrustSource {
  std::string agency;
  std::string trust_domain;
  bool own_people = false;            // false: the gateway of the domain only
  std::filesystem::path anchor_file;  // or, when empty, the text itself:
  std::optional<std::filesystem::path> crl_file;
  std::string anchor_pem{};
};

// True if `source` is the one that may speak for `identity`.
bool SpeaksFor(const TrustSource& source, const PeerIdentity& identity);

// Tells whether a file is the one that was read: rename, write and touch all change it.
struct FileStamp {
  bool present = false;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
// The stamps of a source's files, in a fixed order.
std::vector<FileStamp> StampsOf(const TrustSource& source);

// What the files of a source held at one moment.
//
// Threads: immutable; OpenSSL's store locks what it caches.
struct LoadedTrust {
  std::vector<FileStamp> stamps;
  Status usable;              // an error refuses every certificate of this source
  bool anchors_read = false;  // false: `usable` is about the anchor file
  std::string anchors_pem;    // re-encoded; empty if the anchor file is not usable
  X509StackPtr anchors;
  CrlStackPtr crls;
  X509StorePtr store;
};
std::shared_ptr<const LoadedTrust> LoadTrust(const TrustSource& source);

// What is expired or unreadable, in words.
std::vector<std::string> FaultsOf(const TrustSource& source, const LoadedTrust& loaded,
                                  runtime::Instant now);

}  // namespace comity::transport
