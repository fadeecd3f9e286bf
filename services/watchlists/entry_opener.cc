// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/entry_opener.h"

#include <utility>

namespace comity::watchlists {
namespace {

constexpr std::size_t kOpenedAtOnce = 256;  // entries in one task

ActiveEntry Shown(const store::EntryRecord& record, policy::Instant until,
                  const OpenedEntry& opened) {
  return {
      record.reference,  record.category, opened.fields.subject,      opened.fields.response_code,
      record.valid_from, until,           opened.face_template.Row(0)};
}

}  // namespace

EntryOpener::EntryOpener(const policy::WatchlistId& list, Visit visit)
    : list_(list),
      visit_(std::move(visit)),
      opening_([this](const Chunk& chunk) { return Show(chunk); }) {}

EntryOpener::EntryOpener(const policy::WatchlistId& list, Place place)
    : list_(list),
      place_(std::move(place)),
      opening_([](const Chunk& chunk) { return chunk.status; }) {}

Status EntryOpener::Take(store::EntryRecord entry, policy::Instant until,
                         const SecretBytes& list_key, std::uint32_t dimension) {
  if (!list_key_) {
    list_key_ = std::make_shared<const SecretBytes>(list_key.Clone());
    dimension_ = dimension;
  }
  read_.push_back({std::move(entry), until});
  ++taken_;
  return read_.size() < kOpenedAtOnce ? Status() : OpenRead();
}

Status EntryOpener::Finish() {
  COMITY_RETURN_IF_ERROR(OpenRead());
  return opening_.Finish();
}

Status EntryOpener::OpenRead() {
  if (read_.empty()) return {};
  const std::size_t first = taken_ - read_.size();
  auto read = std::make_shared<std::vector<Read>>(std::exchange(read_, {}));
  read_.reserve(kOpenedAtOnce);
  return opening_.Start([this, first, read, key = list_key_, dimension = dimension_] {
    return OpenAll(first, std::move(*read), *key, dimension);
  });
}

EntryOpener::Chunk EntryOpener::OpenAll(std::size_t first, std::vector<Read> read,
                                        const SecretBytes& list_key,
                                        std::uint32_t dimension) const {
  Chunk chunk{first, std::move(read), {}, {}};
  if (visit_) chunk.opened.reserve(chunk.read.size());
  for (std::size_t i = 0; i < chunk.read.size() && chunk.status; ++i) {
    chunk.status = OpenOne(chunk, i, list_key, dimension);
  }
  if (place_) chunk.read.clear();  // here rather than where the next ones are read
  return chunk;
}

Status EntryOpener::OpenOne(Chunk& chunk, std::size_t index, const SecretBytes& list_key,
                            std::uint32_t dimension) const {
  const Read& read = chunk.read[index];
  COMITY_ASSIGN_OR_RETURN(OpenedEntry opened, OpenEntry(list_key, list_, read.record, dimension));
  if (place_) return place_(chunk.first + index, Shown(read.record, read.until, opened));
  chunk.opened.push_back(std::move(opened));
  return {};
}

Status EntryOpener::Show(const Chunk& chunk) const {
  for (std::size_t i = 0; i < chunk.opened.size(); ++i) {
    const Read& read = chunk.read[i];
    COMITY_RETURN_IF_ERROR(visit_(Shown(read.record, read.until, chunk.opened[i])));
  }
  return chunk.status;
}

}  // namespace comity::watchlists
