// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/render.h"

#include "crypto/base/encoding.h"
#include "policy/agreement/clauses.h"

namespace comity::policy {

std::string RenderClauses(const Agreement& agreement) {
  std::string text = agreement.title + "\nAgreement " + agreement.id.text() + ", version " +
                     std::to_string(agreement.version) +
                     "\nSHA-256 of the document: " + EncodeHex(agreement.sha256.view()) +
                     "\nWhat no clause permits is forbidden.\n";
  std::string_view section;
  int sections = 0;
  int number = 0;
  for (const Clause& clause : ListClauses(agreement)) {
    if (clause.section != section) {
      section = clause.section;
      number = 0;
      text += "\n" + std::to_string(++sections) + ". " + std::string(section) + "\n";
    }
    text += std::to_string(sections) + "." + std::to_string(++number) + " [" + clause.id + "] " +
            clause.sentence + "\n";
  }
  return text;
}

}  // namespace comity::policy
