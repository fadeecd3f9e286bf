// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/note.h"
#include "crypto/tlog/note_key.h"

// Notes, checkpoint texts and vkeys: what is accepted has one spelling.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = comity::AsText({data, size});
  if (const auto note = comity::tlog::ParseNote(text)) {
    COMITY_CHECK(comity::tlog::EncodeNote(*note) == text);
  }
  if (const auto checkpoint = comity::tlog::ParseCheckpoint(text)) {
    COMITY_CHECK(comity::tlog::EncodeCheckpoint(*checkpoint) == text);
  }
  if (const auto key = comity::tlog::ParseVerifierKey(text)) {
    COMITY_CHECK(comity::tlog::EncodeVerifierKey(*key) == text);
  }
  return 0;
}
