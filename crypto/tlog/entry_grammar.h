// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::tlog {

// Characters of an entry's strings: printable ASCII but '"' and '\', so that nothing is escaped.
bool IsEntryText(std::string_view text);

// Walks the text of an entry octet by octet. Each Take... either consumes what it names or records
// the first failure and gives false.
//
// Threads: thread-compatible. Views into the text are valid while the text is.
class EntryCursor {
 public:
  explicit EntryCursor(std::string_view text) : text_(text) {}

  // Consumes `literal` if it stands here; no failure if it does not. In the header, so that
  // comparing with a literal becomes a few loads; calls cost two fifths of the whole check.
  bool Skip(std::string_view literal) {
    if (!text_.substr(at_).starts_with(literal)) return false;
    at_ += literal.size();
    return true;
  }
  bool Take(std::string_view literal) { return Skip(literal) || Reject(literal); }
  bool TakeText(std::string_view& text);            // "..." with 1..128 characters
  bool TakeInteger(std::int64_t& value);            // 0..2^53-1, no leading zero
  bool TakeHexDigest(std::string_view& hex);        // "..." with 64 digits 0-9a-f
  bool TakeBase64Digest(std::string_view& base64);  // "..." with the base64 of 32 octets
  bool TakeEnd();

  bool Reject(std::string_view expected);
  Status status() const;

 private:
  bool TakeQuoted(std::size_t size, std::string_view& content);
  std::string_view text_;  // must outlive the cursor, which lives for one call of ReadEntry
  std::size_t at_ = 0;
  std::string_view expected_;  // a literal: what was expected where it failed
};

// The grammar of an entry, for ParseEntry and CheckEntry alike: names in the order of RFC 8785,
// each optional field either absent or not empty. `sink` takes the values; its On... functions give
// false (after Reject) to refuse one.
template <typename Sink>
class EntryGrammar {
 public:
  EntryGrammar(EntryCursor& cursor, Sink& sink) : in_(cursor), sink_(sink) {}

  bool Read() {
    if (!in_.Take("{") || !ReadAgreement()) return false;
    if (!ReadMap("\"commitments\":{", &EntryGrammar::ReadCommitment) ||
        !ReadMap("\"counts\":{", &EntryGrammar::ReadCount) || !ReadDecision() || !ReadExchange() ||
        !ReadMap("\"messages\":{", &EntryGrammar::ReadMessage)) {
      return false;
    }
    return ReadParties() && ReadTimeAndType() && in_.Take("\"v\":1}") && in_.TakeEnd();
  }

 private:
  static constexpr std::size_t kMaxItems = 64;

  bool ReadAgreement() {
    if (!in_.Skip("\"agreement\":{")) return true;
    std::string_view id;
    std::string_view sha256;
    std::int64_t version = 0;
    if (!in_.Take("\"id\":") || !in_.TakeText(id) || !in_.Take(",\"sha256\":") ||
        !in_.TakeHexDigest(sha256) || !in_.Take(",\"version\":") || !in_.TakeInteger(version)) {
      return false;
    }
    if (version == 0) return in_.Reject("an agreement version of at least 1");
    sink_.OnAgreement(id, sha256, version);
    return in_.Take("},");
  }

  bool ReadDecision() {
    if (!in_.Skip("\"decision\":{")) return true;
    if (!in_.Take("\"clauses\":[")) return false;
    std::string_view text;
    for (std::size_t i = 0; !in_.Skip("]"); ++i) {
      if (i == kMaxItems) return in_.Reject("at most 64 clauses");
      if ((i != 0 && !in_.Take(",")) || !in_.TakeText(text)) return false;
      sink_.OnClause(text);
    }
    if (!in_.Take(",\"code\":") || !in_.TakeText(text)) return false;
    sink_.OnDecision(text);
    return in_.Take("},");
  }

  bool ReadExchange() {
    if (!in_.Skip("\"exchange\":")) return true;
    std::string_view text;
    if (!in_.TakeText(text)) return false;
    sink_.OnExchange(text);
    return in_.Take(",");
  }

  bool ReadParties() {
    if (!in_.Take("\"parties\":[")) return false;
    std::string_view text;
    for (std::size_t i = 0; i == 0 || !in_.Skip("]"); ++i) {
      if (i == kMaxItems) return in_.Reject("at most 64 parties");
      if ((i != 0 && !in_.Take(",")) || !in_.TakeText(text)) return false;
      sink_.OnParty(text);
    }
    return in_.Take(",");
  }

  bool ReadTimeAndType() {
    std::string_view text;
    if (!in_.Take("\"time\":") || !in_.TakeText(text)) return false;
    if (!sink_.OnTime(text)) return in_.Reject("a UTC time before this");
    if (!in_.Take(",\"type\":") || !in_.TakeText(text)) return false;
    sink_.OnType(text);
    return in_.Take(",");
  }

  // An optional object whose names ascend.
  bool ReadMap(std::string_view head, bool (EntryGrammar::*read_value)(std::string_view)) {
    if (!in_.Skip(head)) return true;
    std::string_view previous;
    for (std::size_t i = 0; i == 0 || !in_.Skip("}"); ++i) {
      if (i == kMaxItems) return in_.Reject("at most 64 fields");
      std::string_view name;
      if ((i != 0 && !in_.Take(",")) || !in_.TakeText(name)) return false;
      if (name <= previous) return in_.Reject("field names in ascending order");
      previous = name;
      if (!in_.Take(":") || !(this->*read_value)(name)) return false;
    }
    return in_.Take(",");
  }

  bool ReadCommitment(std::string_view name) {
    std::string_view base64;
    if (!in_.TakeBase64Digest(base64)) return false;
    sink_.OnCommitment(name, base64);
    return true;
  }
  bool ReadMessage(std::string_view name) {
    std::string_view base64;
    if (!in_.TakeBase64Digest(base64)) return false;
    sink_.OnMessage(name, base64);
    return true;
  }
  bool ReadCount(std::string_view name) {
    std::int64_t value = 0;
    if (!in_.TakeInteger(value)) return false;
    sink_.OnCount(name, value);
    return true;
  }

  EntryCursor& in_;
  Sink& sink_;
};

}  // namespace comity::tlog
