// SPDX-License-Identifier: Apache-2.0
#include "services/casework/alert_seal.h"

#include <string>
#include <string_view>

#include "crypto/envelope/aead.h"

namespace comity::casework {
namespace {

std::string KeyContext(std::string_view id) {
  return "alert-key|" + std::string(id);
}
std::string ContentContext(std::string_view id) {
  return "alert|" + std::string(id);
}

store::AlertRecord ClearColumns(const Alert& alert) {
  store::AlertRecord record;
  record.id = alert.id;
  record.deployment = alert.deployment;
  record.holder = alert.holder;
  record.reference = alert.hit.reference;
  if (record.reference.empty()) record.answer = alert.exchange_id;
  record.state = alert.state;
  record.first_seen = alert.first_seen;
  record.last_seen = alert.last_seen;
  record.expires_at = alert.expires_at;
  record.frames = alert.frame_count;
  record.agreement = alert.agreement.id;
  record.version = alert.agreement.version;
  if (alert.entry_note) {
    record.change = alert.entry_note->change;
    record.changed_at = alert.entry_note->at;
  }
  return record;
}

// In: stored  may be of a schema that had no agreement or no answer
bool SameColumns(const store::AlertRecord& left, const store::AlertRecord& stored) {
  const bool same_agreement = left.agreement == stored.agreement && left.version == stored.version;
  const bool same_answer = left.answer == stored.answer || stored.answer.empty();
  return (same_agreement || stored.agreement.empty()) && same_answer &&
         left.change == stored.change && left.changed_at == stored.changed_at &&
         left.id == stored.id && left.deployment == stored.deployment &&
         left.holder == stored.holder && left.reference == stored.reference &&
         left.state == stored.state && left.first_seen == stored.first_seen &&
         left.last_seen == stored.last_seen && left.expires_at == stored.expires_at &&
         left.frames == stored.frames;
}

tl::unexpected<Error> Corrupt(const store::AlertRecord& record, std::string_view what) {
  return Fail(ErrorCode::kCorrupt, "alert " + record.id + ": " + std::string(what));
}

}  // namespace

store::AlertRecord SealAlert(const Alert& alert, const SecretBytes& kek, RandomSource& random) {
  store::AlertRecord record = ClearColumns(alert);
  const SecretBytes key = envelope::GenerateKey(random);
  record.wrapped_key = envelope::WrapKey(kek, key, AsBytes(KeyContext(alert.id)), random);
  record.sealed =
      envelope::Seal(key, AsBytes(EncodeAlert(alert)), AsBytes(ContentContext(alert.id)), random);
  return record;
}

store::AlertRecord Erased(const store::AlertRecord& record, const EntryNote& why) {
  store::AlertRecord erased = record;
  erased.state = store::AlertState::kWithdrawn;
  erased.change = why.change;
  erased.changed_at = why.at;
  erased.wrapped_key.clear();
  erased.sealed.clear();
  return erased;
}

Result<Alert> OpenAlert(const store::AlertRecord& record, const SecretBytes& kek) {
  const auto key = envelope::UnwrapKey(kek, record.wrapped_key, AsBytes(KeyContext(record.id)));
  if (!key) return Corrupt(record, "its key is missing or does not open");
  const auto content = envelope::Open(*key, record.sealed, AsBytes(ContentContext(record.id)));
  if (!content) return Corrupt(record, "its content does not decrypt");
  auto alert = ParseAlert(AsText(content->Expose()));
  if (!alert) return Corrupt(record, alert.error().detail);
  if (!SameColumns(ClearColumns(*alert), record)) {
    return Corrupt(record, "its columns and its content disagree");
  }
  return alert;
}

}  // namespace comity::casework
