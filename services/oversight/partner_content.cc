// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/partner_content.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/base/utf8.h"
#include "services/identity/visible_text.h"

namespace comity::oversight {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxReference = 64;
constexpr std::size_t kMaxAnswer = 64;  // 26 characters, '/' and a sequence
constexpr std::size_t kMaxCategory = 64;
constexpr std::size_t kMaxResponseCode = 256;
constexpr std::size_t kMaxWords = 2000;

tl::unexpected<Error> Wrong(std::string detail) {
  return Fail(ErrorCode::kInvalidArgument, std::move(detail));
}

// What a hit may carry, a change of it may carry, too.
Status CheckText(std::string_view what, std::string_view text, std::size_t most) {
  const bool has_control = std::ranges::any_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
  if (!text.empty() && text.size() <= most && !has_control && IsUtf8(text)) return {};
  return Wrong(std::string(what) + " has 1 to " + std::to_string(most) +
               " octets of UTF-8 without control characters");
}

template <typename List>
bool IsOneOf(const List& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

// Reading: what is missing or of another type throws Json::exception, which Read() catches.

std::string TextAt(const Json& json, const char* name) {
  return json.at(name).get<std::string>();
}

Result<policy::Instant> InstantAt(const Json& json, const char* name) {
  return policy::ParseInstant(json.at(name).get_ref<const std::string&>());
}

Result<std::string> OptionalText(const Json& json, const char* name, std::size_t most) {
  if (!json.contains(name)) return std::string();
  std::string text = TextAt(json, name);
  COMITY_RETURN_IF_ERROR(CheckText(name, text, most));
  return text;
}

// Reads canonical JSON by `read`, and refuses what `encode` would spell otherwise: an unknown field
// above all.
template <typename Read, typename Encode>
auto ReadContent(std::string_view content, Read read, Encode encode)
    -> decltype(read(std::declval<const Json&>())) {
  COMITY_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(content, kMaxContent));
  try {
    auto value = read(json);
    if (!value) return value;
    if (encode(*value) != content) return Wrong("a field or spelling of another form");
    return value;
  } catch (const Json::exception&) {
    return Wrong("a field is missing or of another type");
  }
}

Json NewsJson(const EntryNews& news) {
  Json json = {{"at", policy::EncodeInstant(news.at)}, {"change", news.change}};
  if (!news.reference.empty()) json["reference"] = news.reference;
  if (!news.answers.empty()) json["answers"] = news.answers;
  if (!news.category.empty()) json["category"] = news.category;
  if (!news.response_code.empty()) json["response_code"] = news.response_code;
  return json;
}

Status CheckSubject(const EntryNews& news) {
  if (news.reference.empty() == news.answers.empty()) {
    return Wrong("a change names a reference or answers, not both");
  }
  if (news.answers.size() > EntryNews::kMaxAnswers) return Wrong("more than 64 answers");
  for (const std::string& answer : news.answers) {
    COMITY_RETURN_IF_ERROR(CheckText("answers", answer, kMaxAnswer));
  }
  return {};
}

Result<EntryNews> ReadNews(const Json& json) {
  EntryNews news;
  COMITY_ASSIGN_OR_RETURN(news.at, InstantAt(json, "at"));
  news.change = TextAt(json, "change");
  if (!IsOneOf(entry_change::kAll, news.change)) return Wrong("an unknown change");
  COMITY_ASSIGN_OR_RETURN(news.reference, OptionalText(json, "reference", kMaxReference));
  if (json.contains("answers")) news.answers = json["answers"].get<std::vector<std::string>>();
  COMITY_RETURN_IF_ERROR(CheckSubject(news));
  COMITY_ASSIGN_OR_RETURN(news.category, OptionalText(json, "category", kMaxCategory));
  COMITY_ASSIGN_OR_RETURN(news.response_code,
                          OptionalText(json, "response_code", kMaxResponseCode));
  const bool has_values = !news.category.empty() || !news.response_code.empty();
  if (has_values != (news.change == entry_change::kCorrected)) {
    return Wrong("a correction, and nothing else, has new values");
  }
  if (!news.category.empty()) {
    COMITY_RETURN_IF_ERROR(policy::ListCategory::Parse(news.category));
  }
  return news;
}

}  // namespace

Status CheckContent(std::string_view content) {
  COMITY_RETURN_IF_ERROR(ParseCanonicalJson(content, kMaxContent));
  return {};
}

std::string EncodeEntryNews(std::span<const EntryNews> news) {
  Json changes = Json::array();
  for (const EntryNews& one : news) changes.push_back(NewsJson(one));
  return EncodeCanonicalJson({{"changes", std::move(changes)}});
}

Result<std::vector<EntryNews>> ParseEntryNews(std::string_view content) {
  const auto read = [](const Json& json) -> Result<std::vector<EntryNews>> {
    const Json& changes = json.at("changes");
    if (!changes.is_array() || changes.empty() || changes.size() > kMaxNews) {
      return Wrong("a message has 1 to 256 changes");
    }
    std::vector<EntryNews> all;
    std::size_t answers = 0;
    for (const Json& change : changes) {
      COMITY_ASSIGN_OR_RETURN(EntryNews news, ReadNews(change));
      answers += news.answers.size();
      if (answers > kMaxNewsAnswers) return Wrong("more than 1,024 answers");
      all.push_back(std::move(news));
    }
    return all;
  };
  return ReadContent(content, read,
                     [](const std::vector<EntryNews>& news) { return EncodeEntryNews(news); });
}

std::string EncodeDeletionOrder(const DeletionOrder& order) {
  return EncodeCanonicalJson({{"agreement", order.agreement.text()},
                              {"due_by", policy::EncodeInstant(order.due_by)},
                              {"version", order.version}});
}

Result<DeletionOrder> ParseDeletionOrder(std::string_view content) {
  const auto read = [](const Json& json) -> Result<DeletionOrder> {
    DeletionOrder order;
    COMITY_ASSIGN_OR_RETURN(order.agreement, policy::AgreementId::Parse(TextAt(json, "agreement")));
    COMITY_ASSIGN_OR_RETURN(order.due_by, InstantAt(json, "due_by"));
    order.version = json.at("version").get<std::uint32_t>();
    if (order.version == 0) return Wrong("versions count from 1");
    return order;
  };
  return ReadContent(content, read, EncodeDeletionOrder);
}

std::string EncodePeerNotice(const PeerNotice& notice) {
  return EncodeCanonicalJson(
      {{"at", policy::EncodeInstant(notice.at)}, {"kind", notice.kind}, {"words", notice.words}});
}

Result<PeerNotice> ParsePeerNotice(std::string_view content) {
  const auto read = [](const Json& json) -> Result<PeerNotice> {
    PeerNotice notice;
    COMITY_ASSIGN_OR_RETURN(notice.at, InstantAt(json, "at"));
    notice.kind = TextAt(json, "kind");
    if (!IsOneOf(peer_notice::kAll, notice.kind)) return Wrong("an unknown kind of notice");
    notice.words = TextAt(json, "words");
    COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("words", notice.words, kMaxWords));
    return notice;
  };
  return ReadContent(content, read, EncodePeerNotice);
}

std::string EncodeSealedHeld(const SealedHeld& held) {
  return EncodeCanonicalJson(
      {{"header", EncodeHex(held.header.view())}, {"sequence", held.sequence}});
}

Result<SealedHeld> ParseSealedHeld(std::string_view content) {
  const auto read = [](const Json& json) -> Result<SealedHeld> {
    SealedHeld held;
    COMITY_ASSIGN_OR_RETURN(held.header, ParseHexDigest(TextAt(json, "header")));
    if (!json.at("sequence").is_number_unsigned()) return Wrong("a sequence is a number");
    held.sequence = json["sequence"].get<std::uint64_t>();
    if (held.sequence == 0) return Wrong("states count from 1");
    return held;
  };
  return ReadContent(content, read, EncodeSealedHeld);
}

std::string EncodeSealedErased(const Digest& header) {
  return EncodeCanonicalJson({{"header", EncodeHex(header.view())}});
}

Result<Digest> ParseSealedErased(std::string_view content) {
  const auto read = [](const Json& json) { return ParseHexDigest(TextAt(json, "header")); };
  return ReadContent(content, read, EncodeSealedErased);
}

}  // namespace comity::oversight
