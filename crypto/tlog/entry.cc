// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/entry.h"

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "crypto/tlog/entry_grammar.h"

namespace comity::tlog {
namespace {

constexpr EntryTime kEndOfYears =
    std::chrono::sys_days(std::chrono::year(10000) / std::chrono::January / 1);

// Keeps everything.
struct BuildingSink {
  LogEntry& entry;

  // The grammar has checked the spelling, so decoding cannot fail.
  static Digest FromBase64(std::string_view base64) {
    const auto digest = ParseBase64Digest(base64);
    COMITY_CHECK(digest.has_value());
    return *digest;
  }
  void OnAgreement(std::string_view id, std::string_view hex, std::int64_t version) const {
    const auto digest = ParseHexDigest(hex);
    COMITY_CHECK(digest.has_value());
    entry.agreement = LogEntry::Agreement{std::string(id), version, *digest};
  }
  void OnClause(std::string_view text) const {
    if (!entry.decision) entry.decision.emplace();
    entry.decision->clauses.emplace_back(text);
  }
  void OnDecision(std::string_view code) const {
    if (!entry.decision) entry.decision.emplace();
    entry.decision->code = std::string(code);
  }
  void OnExchange(std::string_view text) const { entry.exchange = std::string(text); }
  void OnParty(std::string_view text) const { entry.parties.emplace_back(text); }
  void OnType(std::string_view text) const { entry.type = std::string(text); }
  bool OnTime(std::string_view text) const {
    const auto time = ParseEntryTime(text);
    if (time) entry.time = *time;
    return time.has_value();
  }
  void OnCommitment(std::string_view name, std::string_view base64) const {
    entry.commitments.emplace(name, FromBase64(base64));
  }
  void OnMessage(std::string_view name, std::string_view base64) const {
    entry.messages.emplace(name, FromBase64(base64));
  }
  void OnCount(std::string_view name, std::int64_t value) const {
    entry.counts.emplace(name, value);
  }
};

// Keeps what an audit counts.
struct FactsSink {
  EntryFacts& facts;

  static void OnAgreement(std::string_view, std::string_view, std::int64_t) {}
  static void OnClause(std::string_view) {}
  static void OnDecision(std::string_view) {}
  static void OnExchange(std::string_view) {}
  static void OnParty(std::string_view) {}
  void OnType(std::string_view text) const { facts.type.assign(text); }
  bool OnTime(std::string_view text) const {
    const auto time = ParseEntryTime(text);
    if (time) facts.time = *time;
    return time.has_value();
  }
  static void OnCommitment(std::string_view, std::string_view) {}
  static void OnMessage(std::string_view, std::string_view) {}
  static void OnCount(std::string_view, std::int64_t) {}
};

template <typename Sink>
Status ReadEntry(std::string_view text, Sink sink) {
  if (text.size() > kMaxEntrySize) {
    return Fail(ErrorCode::kInvalidArgument, "not a log entry: more than 8 KiB");
  }
  EntryCursor cursor(text);
  if (!EntryGrammar<Sink>(cursor, sink).Read()) return cursor.status();
  return {};
}

// Writes the text and remembers the first field that cannot be written. Strings are checked one by
// one, for a quote in one would change what the whole says; sizes and ranges are left to
// CheckEntry.
class EntryWriter {
 public:
  void Raw(std::string_view text) { out_ += text; }
  void Text(std::string_view field, std::string_view text) {
    if (bad_field_.empty() && !IsEntryText(text)) bad_field_ = field;
    out_ += '"';
    out_ += text;
    out_ += '"';
  }
  void Texts(std::string_view field, const std::vector<std::string>& texts) {
    out_ += '[';
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (i != 0) out_ += ',';
      Text(field, texts[i]);
    }
    out_ += ']';
  }
  template <typename Value>
  void Map(std::string_view field, const std::map<std::string, Value>& map) {
    if (map.empty()) return;
    out_ += '"';
    out_ += field;
    out_ += "\":";
    char separator = '{';
    for (const auto& [name, value] : map) {
      out_ += separator;
      Text(field, name);
      out_ += ':';
      Write(value);
      separator = ',';
    }
    out_ += "},";
  }
  void Write(std::int64_t value) { out_ += std::to_string(value); }
  void Write(const Digest& digest) {
    out_ += '"';
    out_ += EncodeBase64(digest.view());
    out_ += '"';
  }
  const std::string& bad_field() const { return bad_field_; }
  std::string Finish() { return std::move(out_); }

 private:
  std::string out_;
  std::string bad_field_;
};

void WriteAgreement(const LogEntry::Agreement& agreement, EntryWriter& out) {
  out.Raw("\"agreement\":{\"id\":");
  out.Text("agreement.id", agreement.id);
  out.Raw(",\"sha256\":");
  out.Text("agreement.sha256", EncodeHex(agreement.sha256.view()));
  out.Raw(",\"version\":");
  out.Write(agreement.version);
  out.Raw("},");
}

void WriteDecision(const LogEntry::Decision& decision, EntryWriter& out) {
  out.Raw("\"decision\":{\"clauses\":");
  out.Texts("decision.clauses", decision.clauses);
  out.Raw(",\"code\":");
  out.Text("decision.code", decision.code);
  out.Raw("},");
}

void WriteEntry(const LogEntry& entry, EntryWriter& out) {
  out.Raw("{");
  if (entry.agreement) WriteAgreement(*entry.agreement, out);
  out.Map("commitments", entry.commitments);
  out.Map("counts", entry.counts);
  if (entry.decision) WriteDecision(*entry.decision, out);
  if (!entry.exchange.empty()) {
    out.Raw("\"exchange\":");
    out.Text("exchange", entry.exchange);
    out.Raw(",");
  }
  out.Map("messages", entry.messages);
  out.Raw("\"parties\":");
  out.Texts("parties", entry.parties);
  out.Raw(",\"time\":");
  out.Text("time", EncodeEntryTime(entry.time));
  out.Raw(",\"type\":");
  out.Text("type", entry.type);
  out.Raw(",\"v\":1}");
}

}  // namespace

Result<std::string> EncodeEntry(const LogEntry& entry) {
  if (entry.time < EntryTime() || entry.time >= kEndOfYears) {
    return Fail(ErrorCode::kInvalidArgument, "log entry: time is not in the years 1970 to 9999");
  }
  EntryWriter out;
  WriteEntry(entry, out);
  if (!out.bad_field().empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "log entry: " + out.bad_field() +
                    " needs 1 to 128 printable ASCII characters without quote and backslash");
  }
  std::string text = out.Finish();
  EntryFacts facts;
  COMITY_RETURN_IF_ERROR(CheckEntry(text, facts));
  return text;
}

Result<LogEntry> ParseEntry(std::string_view text) {
  LogEntry entry;
  COMITY_RETURN_IF_ERROR(ReadEntry(text, BuildingSink{entry}));
  return entry;
}

Status CheckEntry(std::string_view text, EntryFacts& facts) {
  return ReadEntry(text, FactsSink{facts});
}

}  // namespace comity::tlog
