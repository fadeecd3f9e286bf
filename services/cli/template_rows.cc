// SPDX-License-Identifier: Apache-2.0
#include "services/cli/template_rows.h"

#include <bit>
#include <cmath>
#include <optional>

#include "services/cli/exit_code.h"
#include "services/cli/template_file.h"
#include "services/runtime/file.h"

namespace comity::cli {
namespace {

constexpr std::size_t kMaxRowsFile = std::size_t{2} << 30;
constexpr double kNormTolerance = 1e-3;  // as gateways

double ValueAt(ByteView row, std::size_t i) {
  std::uint32_t bits = 0;
  for (std::size_t octet = 4; octet > 0; --octet) bits = bits << 8 | row[4 * i + octet - 1];
  return double{std::bit_cast<float>(bits)};
}

// What is wrong with a row, if anything is.
std::optional<std::string> FaultOf(ByteView row) {
  double sum = 0;
  for (std::size_t i = 0; i < row.size() / 4; ++i) {
    const double value = ValueAt(row, i);
    if (!std::isfinite(value)) return "value " + std::to_string(i) + " is not a finite number";
    sum += value * value;
  }
  const double norm = std::sqrt(sum);
  if (std::abs(norm - 1) <= kNormTolerance) return std::nullopt;
  return "its L2 norm is " + std::to_string(norm) + "; scale it to unit length (1 +- 0.001)";
}

Result<NpyLayout> LayoutOf(const std::filesystem::path& file, ByteView content,
                           std::uint32_t dimension) {
  if (file.extension() == ".npy") return LayoutOfNpy(content, file.string());
  if (file.extension() != ".f32") {
    return Fail(ErrorCode::kInvalidArgument, file.string() + ": it must end with .npy or .f32");
  }
  const std::size_t row = std::size_t{dimension} * 4;
  if (content.size() % row != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                file.string() + ": " + std::to_string(content.size()) + " octets are not rows of " +
                    std::to_string(dimension) + " float32, as the deployment's engine has");
  }
  return NpyLayout{0, content.size() / row, dimension};
}

Result<SecretBytes> RowsOf(const std::filesystem::path& file, ByteView content,
                           std::uint32_t dimension) {
  COMITY_ASSIGN_OR_RETURN(const NpyLayout layout, LayoutOf(file, content, dimension));
  const auto wrong = [&](const std::string& what) {
    return Fail(ErrorCode::kInvalidArgument, file.string() + ": " + what);
  };
  if (layout.columns != dimension) {
    return wrong("its templates have " + std::to_string(layout.columns) +
                 " elements, those of the deployment's engine " + std::to_string(dimension));
  }
  if (layout.rows == 0) return wrong("no template in it");
  const ByteView values = content.subspan(layout.begin);
  const std::size_t size = std::size_t{dimension} * 4;
  for (std::uint64_t row = 0; row < layout.rows; ++row) {
    const auto fault = FaultOf(values.subspan(static_cast<std::size_t>(row) * size, size));
    if (fault) return wrong("row " + std::to_string(row) + ": " + *fault);
  }
  return SecretBytes::CopyOf(values);
}

}  // namespace

Result<TemplateRows> TemplateRows::Read(const std::filesystem::path& file,
                                        std::uint32_t dimension) {
  COMITY_ASSIGN_OR_RETURN(std::string text, Locally(runtime::ReadTextFile(file, kMaxRowsFile)));
  auto values = RowsOf(file, AsBytes(text), dimension);
  Wipe(std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  if (!values) return Fail(std::move(values).error());
  const std::uint64_t rows = values->size() / (std::size_t{dimension} * 4);
  return TemplateRows(*std::move(values), rows);
}

ByteView TemplateRows::Row(std::uint64_t row) const {
  const std::size_t size = values_.size() / static_cast<std::size_t>(rows_);
  return values_.Expose().subspan(static_cast<std::size_t>(row) * size, size);
}

}  // namespace comity::cli
