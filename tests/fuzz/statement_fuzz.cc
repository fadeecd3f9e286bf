// SPDX-License-Identifier: Apache-2.0
// What people say about an agreement, as a partner's gateway delivers it: a payload that is
// accepted has one spelling and keeps the rules of statements, and without a signature it is
// nothing.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/sign/dsse.h"
#include "policy/agreement/statement.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  const std::string_view text = AsText({data, size});
  if (const auto statement = policy::ParseStatementPayload(text)) {
    COMITY_CHECK(policy::CheckStatement(*statement).has_value());
    COMITY_CHECK(policy::EncodeStatementPayload(*statement) == text);
  }
  const auto envelope = sign::ParseDsseJson(text, std::size_t{16} * 1024);
  if (!envelope) return 0;
  static const policy::Agreement nobodys;
  COMITY_CHECK(!policy::VerifyStatement(*envelope, nobodys, {}));
  return 0;
}
