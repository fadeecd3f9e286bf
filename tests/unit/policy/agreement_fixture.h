// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "crypto/sign/ed25519.h"
#include "policy/agreement/statement.h"
#include "policy/check/check.h"

namespace comity::policy::testing {

inline std::string ReadData(const std::string& name) {
  std::ifstream in(COMITY_SOURCE_DIR "/" + name, std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return std::string(std::istreambuf_iterator<char>(in), {});
}
inline std::string BaseDocument() {
  return ReadData("tests/data/agreements/base.yaml");
}

// `text` with its one occurrence of `from` replaced; a test whose text is gone fails.
inline std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == text.npos) {
    ADD_FAILURE() << "not in the document: " << from;
    return text;
  }
  return text.replace(at, from.size(), to);
}

inline Agreement LoadOk(const std::string& yaml) {
  LoadedAgreement loaded = LoadAgreement(yaml);
  for (const Issue& issue : loaded.issues) ADD_FAILURE() << FormatIssue(issue, "document");
  return loaded.agreement ? *loaded.agreement : Agreement{};
}
inline Agreement BaseAgreement() {
  return LoadOk(BaseDocument());
}

// Key N of the base document.
inline sign::SigningKey Key(std::uint8_t n) {
  const Bytes seed(32, n);
  auto key = sign::SigningKey::FromSeed(SecretBytes::CopyOf(seed));
  EXPECT_TRUE(key.has_value());
  return std::move(key).value();
}

struct Person {
  const char* party;
  const char* post;
  std::uint8_t key;
  std::uint8_t agency_key;
};
inline constexpr Person kCouncilDpo = {"eastvale-council", "Data Protection Officer", 2, 1};
inline constexpr Person kCouncilChief = {"eastvale-council", "Chief Executive", 3, 1};
inline constexpr Person kCouncilSiro = {"eastvale-council", "Senior Information Risk Owner", 4, 1};
inline constexpr Person kPoliceDpo = {"northshire-police", "Data Protection Officer", 6, 5};
inline constexpr Person kPoliceChief = {"northshire-police", "Assistant Chief Constable", 7, 5};
inline constexpr Person kPoliceSiro = {"northshire-police", "Senior Information Risk Owner", 8, 5};
inline constexpr Person kCouncilGateway = {"eastvale-council", "gateway", 1, 1};

inline Instant At(const std::string& text) {
  return ParseInstant(text).value();
}

inline Statement StatementBy(const Person& person, StatementKind kind, const Agreement& agreement) {
  Statement statement;
  statement.kind = kind;
  statement.agreement = RefOf(agreement);
  statement.party = AgencyId::Parse(person.party).value();
  statement.post = person.post;
  statement.at = At("2026-01-15T12:00:00Z");
  if (kind == StatementKind::kAdvice) {
    statement.position = AdvicePosition::kFor;
    statement.text = "The safeguards are adequate.";
  }
  return statement;
}

// Signed, countersigned and verified: as a gateway would hold it.
inline VerifiedStatement Said(const Person& person, const Statement& statement,
                              const Agreement& agreement) {
  const auto envelope = MakeStatement(Key(person.key), statement);
  EXPECT_TRUE(envelope.has_value());
  auto verified =
      VerifyStatement(Countersign(Key(person.agency_key), envelope.value()), agreement, {});
  EXPECT_TRUE(verified.has_value()) << verified.error().detail;
  return verified.value();
}
inline VerifiedStatement Said(const Person& person, StatementKind kind,
                              const Agreement& agreement) {
  return Said(person, StatementBy(person, kind, agreement), agreement);
}
inline VerifiedStatement Resumed(const Person& person, const Digest& suspension,
                                 const Agreement& agreement) {
  Statement statement = StatementBy(person, StatementKind::kResumption, agreement);
  statement.lifts = suspension;
  return Said(person, statement, agreement);
}

// Both DPOs' advice and all four signatures.
inline std::vector<VerifiedStatement> InForce(const Agreement& agreement) {
  return {Said(kCouncilDpo, StatementKind::kAdvice, agreement),
          Said(kPoliceDpo, StatementKind::kAdvice, agreement),
          Said(kCouncilChief, StatementKind::kSignature, agreement),
          Said(kCouncilSiro, StatementKind::kSignature, agreement),
          Said(kPoliceChief, StatementKind::kSignature, agreement),
          Said(kPoliceSiro, StatementKind::kSignature, agreement)};
}

}  // namespace comity::policy::testing
