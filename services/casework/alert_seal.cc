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
  record.state = alert.state;
  record.first_seen = alert.first_seen;
  record.last_seen = alert.last_seen;
  record.expires_at = alert.expires_at;
  record.frames = alert.frame_count;
  return record;
}

bool SameColumns(const store::AlertRecord& left, const store::AlertRecord& right) {
  return left.id == right.id && left.deployment == right.deployment &&
         left.holder == right.holder && left.reference == right.reference &&
         left.state == right.state && left.first_seen == right.first_seen &&
         left.last_seen == right.last_seen && left.expires_at == right.expires_at &&
         left.frames == right.frames;
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
