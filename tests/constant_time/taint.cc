// SPDX-License-Identifier: Apache-2.0
#include "tests/constant_time/taint.h"

#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>

#include <vector>

namespace comity::constant_time {

bool UnderValgrind() {
  return RUNNING_ON_VALGRIND != 0;
}

std::uint64_t CountErrors() {
  return VALGRIND_COUNT_ERRORS;
}

void MarkSecretOctets(ByteView octets) {
  VALGRIND_MAKE_MEM_UNDEFINED(octets.data(), octets.size());
}

void MarkPublicOctets(ByteView octets) {
  VALGRIND_MAKE_MEM_DEFINED(octets.data(), octets.size());
}

bool IsSecretOctets(ByteView octets) {
  std::vector<std::uint8_t> undefined_bits(octets.size());
  // 1: done; the answer is itself always defined.
  EXPECT_EQ(VALGRIND_GET_VBITS(octets.data(), undefined_bits.data(), octets.size()), 1U);
  for (const std::uint8_t bits : undefined_bits) {
    if (bits != 0) return true;
  }
  return false;
}

}  // namespace comity::constant_time

// Valgrind calls this in place of comity::Declassify(bool), whose result is public from there on.
// The name is the macro's; NONE is the program itself, which has no shared-object name.
extern "C" {
bool I_WRAP_SONAME_FNNAME_ZU(NONE, _ZN6comity10DeclassifyEb)(bool bit);
bool I_WRAP_SONAME_FNNAME_ZU(NONE, _ZN6comity10DeclassifyEb)(bool bit) {
  VALGRIND_MAKE_MEM_DEFINED(&bit, sizeof(bit));
  OrigFn original;
  VALGRIND_GET_ORIG_FN(original);
  unsigned long result = 0;
  CALL_FN_W_W(result, original, bit);
  return (result & 1) != 0;
}
}
