// SPDX-License-Identifier: Apache-2.0
#include "services/cli/agreement_statement.h"

#include <utility>
#include <vector>

namespace comity::cli {
namespace {

using policy::StatementKind;

struct Post {
  Speaker speaker;
  policy::Speaker kind{};
};

std::vector<Post> PostsOf(const policy::Agreement& agreement, const std::string& key) {
  std::vector<Post> posts;
  for (const policy::Party& party : agreement.parties) {
    for (const policy::Signatory& signatory : party.signatories) {
      if (signatory.key == key) {
        posts.push_back({{party.agency, signatory.post}, policy::Speaker::kSignatory});
      }
    }
    if (party.dpo.key == key)
      posts.push_back({{party.agency, party.dpo.post}, policy::Speaker::kDpo});
    if (party.agency_key == key) {
      posts.push_back(
          {{party.agency, std::string(policy::kGatewayPost)}, policy::Speaker::kGateway});
    }
  }
  return posts;
}

}  // namespace

Result<Speaker> FindSpeaker(const policy::Agreement& agreement, const sign::PublicKey& key,
                            StatementKind kind) {
  const std::string text = sign::EncodePublicKey(key);
  const std::vector<Post> posts = PostsOf(agreement, text);
  for (const Post& post : posts) {
    if (policy::MayState(post.kind, kind)) return post.speaker;
  }
  const std::string document =
      agreement.id.text() + " version " + std::to_string(agreement.version);
  if (posts.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "the key " + text + " is none of the document's (" + document +
                    "); use the key of a post that the document names");
  }
  return Fail(ErrorCode::kInvalidArgument,
              "the key is that of " + posts.front().speaker.post + ", " +
                  posts.front().speaker.party.text() + ", whose post makes no " +
                  std::string(Name(kind)) +
                  "; signatories sign, reject, resume and terminate, the DPO advises, either "
                  "reviews and suspends");
}

Result<SignedStatement> SignStatement(const policy::Agreement& agreement,
                                      const sign::SigningKey& key, const StatementRequest& request,
                                      policy::Instant now) {
  COMITY_ASSIGN_OR_RETURN(Speaker speaker, FindSpeaker(agreement, key.public_key(), request.kind));
  policy::Statement statement;
  statement.kind = request.kind;
  statement.agreement = policy::RefOf(agreement);
  statement.party = std::move(speaker.party);
  statement.post = std::move(speaker.post);
  statement.at = now;
  statement.position = request.position;
  statement.text = request.text;
  statement.lifts = request.lifts;
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope envelope, policy::MakeStatement(key, statement));
  COMITY_ASSIGN_OR_RETURN(
      const policy::VerifiedStatement verified,
      policy::VerifyStatement(envelope, agreement, {.countersignature_required = false}));
  return SignedStatement{verified.statement, verified.id, sign::EncodeDsseJson(envelope)};
}

}  // namespace comity::cli
