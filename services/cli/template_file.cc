// SPDX-License-Identifier: Apache-2.0
#include "services/cli/template_file.h"

#include <charconv>
#include <optional>
#include <string>

#include "services/cli/exit_code.h"
#include "services/runtime/file.h"

namespace comity::cli {
namespace {

constexpr std::size_t kMaxFile = std::size_t{2} << 30;
constexpr std::size_t kMaxHeader = 4096;
constexpr std::string_view kMagic("\x93NUMPY", 6);

struct Shape {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
};

// Takes `text` from the front of `rest`.
bool Take(std::string_view text, std::string_view& rest) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

std::optional<std::uint64_t> TakeNumber(std::string_view& rest) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (fault != std::errc()) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return number;
}

// The header as NumPy writes it: keys in this order, one space after each colon and comma.
std::optional<Shape> ParseHeader(std::string_view rest) {
  if (!Take("{'descr': '<f4', 'fortran_order': False, 'shape': (", rest)) return std::nullopt;
  const auto first = TakeNumber(rest);
  if (!first || !Take(",", rest)) return std::nullopt;
  std::optional<std::uint64_t> second;
  if (Take(" ", rest)) second = TakeNumber(rest);
  if (!Take("), }", rest)) return std::nullopt;
  if (rest.find_first_not_of(" \n") != std::string_view::npos) return std::nullopt;
  return second ? Shape{*first, *second} : Shape{1, *first};
}

// Where the elements begin: after magic, version and header.
std::optional<std::size_t> HeaderLength(std::string_view text) {
  constexpr std::size_t kVersionEnd = 8;
  if (text.size() < kVersionEnd + 4 || !text.starts_with(kMagic)) return std::nullopt;
  const auto octet = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(text[at]));
  };
  if (octet(6) == 1) return 2 + (octet(8) | octet(9) << 8);
  if (octet(6) == 2) return 4 + (octet(8) | octet(9) << 8 | octet(10) << 16 | octet(11) << 24);
  return std::nullopt;
}

}  // namespace

Result<NpyLayout> LayoutOfNpy(ByteView file, std::string_view name) {
  const auto wrong = [&](const std::string& what) {
    return Fail(ErrorCode::kInvalidArgument, std::string(name) + ": " + what);
  };
  const std::string_view text = AsText(file);
  const auto length = HeaderLength(text);
  if (!length || *length > kMaxHeader || 8 + *length > text.size()) {
    return wrong("no .npy file of version 1 or 2");
  }
  const std::size_t prefix = text[6] == 1 ? 10 : 12;
  const auto shape = ParseHeader(text.substr(prefix, 8 + *length - prefix));
  if (!shape) {
    return wrong("not float32 ('<f4') in C order with one or two dimensions, as numpy.save writes");
  }
  const std::size_t elements = 8 + *length;
  const std::uint64_t octets = file.size() - elements;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 20;
  if (shape->columns == 0 || shape->columns > kMost ||
      octets / (shape->columns * 4) != shape->rows || octets % (shape->columns * 4) != 0) {
    return wrong("it has not as many octets as its shape says");
  }
  return NpyLayout{elements, shape->rows, shape->columns};
}

Result<SecretBytes> RowOfNpy(ByteView file, std::uint64_t row, std::string_view name) {
  COMITY_ASSIGN_OR_RETURN(const NpyLayout layout, LayoutOfNpy(file, name));
  if (row >= layout.rows) {
    return Fail(ErrorCode::kInvalidArgument, std::string(name) + ": there is no row " +
                                                 std::to_string(row) + "; it has " +
                                                 std::to_string(layout.rows) + ", counted from 0");
  }
  const auto size = static_cast<std::size_t>(layout.columns * 4);
  return SecretBytes::CopyOf(
      file.subspan(layout.begin + static_cast<std::size_t>(row) * size, size));
}

Result<SecretBytes> ReadTemplate(const std::filesystem::path& file, std::uint64_t row) {
  COMITY_ASSIGN_OR_RETURN(std::string text, Locally(runtime::ReadTextFile(file, kMaxFile)));
  auto found = RowOfNpy(AsBytes(text), row, file.string());
  Wipe(std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  return found;
}

}  // namespace comity::cli
