// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/integration/live_agency.h"
#include "tests/support/watchlist_text.h"

namespace comity::testing {

// A police force that holds a watchlist and a council that searches it, with one agreement in force
// at both. Both gateways run in this process when the constructor returns; either may be stopped
// and its folder given to a `comityd`.
//
// Threads: thread-compatible.
class TwoAgencies {
 public:
  using Template = std::vector<float>;
  static constexpr const char* kCategory = "wanted-by-courts";
  static constexpr double kThreshold = 0.6;

  // In: list_after_end  as the agreement says it: how long a list's faces stay when it is closed
  explicit TwoAgencies(std::uint32_t dimension, const std::string& list_after_end = "PT24H");

  // What differs otherwise; called before either gateway starts.
  using Change = std::function<void(AgreementText& text, LiveAgency& police, LiveAgency& council)>;
  TwoAgencies(std::uint32_t dimension, const Change& change);

  LiveAgency& police() { return police_; }
  LiveAgency& council() { return council_; }

  // Gives the police's list `count` synthetic unit templates ref-0, ref-1 ... Once.
  void ImportEntries(std::size_t count);
  const std::vector<Template>& entries() const { return entries_; }
  // The definition of a further list that is searched under the agreement.
  DefinitionText ListNamed(const std::string& reference) const;
  // A face that is on no list: in these dimensions far below the threshold from every entry.
  Template Stranger();
  // Of the council's engine "cameras", for the next hours.
  v1::DeploymentDefinition Deployment(const std::string& case_ref = "case-7") const;
  // Such a deployment, started; returns its id.
  std::string CreateDeployment();
  const std::string& agreement() const { return text_.id; }
  policy::AgreementRef reference() const { return RefOf(text_, WriteAgreement(text_)); }

 private:
  void AgreeOnTerms();

  std::uint32_t dimension_;
  runtime::SystemClock clock_;
  std::mt19937_64 random_{20261125};
  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
  AgreementText text_;
  std::vector<Template> entries_;
};

}  // namespace comity::testing
