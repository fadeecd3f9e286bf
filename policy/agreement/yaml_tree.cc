// SPDX-License-Identifier: Apache-2.0
// The only file that sees yaml-cpp; its exceptions end here.
#include "policy/agreement/yaml_tree.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <sstream>
#include <utility>

#include "crypto/base/quote.h"
#include "policy/agreement/scalar_source.h"

namespace comity::policy {
namespace {

// yaml-cpp counts from 0.
Position At(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

// A map or sequence that is being read.
struct Frame {
  YamlNode node;
  bool in_flow = false;
  bool has_key = false;  // map: the key is read, its value comes next
  std::string key;
  Position key_at;
};

// Builds the tree from the reader's events and reports what the subset excludes.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view yaml, IssueLog& issues) : yaml_(yaml), issues_(issues) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    // The reader places an absent value where the next thing stands; the key is what people look
    // for.
    const bool absent = !stack_.empty() && stack_.back().has_key && !StartsValue(mark);
    AddFaulty(absent ? stack_.back().key_at : At(mark),
              "a value is missing; `null` and `~` are not values");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    AddFaulty(At(mark), "aliases are not allowed");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (HasProperties(mark, tag, anchor)) return AddFaulty(At(mark), "");
    const auto begin = static_cast<std::size_t>(mark.pos);
    const bool in_flow = !stack_.empty() && stack_.back().in_flow;
    const std::string_view rest = begin < yaml_.size() ? yaml_.substr(begin) : "";
    if (FollowsQuestionMark(begin)) {
      return AddFaulty(At(mark), "explicit keys (`? key`) are not allowed");
    }
    ScalarSource source = ReadScalarSource(rest, value, in_flow);
    if (!source.fault.empty()) return AddFaulty(At(mark), std::move(source.fault));
    spans_.push_back({begin, source.size});
    YamlNode node;
    node.at = At(mark);
    node.text = value;
    node.quoted = source.quoted;
    Add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(mark, YamlNode::Kind::kSequence, HasProperties(mark, tag, anchor), style);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(mark, YamlNode::Kind::kMap, HasProperties(mark, tag, anchor), style);
  }
  void OnMapEnd() override { Close(); }

  bool clean() const { return clean_; }
  const std::vector<SourceSpan>& spans() const { return spans_; }
  std::optional<YamlNode> TakeRoot() { return std::move(root_); }

 private:
  void Report(Position at, std::string message) {
    clean_ = false;
    issues_.Add(at, "", std::move(message));
  }

  // True if a spelling of null stands at `mark`.
  bool StartsValue(const YAML::Mark& mark) const {
    const auto at = static_cast<std::size_t>(mark.pos);
    return at < yaml_.size() && std::string_view("~nN").find(yaml_[at]) != std::string_view::npos;
  }

  bool FollowsQuestionMark(std::size_t at) const {
    while (at > 0 && at <= yaml_.size() && yaml_[at - 1] == ' ') --at;
    return at > 0 && at <= yaml_.size() && yaml_[at - 1] == '?';
  }

  bool HasProperties(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) Report(At(mark), "anchors are not allowed");
    const bool tagged = !tag.empty() && tag != "?" && tag != "!";
    if (tagged) Report(At(mark), "tags are not allowed");
    return tagged || anchor != 0;
  }

  void AddFaulty(Position at, std::string message) {
    clean_ = false;
    if (!message.empty()) Report(at, std::move(message));
    YamlNode node;
    node.at = at;
    node.faulty = true;
    Add(std::move(node));
  }

  void Open(const YAML::Mark& mark, YamlNode::Kind kind, bool faulty,
            YAML::EmitterStyle::value style) {
    if (stack_.size() == kMaxDocumentDepth) {
      Report(At(mark), "nested deeper than " + std::to_string(kMaxDocumentDepth) + " levels");
    }
    Frame frame;
    frame.node.kind = kind;
    frame.node.at = At(mark);
    frame.node.faulty = faulty;
    frame.in_flow = style == YAML::EmitterStyle::Flow || (!stack_.empty() && stack_.back().in_flow);
    stack_.push_back(std::move(frame));
  }

  void Close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    // What is too deep is dropped, so that no tree is ever deeper than the bound.
    if (stack_.size() >= kMaxDocumentDepth) {
      node = {};
      node.faulty = true;
    }
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == YamlNode::Kind::kSequence) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      TakeKey(frame, std::move(node));
    } else {
      frame.has_key = false;
      frame.node.members.push_back({std::move(frame.key), frame.key_at, std::move(node)});
    }
  }

  void TakeKey(Frame& frame, YamlNode node) {
    // No map of the schema has as many; bounds the search for repeated keys below.
    constexpr std::size_t kMaxKeys = 64;
    frame.has_key = true;
    if (frame.node.members.size() >= kMaxKeys) {
      if (!frame.node.faulty) Report(node.at, "a map has at most 64 keys");
      frame.node.faulty = true;
      frame.node.members.pop_back();
    }
    frame.key = std::move(node.text);
    frame.key_at = node.at;
    if (node.faulty || node.kind != YamlNode::Kind::kScalar) {
      if (!node.faulty) Report(node.at, "a key must be a name");
      frame.node.faulty = true;
      return;
    }
    if (frame.key == "<<") Report(node.at, "merge keys are not allowed");
    for (const YamlMember& member : frame.node.members) {
      if (member.key != frame.key) continue;
      Report(node.at, "the key " + Quote(frame.key) + " stands here twice; first in line " +
                          std::to_string(member.at.line));
      frame.node.faulty = true;
      return;
    }
    if (!frame.in_flow && node.at.column != frame.node.at.column) {
      Report(node.at, "the keys of one map start in one column");
    }
  }

  std::string_view yaml_;
  IssueLog& issues_;
  bool clean_ = true;
  std::vector<Frame> stack_;
  std::vector<SourceSpan> spans_;
  std::optional<YamlNode> root_;
};

// Finds out whether anything but comments follows.
class NothingExpected final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override { seen_ = true; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
  bool seen() const { return seen_; }

 private:
  bool seen_ = false;
};

bool ParseEvents(std::string_view yaml, TreeBuilder& builder, IssueLog& issues) {
  try {
    std::istringstream in{std::string(yaml)};
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) {
      issues.Add({}, "", "the document is empty");
      return false;
    }
    NothingExpected rest;
    parser.HandleNextDocument(rest);
    if (rest.seen()) {
      issues.Add({}, "", "the file must be one document");
      return false;
    }
    return true;
  } catch (const YAML::DeepRecursion& e) {
    issues.Add(At(e.mark), "", "nested too deep to read on");
  } catch (const YAML::Exception& e) {
    issues.Add(e.mark.is_null() ? Position{} : At(e.mark), "", "not YAML: " + e.msg);
  } catch (const std::exception&) {
    issues.Add({}, "", "not YAML");
  }
  return false;
}

}  // namespace

std::optional<YamlNode> ReadYaml(std::string_view yaml, IssueLog& issues) {
  TreeBuilder builder(yaml, issues);
  if (!ParseEvents(yaml, builder, issues)) return std::nullopt;
  // Spans are complete only if every scalar was understood.
  if (builder.clean()) CheckStructure(yaml, builder.spans(), issues);
  return builder.TakeRoot();
}

}  // namespace comity::policy
