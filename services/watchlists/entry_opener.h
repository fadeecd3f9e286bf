// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/runtime/task_pipeline.h"
#include "services/watchlists/entry_seal.h"
#include "services/watchlists/register.h"

namespace comity::watchlists {

// Opens the entries of one list on all cores while the caller reads on; a template is wiped after
// it was shown.
//
// Threads: thread-compatible; entries are shown as the constructor says.
class EntryOpener {
 public:
  // In the thread that calls Take and Finish, in the order in which entries were taken.
  using Visit = std::function<Status(const ActiveEntry&)>;
  // In the threads that open, with its place in that order: several at a time.
  using Place = std::function<Status(std::size_t, const ActiveEntry&)>;

  // References must outlive the object.
  // In: list_key  copied with the first entry that is taken
  EntryOpener(const policy::WatchlistId& list, Visit visit);
  EntryOpener(const policy::WatchlistId& list, Place place);

  // In:     list_key, dimension  the same for every entry
  // Errors: the first of showing an entry; kCorrupt  an entry before this one does not open
  Status Take(store::EntryRecord entry, policy::Instant until, const SecretBytes& list_key,
              std::uint32_t dimension);
  // Shows what was not shown yet. Errors: as above
  Status Finish();
  std::size_t taken() const { return taken_; }

 private:
  struct Read {
    store::EntryRecord record;
    policy::Instant until{};
  };
  struct Chunk {
    std::size_t first = 0;  // place
    std::vector<Read> read;
    std::vector<OpenedEntry> opened;  // up to the first that does not open; none with `place_`
    Status status;
  };

  Chunk OpenAll(std::size_t first, std::vector<Read> read, const SecretBytes& list_key,
                std::uint32_t dimension) const;
  Status OpenOne(Chunk& chunk, std::size_t index, const SecretBytes& list_key,
                 std::uint32_t dimension) const;
  Status OpenRead();
  Status Show(const Chunk& chunk) const;

  const policy::WatchlistId list_;
  const Visit visit_;
  const Place place_;
  std::shared_ptr<const SecretBytes> list_key_;  // of the list as it was when the reading began
  std::uint32_t dimension_ = 0;
  std::size_t taken_ = 0;
  std::vector<Read> read_;
  runtime::TaskPipeline<Chunk> opening_;
};

}  // namespace comity::watchlists
