// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/integration/live_agency.h"

namespace comity::testing {

// The agencies around the broken one: partners in every state of reach, running or not.
struct Neighbours {
  LiveAgency police{"northshire-police"};   // its folder is what is broken; it does not run
  LiveAgency council{"eastvale-council"};   // runs, and both have enrolled each other
  LiveAgency stranger{"southmere-police"};  // runs, and has enrolled nobody
  LiveAgency silent{"westmoor-police"};     // has keys and a card, and does not run
};

// A copy of the police's folder, to be broken.
struct Site {
  std::filesystem::path folder;
  Neighbours& neighbours;
  std::filesystem::path config() const { return folder / "comityd.toml"; }
  std::filesystem::path pki() const { return folder / "pki"; }
  std::filesystem::path data() const { return folder / "data"; }
  // Exchanges a text of the configuration, which must be there, for another.
  void Configure(const std::string& from, const std::string& to) const;
  // Enrols `agency` as a partner at `address`.
  void Enrol(const LiveAgency& agency, const std::string& address) const;
};

// One way in which a set-up is broken, and what the doctor must say of it.
struct BrokenSetUp {
  std::string name;
  std::function<void(const Site&)> breaks;
  std::string level;  // WRONG or WARN
  std::string what;
  std::string words;  // in the finding
  int exit_code = 1;
  // Shell that prepares the machine as the doctor sees it: "$1" is the site, "$@" after it the
  // doctor. Runs in mount and network names of its own; ends with 77 when that is not possible.
  std::string prepare{};
};
std::vector<BrokenSetUp> BrokenSetUps();

}  // namespace comity::testing
