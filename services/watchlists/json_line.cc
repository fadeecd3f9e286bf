// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/json_line.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/quote.h"

namespace comity::watchlists {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxNameShown = 40;

// Builds the value while the text is read, so that what a tree would hide (a second value of one
// name) is seen.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return Refuse("null; leave the field out instead"); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(number_integer_t value) override { return Put(value); }
  bool number_unsigned(number_unsigned_t value) override { return Put(value); }
  bool number_float(number_float_t, const string_t&) override {
    return Refuse("a number with a fraction or exponent; numbers are whole");
  }
  bool string(string_t& value) override { return Put(std::move(value)); }
  bool binary(binary_t&) override { return Refuse("binary"); }
  bool start_array(std::size_t) override { return Refuse("a list; no field is one"); }
  bool end_array() override { return false; }
  bool key(string_t& name) override;
  bool start_object(std::size_t) override;
  bool end_object() override;
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override;

  Result<Json> Take();

 private:
  static constexpr std::size_t kMaxDepth = 3;
  bool Put(Json value);
  bool Refuse(std::string what);

  Json root_;
  std::vector<Json*> open_;  // pointers into root_; objects of a std::map do not move
  std::string name_;
  std::string problem_;
};

bool Builder::Put(Json value) {
  if (open_.empty()) return Refuse("the line is not an object {...}");
  (*open_.back())[name_] = std::move(value);
  return true;
}

bool Builder::Refuse(std::string what) {
  problem_ = open_.empty() ? std::move(what)
                           : "field " + Quote(name_, kMaxNameShown) + ": " + std::move(what);
  return false;
}

bool Builder::key(string_t& name) {
  name_ = name;
  return open_.back()->contains(name) ? Refuse("the name stands twice in one object") : true;
}

bool Builder::start_object(std::size_t) {
  if (open_.size() == kMaxDepth) return Refuse("objects are nested too deep");
  if (open_.empty()) {
    root_ = Json::object();
    open_.push_back(&root_);
    return true;
  }
  Json& member = (*open_.back())[name_];
  member = Json::object();
  open_.push_back(&member);
  return true;
}

bool Builder::end_object() {
  open_.pop_back();
  return true;
}

bool Builder::parse_error(std::size_t position, const std::string&,
                          const nlohmann::detail::exception&) {
  problem_ = "not valid JSON in UTF-8 at octet " + std::to_string(position) + " of the line";
  return false;
}

Result<Json> Builder::Take() {
  if (!problem_.empty()) return Fail(ErrorCode::kInvalidArgument, std::move(problem_));
  return std::move(root_);
}

}  // namespace

Result<Json> ParseJsonLine(std::string_view line) {
  // The library would skip one silently.
  if (line.starts_with("\xEF\xBB\xBF")) {
    return Fail(ErrorCode::kInvalidArgument, "the line starts with a byte order mark; remove it");
  }
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "the line is empty; each line is one entry");
  }
  Builder builder;
  Json::sax_parse(line.begin(), line.end(), &builder);
  return builder.Take();
}

}  // namespace comity::watchlists
