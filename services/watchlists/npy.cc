// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/npy.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace comity::watchlists {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 4096;  // NumPy itself writes 54 or 118 octets

tl::unexpected<Error> Bad(std::string what) {
  return Fail(ErrorCode::kInvalidArgument, "not a template file in .npy form: " + std::move(what));
}

struct Sections {
  std::string_view header;
  ByteView elements;
};

// Takes magic, version and the header's length; version 1.0 has a length of 2 octets, 2.0 of 4.
Result<Sections> Split(ByteView file) {
  const std::size_t version_at = kMagic.size();
  if (file.size() < version_at + 4 || !AsText(file).starts_with(kMagic)) {
    return Bad("it does not start with \\x93NUMPY");
  }
  const std::uint8_t major = file[version_at];
  if ((major != 1 && major != 2) || file[version_at + 1] != 0) {
    return Bad("format version " + std::to_string(major) + "." +
               std::to_string(file[version_at + 1]) + "; 1.0 and 2.0 are read");
  }
  const std::size_t length_at = version_at + 2;
  const std::size_t header_at = length_at + (major == 1 ? 2 : 4);
  if (file.size() < header_at) return Bad("the file ends before its header");
  std::size_t length = 0;
  for (std::size_t i = header_at; i-- > length_at;) length = length << 8 | file[i];
  if (length > kMaxHeader) return Bad("a header of more than 4096 octets");
  if (file.size() - header_at < length) return Bad("the file ends within its header");
  return Sections{AsText(file.subspan(header_at, length)), file.subspan(header_at + length)};
}

// Reads the header, a Python dictionary literal, token by token.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool Take(std::string_view token) {
    SkipSpaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  std::optional<std::string_view> TakeQuoted() {
    if (!Take("'")) return {};
    const std::size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return {};
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::optional<std::uint64_t> TakeNumber() {
    SkipSpaces();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    const bool leading_zero = rest_.starts_with('0') && end != rest_.data() + 1;
    if (error != std::errc() || leading_zero) return {};
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  std::string_view rest() const { return rest_; }

 private:
  void SkipSpaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size())); }
  std::string_view rest_;
};

struct Shape {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
};

struct Header {
  bool descr = false;
  bool order = false;
  std::optional<Shape> shape;
};

Status TakeDescr(Scanner& scanner, Header& header) {
  if (std::exchange(header.descr, true)) return Bad("`descr` stands twice");
  if (scanner.TakeQuoted() != "<f4") {
    return Bad("`descr` is not '<f4' (little-endian float32); save with .astype('<f4')");
  }
  return {};
}

Status TakeOrder(Scanner& scanner, Header& header) {
  if (std::exchange(header.order, true)) return Bad("`fortran_order` stands twice");
  if (!scanner.Take("False")) {
    return Bad("`fortran_order` is not False; save with numpy.ascontiguousarray");
  }
  return {};
}

Status TakeShape(Scanner& scanner, Header& header) {
  if (header.shape) return Bad("`shape` stands twice");
  Shape shape;
  const auto number = [&](std::uint64_t& value) {
    const auto taken = scanner.TakeNumber();
    value = taken.value_or(0);
    return taken.has_value();
  };
  if (!scanner.Take("(") || !number(shape.rows) || !scanner.Take(",") || !number(shape.columns) ||
      !scanner.Take(")")) {
    return Bad("`shape` is not (entries, dimension)");
  }
  header.shape = shape;
  return {};
}

Status TakeItem(Scanner& scanner, Header& header) {
  const auto key = scanner.TakeQuoted();
  if (!key || !scanner.Take(":")) return Bad("its header is not a dictionary of quoted keys");
  if (*key == "descr") return TakeDescr(scanner, header);
  if (*key == "fortran_order") return TakeOrder(scanner, header);
  if (*key == "shape") return TakeShape(scanner, header);
  return Bad("its header has a key besides descr, fortran_order and shape");
}

Result<Shape> ParseHeader(std::string_view text) {
  Scanner scanner(text);
  Header header;
  if (!scanner.Take("{")) return Bad("its header does not start with {");
  while (!scanner.Take("}")) {
    COMITY_RETURN_IF_ERROR(TakeItem(scanner, header));
    if (scanner.Take(",")) continue;
    if (!scanner.Take("}")) return Bad("its header's items are not separated by commas");
    break;
  }
  if (!scanner.Take("\n") || !scanner.rest().empty()) {
    return Bad("its header does not end with spaces and one newline after }");
  }
  if (!header.descr || !header.order || !header.shape) {
    return Bad("its header lacks descr, fortran_order or shape");
  }
  return *header.shape;
}

}  // namespace

Result<NpyArray> ParseNpy(ByteView file) {
  COMITY_ASSIGN_OR_RETURN(const Sections sections, Split(file));
  COMITY_ASSIGN_OR_RETURN(const Shape shape, ParseHeader(sections.header));
  if (shape.rows == 0 || shape.columns == 0 ||
      shape.columns > std::numeric_limits<std::uint32_t>::max()) {
    return Bad("`shape` has no entries or no plausible dimension");
  }
  // Division first: the product may not fit in 64 bits.
  const std::uint64_t row_bytes = shape.columns * sizeof(float);
  if (sections.elements.size() / row_bytes != shape.rows ||
      sections.elements.size() % row_bytes != 0) {
    return Bad("`shape` is (" + std::to_string(shape.rows) + ", " + std::to_string(shape.columns) +
               ") but " + std::to_string(sections.elements.size()) + " octets follow the header");
  }
  return NpyArray{shape.rows, static_cast<std::uint32_t>(shape.columns), sections.elements};
}

}  // namespace comity::watchlists
