// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "services/matching/scan.h"
#include "services/matching/template_check.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/matching_support.h"

namespace comity::matching {
namespace {

using comity::testing::IsOk;
using testing::MakeGallery;
using testing::Matrix;

constexpr std::uint32_t kDimension = 128;

// Real templates; identities 0 mod 3 are enrolled by their G row, their P rows are mated probes,
// and those 1 mod 3 are non-mated probes (tests/data/lfw_facenet128/README.md).
struct Faces {
  Matrix enrolled;
  std::vector<int> enrolled_identity;
  Matrix probes;
  std::vector<int> probe_identity;
};

std::vector<std::vector<std::string>> ReadCsv(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);  // heading
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    rows.emplace_back();
    std::string cell;
    while (std::getline(cells, cell, ',')) rows.back().push_back(cell);
  }
  return rows;
}

Faces LoadFaces() {
  const std::string folder = std::string(COMITY_SOURCE_DIR) + "/tests/data/lfw_facenet128/";
  std::ifstream file(folder + "templates.f32", std::ios::binary);
  const std::string octets((std::istreambuf_iterator<char>(file)), {});
  std::map<std::size_t, int> identity;
  for (const auto& row : ReadCsv(folder + "labels.csv"))
    identity[std::stoul(row[0])] = std::stoi(row[1]);
  Faces faces;
  for (const auto& row : ReadCsv(folder + "split.csv")) {
    const std::size_t index = std::stoul(row[0]);
    const int who = identity.at(index);
    const bool gallery_row = row[1].starts_with('G');
    if (who % 3 == 2 || (who % 3 == 1 && gallery_row)) continue;
    const std::size_t size = kDimension * sizeof(float);
    auto values = ParseTemplate(AsBytes(octets).subspan(index * size, size), kDimension);
    COMITY_CHECK(values.has_value());
    const bool enrol = who % 3 == 0 && gallery_row;
    Matrix& into = enrol ? faces.enrolled : faces.probes;
    into.insert(into.end(), values->Expose().begin(), values->Expose().end());
    (enrol ? faces.enrolled_identity : faces.probe_identity).push_back(who);
  }
  return faces;
}

struct Rates {
  int mated = 0;
  int true_positives = 0;
  int non_mated = 0;
  int false_positives = 0;
  bool operator==(const Rates&) const = default;
};

void Count(const Faces& faces, std::size_t probe, std::span<const std::size_t> hits, Rates& rates) {
  const int who = faces.probe_identity[probe];
  const bool mated = who % 3 == 0;
  const bool own = std::any_of(hits.begin(), hits.end(), [&](std::size_t row) {
    return faces.enrolled_identity[row] == who;
  });
  ++(mated ? rates.mated : rates.non_mated);
  if (mated && own) ++rates.true_positives;
  if (!mated && !hits.empty()) ++rates.false_positives;
}

Rates NaiveRates(const Faces& faces, const Gallery& gallery, double threshold) {
  Rates rates;
  for (std::size_t p = 0; p < faces.probe_identity.size(); ++p) {
    std::vector<std::size_t> hits;
    for (std::size_t row = 0; row < gallery.size(); ++row) {
      double score = 0;
      for (std::size_t i = 0; i < kDimension; ++i) {
        score += double{gallery.Expose()[row * kDimension + i]} *
                 double{faces.probes[p * kDimension + i]};
      }
      if (score >= threshold) hits.push_back(row);
    }
    Count(faces, p, hits, rates);
  }
  return rates;
}

Rates ScannedRates(const Faces& faces, const Gallery& gallery, double threshold) {
  Rates rates;
  const auto found = Scanner().Scan(gallery, faces.probes, threshold);
  EXPECT_THAT(found, IsOk());
  for (std::size_t p = 0; found && p < found->size(); ++p) {
    std::vector<std::size_t> hits;
    for (const Candidate& candidate : (*found)[p]) hits.push_back(candidate.row);
    Count(faces, p, hits, rates);
  }
  return rates;
}

TEST(LfwAccuracy, RatesEqualThoseOfAnExactSearchAtEveryThreshold) {
  const Faces faces = LoadFaces();
  const auto gallery = MakeGallery(faces.enrolled, kDimension);
  ASSERT_EQ(gallery->size(), 118U);
  for (const double threshold : {0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95}) {
    const Rates exact = NaiveRates(faces, *gallery, threshold);
    EXPECT_EQ(ScannedRates(faces, *gallery, threshold), exact) << threshold;
    EXPECT_GT(exact.mated, 0);
    EXPECT_GT(exact.non_mated, 0);
    RecordProperty("tpir_at_" + std::to_string(threshold),
                   std::to_string(double(exact.true_positives) / exact.mated));
    RecordProperty("fpir_at_" + std::to_string(threshold),
                   std::to_string(double(exact.false_positives) / exact.non_mated));
  }
}

}  // namespace
}  // namespace comity::matching
