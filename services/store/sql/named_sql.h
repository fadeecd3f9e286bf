// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/store/sql/query.h"

namespace comity::store {

// Values of the places of a NamedSql.
using NamedValues = std::map<std::string, StoredValue, std::less<>>;

// A statement that is written with names where its arguments go, ":at" for one, since both
// databases know arguments by their order only and some stand at several places.
class NamedSql {
 public:
  // In: text  a ':' in it begins a name of letters a-z
  explicit NamedSql(std::string_view text);

  // With '?' for each name. Lives as long as the object, as Query needs it.
  const std::string& sql() const { return sql_; }
  // In order. In: values  has each name; one that is missing is a fault of the program
  std::vector<StoredValue> Arguments(const NamedValues& values) const;

 private:
  std::string sql_;
  std::vector<std::string> names_;
};

// Takes a record's reference to pieces: `form` is its parts with '/' between, of which those with a
// ':' before them are named and the last one takes all that is left, as ":list/:reference". A part
// ":number" is a number. Absent: the reference does not have this form.
std::optional<NamedValues> MatchForm(std::string_view form, std::string_view reference);

}  // namespace comity::store
