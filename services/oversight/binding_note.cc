// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/binding_note.h"

#include <charconv>
#include <optional>
#include <system_error>

#include "crypto/base/encoding.h"
#include "crypto/base/secret.h"
#include "services/store/bound_tables.h"
#include "services/store/setting_store.h"

namespace comity::oversight {
namespace {

// "v2 WRITTEN MAC TEXT". What a former version wrote begins with a word of the text, or is empty.
constexpr std::string_view kVersion = "v2 ";

struct Sealed {
  std::uint64_t written = 0;
  Digest mac;
  std::string_view text;
};

std::optional<Sealed> Parse(std::string_view stored) {
  Sealed sealed;
  stored.remove_prefix(kVersion.size());
  const auto [end, error] =
      std::from_chars(stored.data(), stored.data() + stored.size(), sealed.written);
  if (error != std::errc() || sealed.written == 0) return std::nullopt;
  stored.remove_prefix(static_cast<std::size_t>(end - stored.data()));
  constexpr std::size_t kMac = 2 * sizeof(Digest::bytes);
  if (stored.size() < kMac + 2 || stored[0] != ' ' || stored[kMac + 1] != ' ') return std::nullopt;
  const auto mac = ParseHexDigest(stored.substr(1, kMac));
  if (!mac) return std::nullopt;
  sealed.mac = *mac;
  sealed.text = stored.substr(kMac + 2);
  return sealed;
}

}  // namespace

Result<BindingNote> ReadBindingNote(const store::Transaction& tx, std::uint64_t expected) {
  BindingNote note;
  if (!tx.bound_tables().Authenticate(kBindingNote, 0, "")) return note;
  COMITY_ASSIGN_OR_RETURN(const auto found, tx.settings().Find(kBindingNote));
  const std::string stored = found.value_or("");
  if (!stored.starts_with(kVersion)) {
    // Of a version that wrote no authenticator, which ends with the first start of this one. Taken
    // only while the ledger, which whoever writes to the database does not reach, has heard of no
    // note with one: from then on nobody can pass for that version. What such a text can bring
    // about is what it could before: a notice with other numbers, or none, at that one start. The
    // tables are not believed by it: each has an authenticator of its own.
    if (expected == 0) {
      note.text = stored;
    } else {
      note.fault = "its authenticator is missing";
    }
    return note;
  }
  const auto sealed = Parse(stored);
  const auto mac = sealed
                       ? tx.bound_tables().Authenticate(kBindingNote, sealed->written, sealed->text)
                       : std::nullopt;
  if (!mac || !ConstantTimeEqual(mac->view(), sealed->mac.view())) {
    note.fault = "it was changed by somebody else than this gateway";
    return note;
  }
  note.written = sealed->written;
  if (sealed->written < expected) {
    note.fault = "an older state of it was put back";
  } else {
    note.text = sealed->text;
  }
  return note;
}

Status WriteBindingNote(store::Transaction& tx, std::uint64_t before, std::string_view text) {
  const std::uint64_t written = before + 1;
  const auto mac = tx.bound_tables().Authenticate(kBindingNote, written, text);
  if (!mac) return {};
  return tx.settings().Put(kBindingNote, std::string(kVersion) + std::to_string(written) + " " +
                                             EncodeHex(mac->view()) + " " + std::string(text));
}

}  // namespace comity::oversight
