// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "services/watchlists/npy.h"

// What is accepted lies within the file, at its end, and has exactly the size of its shape.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto array = comity::watchlists::ParseNpy({data, size});
  if (!array) return 0;
  if (array->elements.data() + array->elements.size() != data + size) std::abort();
  if (array->rows == 0 || array->columns == 0) std::abort();
  if (array->elements.size() / array->columns / 4 != array->rows) std::abort();
  return 0;
}
