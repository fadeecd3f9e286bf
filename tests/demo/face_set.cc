// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/face_set.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>

namespace comity::demo {
namespace {

using Fields = std::vector<std::string>;

Fields SplitLine(const std::string& line) {
  Fields fields(1);
  for (const char c : line) {
    if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

Result<std::uint32_t> ParseNumber(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(ErrorCode::kInvalidArgument, "'" + text.substr(0, 20) + "' is not a number");
  }
  return number;
}

// Calls `visit` with the fields of each line after the header; row i must be numbered i.
Status VisitRows(const std::filesystem::path& file,
                 const std::function<Status(const Fields&)>& visit) {
  std::ifstream in(file);
  if (!in) return Fail(ErrorCode::kNotFound, "cannot read " + file.string());
  std::string line;
  std::getline(in, line);
  for (std::uint32_t row = 0; std::getline(in, line); ++row) {
    const Fields fields = SplitLine(line);
    const std::string place = file.string() + ":" + std::to_string(row + 2) + ": ";
    const Result<std::uint32_t> number = ParseNumber(fields[0]);
    if (fields.size() < 2 || !number || *number != row) {
      return Fail(ErrorCode::kInvalidArgument, place + "expected row " + std::to_string(row));
    }
    const Status visited = visit(fields);
    if (!visited) return Fail(visited.error().code, place + visited.error().detail);
  }
  return {};
}

Result<std::vector<float>> ReadFloats(const std::filesystem::path& file, std::size_t rows) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Fail(ErrorCode::kNotFound, "cannot read " + file.string());
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  if (rows == 0 || bytes.empty() || bytes.size() % (rows * sizeof(float)) != 0) {
    return Fail(ErrorCode::kInvalidArgument, file.string() + ": its size is not a multiple of " +
                                                 std::to_string(rows) +
                                                 " rows (labels.csv) of float32");
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

void SplitByIdentity(FaceSet& faces, const std::vector<std::uint32_t>& identities,
                     const std::vector<char>& roles, std::uint32_t max_entries) {
  for (std::uint32_t row = 0; row < identities.size(); ++row) {
    const FaceSet::Face face{row, identities[row]};
    if (face.identity % 3 == 1) faces.non_mated.push_back(face);
    if (face.identity % 3 == 2) faces.calibration.push_back(face);
    if (face.identity % 3 == 0 && roles[row] == 'G') faces.enrolled.push_back(face);
  }
  std::ranges::sort(faces.enrolled, {}, &FaceSet::Face::identity);
  if (max_entries > 0 && faces.enrolled.size() > max_entries) faces.enrolled.resize(max_entries);
  const auto is_enrolled = [&](std::uint32_t identity) {
    return std::ranges::binary_search(faces.enrolled, identity, {}, &FaceSet::Face::identity);
  };
  for (std::uint32_t row = 0; row < identities.size(); ++row) {
    if (roles[row] == 'P' && is_enrolled(identities[row])) {
      faces.mated.push_back({row, identities[row]});
    }
  }
}

}  // namespace

double FaceSet::Score(std::uint32_t left, std::uint32_t right) const {
  const auto a = Row(left);
  const auto b = Row(right);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

Result<FaceSet> LoadFaceSet(const std::filesystem::path& directory, std::uint32_t max_entries) {
  std::vector<std::uint32_t> identities;
  std::vector<char> roles;
  COMITY_RETURN_IF_ERROR(VisitRows(directory / "labels.csv", [&](const Fields& fields) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint32_t identity, ParseNumber(fields[1]));
    identities.push_back(identity);
    return {};
  }));
  COMITY_RETURN_IF_ERROR(VisitRows(directory / "split.csv", [&](const Fields& fields) -> Status {
    if (fields[1] != "G" && fields[1] != "P") {
      return Fail(ErrorCode::kInvalidArgument, "role is G or P");
    }
    roles.push_back(fields[1][0]);
    return {};
  }));
  if (roles.size() != identities.size()) {
    return Fail(ErrorCode::kInvalidArgument, "labels.csv and split.csv differ in length");
  }
  FaceSet faces;
  COMITY_ASSIGN_OR_RETURN(faces.values, ReadFloats(directory / "templates.f32", roles.size()));
  faces.dimension = static_cast<std::uint32_t>(faces.values.size() / roles.size());
  SplitByIdentity(faces, identities, roles, max_entries);
  if (faces.enrolled.empty() || faces.mated.empty() || faces.non_mated.empty() ||
      faces.calibration.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                directory.string() + ": the split by identity modulo 3 leaves a group empty");
  }
  return faces;
}

double CalibrateThreshold(const FaceSet& faces) {
  std::vector<double> best;
  best.reserve(faces.calibration.size());
  for (const FaceSet::Face& face : faces.calibration) {
    double highest = -1;
    for (const FaceSet::Face& entry : faces.enrolled) {
      highest = std::max(highest, faces.Score(face.row, entry.row));
    }
    best.push_back(highest);
  }
  std::ranges::sort(best, std::greater());
  const std::size_t allowed = best.size() / 100;
  // The next step above the first score that would be one false alert too many.
  return std::min(1.0, (std::floor(best[allowed] * 10'000) + 1) / 10'000);
}

}  // namespace comity::demo
