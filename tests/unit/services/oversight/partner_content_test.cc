// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/partner_content.h"

#include <gmock/gmock.h>

#include <string>

#include "crypto/base/encoding.h"
#include "tests/support/result_matchers.h"

namespace comity::oversight {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

policy::Instant At(std::string_view text) {
  return policy::ParseInstant(text).value();
}

EntryNews Withdrawn(std::string reference) {
  EntryNews news;
  news.reference = std::move(reference);
  news.change = entry_change::kWithdrawn;
  news.at = At("2026-11-25T08:00:00.250Z");
  return news;
}

TEST(EntryNews, HasTheDocumentedForm) {
  EntryNews corrected;
  corrected.answers = {"abcdefghijklmnopqrstuvwxyz/3"};
  corrected.change = entry_change::kCorrected;
  corrected.at = At("2026-11-25T09:00:00Z");
  corrected.category = "missing-persons";
  corrected.response_code = "amber";
  const std::vector<EntryNews> news{Withdrawn("ns-2026-0142"), corrected};
  const std::string text =
      R"({"changes":[{"at":"2026-11-25T08:00:00.250Z","change":"withdrawn",)"
      R"("reference":"ns-2026-0142"},{"answers":["abcdefghijklmnopqrstuvwxyz/3"],)"
      R"("at":"2026-11-25T09:00:00Z","category":"missing-persons","change":"corrected",)"
      R"("response_code":"amber"}]})";
  EXPECT_EQ(EncodeEntryNews(news), text);
  EXPECT_THAT(ParseEntryNews(text), IsOkAnd(Eq(news)));
}

TEST(EntryNews, RefusesEveryOtherForm) {
  for (const char* text : {
           "",
           "{}",
           "[]",
           R"({"changes":[]})",
           R"({"changes":{}})",
           R"({"changes":[1]})",
           // neither or both of reference and answers; an empty one
           R"({"changes":[{"at":"2026-11-25T08:00:00Z","change":"withdrawn"}]})",
           R"({"changes":[{"answers":["x"],"at":"2026-11-25T08:00:00Z")"
           R"(,"change":"withdrawn","reference":"a"}]})",
           R"({"changes":[{"at":"2026-11-25T08:00:00Z","change":"withdrawn","reference":""}]})",
           R"({"changes":[{"answers":[],"at":"2026-11-25T08:00:00Z","change":"withdrawn"}]})",
           R"({"changes":[{"answers":[""],"at":"2026-11-25T08:00:00Z","change":"withdrawn"}]})",
           // an unknown change, field, time
           R"({"changes":[{"at":"2026-11-25T08:00:00Z","change":"arrested","reference":"a"}]})",
           R"({"changes":[{"at":"2026-11-25T08:00:00Z","change":"withdrawn","name":"x")"
           R"(,"reference":"a"}]})",
           R"({"changes":[{"at":"yesterday","change":"withdrawn","reference":"a"}]})",
           R"({"changes":[{"at":"2026-11-25T09:00:00+01:00","change":"withdrawn")"
           R"(,"reference":"a"}]})",
           // values where nothing was corrected, and a correction without any
           R"({"changes":[{"at":"2026-11-25T08:00:00Z","change":"withdrawn")"
           R"(,"reference":"a","response_code":"x"}]})",
           R"({"changes":[{"at":"2026-11-25T08:00:00Z","change":"corrected","reference":"a"}]})",
           R"({"changes":[{"at":"2026-11-25T08:00:00Z","category":"Not An Id")"
           R"(,"change":"corrected","reference":"a"}]})",
           // not canonical
           R"({ "changes":[{"at":"2026-11-25T08:00:00Z","change":"withdrawn","reference":"a"}]})",
           R"({"changes":[{"change":"withdrawn","at":"2026-11-25T08:00:00Z","reference":"a"}]})",
           R"({"changes":[{"at":"2026-11-25T08:00:00Z","change":"withdrawn")"
           R"(,"reference":"a\u0007"}]})",
       }) {
    EXPECT_THAT(ParseEntryNews(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(EntryNews, BoundsTheAnswersOfAllChangesTogether) {
  const auto with = [](std::size_t changes) {
    EntryNews news = Withdrawn("a");
    news.reference.clear();
    news.answers.assign(EntryNews::kMaxAnswers, "x/1");
    return EncodeEntryNews(std::vector(changes, news));
  };
  constexpr std::size_t kMost = kMaxNewsAnswers / EntryNews::kMaxAnswers;
  EXPECT_THAT(ParseEntryNews(with(kMost)), IsOk());
  EXPECT_THAT(ParseEntryNews(with(kMost + 1)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(EntryNews, BoundsNumbersAndLengths) {
  EXPECT_THAT(ParseEntryNews(EncodeEntryNews(std::vector(kMaxNews, Withdrawn("a")))), IsOk());
  EXPECT_THAT(ParseEntryNews(EncodeEntryNews(std::vector(kMaxNews + 1, Withdrawn("a")))),
              FailsWith(ErrorCode::kInvalidArgument));
  const auto with = [](auto set) {
    EntryNews news = Withdrawn("a");
    set(news);
    return EncodeEntryNews(std::vector{news});
  };
  EXPECT_THAT(ParseEntryNews(with([](EntryNews& n) { n.reference.assign(64, 'r'); })), IsOk());
  EXPECT_THAT(ParseEntryNews(with([](EntryNews& n) { n.reference.assign(65, 'r'); })),
              FailsWith(ErrorCode::kInvalidArgument));
  const auto answers = [&](std::size_t count) {
    return with([&](EntryNews& n) {
      n.reference.clear();
      n.answers.assign(count, "x/1");
    });
  };
  EXPECT_THAT(ParseEntryNews(answers(64)), IsOk());
  EXPECT_THAT(ParseEntryNews(answers(65)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(DeletionOrder, HasTheDocumentedForm) {
  const DeletionOrder order{policy::AgreementId::Parse("northshire-eastvale-2026").value(), 2,
                            At("2026-11-27T08:00:00Z")};
  const std::string text =
      R"({"agreement":"northshire-eastvale-2026","due_by":"2026-11-27T08:00:00Z","version":2})";
  EXPECT_EQ(EncodeDeletionOrder(order), text);
  EXPECT_THAT(ParseDeletionOrder(text), IsOkAnd(Eq(order)));
}

TEST(DeletionOrder, RefusesEveryOtherForm) {
  for (const char* text :
       {"{}", R"({"agreement":"a","due_by":"2026-11-27T08:00:00Z","version":0})",
        R"({"agreement":"a","due_by":"2026-11-27T08:00:00Z","version":-1})",
        R"({"agreement":"a","due_by":"2026-11-27T08:00:00Z","version":4294967296})",
        R"({"agreement":"a","due_by":"2026-11-27T08:00:00Z","version":"2"})",
        R"({"agreement":"A","due_by":"2026-11-27T08:00:00Z","version":2})",
        R"({"agreement":"a","due_by":"2026-11-27T08:00:00Z","version":2,"what":"all"})",
        R"({"agreement":"a","version":2})"}) {
    EXPECT_THAT(ParseDeletionOrder(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(PeerNotice, HasTheDocumentedForm) {
  const PeerNotice notice{std::string(peer_notice::kPlannedOutage), "Until 06:00 tomorrow.",
                          At("2026-11-25T22:00:00Z")};
  const std::string text =
      R"({"at":"2026-11-25T22:00:00Z","kind":"planned-outage","words":"Until 06:00 tomorrow."})";
  EXPECT_EQ(EncodePeerNotice(notice), text);
  EXPECT_THAT(ParsePeerNotice(text), IsOkAnd(Eq(notice)));
}

TEST(PeerNotice, RefusesUnknownKindsAndTextThatHides) {
  for (const char* text :
       {R"({"at":"2026-11-25T22:00:00Z","kind":"order","words":"x"})",
        R"({"at":"2026-11-25T22:00:00Z","kind":"alarm","words":""})",
        R"({"at":"2026-11-25T22:00:00Z","kind":"alarm","words":"two\nlines"})",
        "{\"at\":\"2026-11-25T22:00:00Z\",\"kind\":\"alarm\",\"words\":\"a\u202eb\"}",
        R"({"kind":"alarm","words":"x"})"}) {
    EXPECT_THAT(ParsePeerNotice(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
  const PeerNotice longest{std::string(peer_notice::kAlarm), std::string(2000, 'w'), {}};
  EXPECT_THAT(ParsePeerNotice(EncodePeerNotice(longest)), IsOk());
  const PeerNotice too_long{std::string(peer_notice::kAlarm), std::string(2001, 'w'), {}};
  EXPECT_THAT(ParsePeerNotice(EncodePeerNotice(too_long)), FailsWith(ErrorCode::kInvalidArgument));
}

constexpr const char* kHex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(SealedHeld, HasTheDocumentedForm) {
  SealedHeld held{ParseHexDigest(kHex).value(), 7};
  const std::string text = R"({"header":")" + std::string(kHex) + R"(","sequence":7})";
  EXPECT_EQ(EncodeSealedHeld(held), text);
  EXPECT_THAT(ParseSealedHeld(text), IsOkAnd(Eq(held)));
  held.sequence = (std::uint64_t{1} << 53) - 1;
  EXPECT_THAT(ParseSealedHeld(EncodeSealedHeld(held)), IsOkAnd(Eq(held)));
}

TEST(SealedHeld, RefusesEveryOtherForm) {
  const std::string hex = kHex;
  const auto with = [](const std::string& header, const std::string& sequence) {
    return R"({"header":")" + header + R"(","sequence":)" + sequence + "}";
  };
  for (const std::string& text : {
           std::string(),
           std::string("{}"),
           std::string("[]"),
           with(hex.substr(2), "1"),
           with(hex + "00", "1"),
           with("", "1"),
           with("0123456789ABCDEF" + hex.substr(16), "1"),
           with("g" + hex.substr(1), "1"),
           with(hex, "0"),
           with(hex, "-1"),
           with(hex, "1.5"),
           with(hex, "\"1\""),
           with(hex, "true"),
           with(hex, "null"),
           with(hex, "9007199254740992"),
           with(hex, "18446744073709551616"),
           R"({"header":")" + hex + R"("})",
           std::string(R"({"sequence":1})"),
           std::string(R"({"header":1,"sequence":1})"),
           R"({"header":")" + hex + R"(","list":"a","sequence":1})",
           R"({"sequence":1,"header":")" + hex + R"("})",
           with(hex, "1") + " ",
           std::string(kMaxContent + 1, ' '),
       }) {
    EXPECT_THAT(ParseSealedHeld(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(SealedErased, HasTheDocumentedFormAndNoOther) {
  const Digest header = ParseHexDigest(kHex).value();
  const std::string text = R"({"header":")" + std::string(kHex) + R"("})";
  EXPECT_EQ(EncodeSealedErased(header), text);
  EXPECT_THAT(ParseSealedErased(text), IsOkAnd(Eq(header)));
  const std::string hex = kHex;
  for (const std::string& other :
       {std::string("{}"), R"({"header":")" + hex.substr(2) + R"("})",
        R"({"header":")" + hex + R"(00"})", R"({"header":")" + hex + R"(","sequence":1})",
        R"({"header":")" + std::string(64, 'A') + R"("})", std::string(R"({"header":[]})"),
        R"({ "header":")" + hex + R"("})", std::string("\"" + hex + "\"")}) {
    EXPECT_THAT(ParseSealedErased(other), FailsWith(ErrorCode::kInvalidArgument)) << other;
  }
}

TEST(PartnerContent, IsCanonicalAndBounded) {
  EXPECT_THAT(CheckContent("{}"), IsOk());
  EXPECT_THAT(CheckContent("{ }"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckContent("\"" + std::string(kMaxContent - 2, 'x') + "\""), IsOk());
  EXPECT_THAT(CheckContent("\"" + std::string(kMaxContent - 1, 'x') + "\""),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::oversight
