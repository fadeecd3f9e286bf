// SPDX-License-Identifier: Apache-2.0
#include "tests/support/unchecked_requester.h"

#include <utility>

#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/exchange_id.h"
#include "services/runtime/file.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/status.h"

namespace comity::testing {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;

}  // namespace

UncheckedRequester::UncheckedRequester(policy::AgencyId agency, sign::SigningKey key,
                                       gateway::PinnedPeer holder, const runtime::Clock& clock)
    : agency_(std::move(agency)),
      key_(std::move(key)),
      holder_(std::move(holder)),
      clock_(clock),
      signer_(agency_, key_, clock_, random_),
      verifier_(agency_, clock_) {}

Result<std::unique_ptr<UncheckedRequester>> UncheckedRequester::Create(
    const Settings& settings, const runtime::Clock& clock) {
  COMITY_ASSIGN_OR_RETURN(policy::AgencyId agency, policy::AgencyId::Parse(settings.agency));
  COMITY_ASSIGN_OR_RETURN(policy::AgencyId holder, policy::AgencyId::Parse(settings.holder));
  COMITY_ASSIGN_OR_RETURN(const auto key_file,
                          runtime::ReadSecretFile(settings.signing_key_file, kMaxKeyFile));
  COMITY_ASSIGN_OR_RETURN(sign::SigningKey key,
                          sign::SigningKey::ParseKeyFile(AsText(key_file.Expose())));
  COMITY_ASSIGN_OR_RETURN(const sign::PublicKey holder_key,
                          sign::ParsePublicKey(settings.holder_key));
  COMITY_ASSIGN_OR_RETURN(const transport::Address address,
                          transport::ParseAddress(settings.holder_address));
  COMITY_ASSIGN_OR_RETURN(
      const auto channel,
      transport::OpenChannel({address,
                              settings.identity_file,
                              {settings.holder, settings.holder_id, settings.holder_anchor, {}}},
                             {transport::limits::kMaxFederationMessage, clock}));
  std::unique_ptr<UncheckedRequester> requester(new UncheckedRequester(
      std::move(agency), std::move(key), {std::move(holder), holder_key}, clock));
  requester->stub_ = v1::Federation::NewStub(channel);
  return requester;
}

Result<policy::Decision> UncheckedRequester::Open(const policy::SearchRequest& terms) {
  exchange_ = matching::NewExchangeId(random_);
  sequence_ = 0;
  v1::SearchOpen open;
  *open.mutable_terms() = gateway::ToProto(terms);
  open.set_deployment("d-unchecked");
  *open.mutable_ends_at() = gateway::ToProto(clock_.Now() + std::chrono::hours(1));
  open.mutable_commitments()->set_officer(std::string(32, '\x5a'));
  open.mutable_commitments()->set_case_ref(std::string(32, '\x5b'));
  context_ = std::make_unique<grpc::ClientContext>();
  context_->set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
  stream_ = stub_->Search(context_.get());
  COMITY_ASSIGN_OR_RETURN(const v1::SignedMessage reply,
                          SendRaw(signer_.Sign(open, holder_.agency, exchange_)));
  if (gateway::MessageVerifier::Claims<v1::SearchRefused>(reply)) {
    COMITY_ASSIGN_OR_RETURN(const auto refused,
                            verifier_.Verify<v1::SearchRefused>(reply, holder_));
    return gateway::FromProto(refused.decision());
  }
  COMITY_RETURN_IF_ERROR(verifier_.Verify<v1::SearchOpened>(reply, holder_));
  policy::Decision permit;
  permit.code = policy::ReasonCode::kPermit;
  permit.agreement = terms.agreement;
  return permit;
}

Result<v1::SearchAnswer> UncheckedRequester::Probe(std::span<const float> embedding,
                                                   const policy::AgreementRef& agreement) {
  COMITY_ASSIGN_OR_RETURN(const v1::SignedMessage reply,
                          SendRaw(SignProbe(++sequence_, embedding, agreement)));
  return verifier_.Verify<v1::SearchAnswer>(reply, holder_);
}

v1::SignedMessage UncheckedRequester::SignProbe(std::uint64_t sequence,
                                                std::span<const float> embedding,
                                                const policy::AgreementRef& agreement) {
  v1::SearchProbe probe;
  probe.set_sequence(sequence);
  *probe.mutable_agreement() = gateway::ToProto(agreement);
  probe.set_embedding(embedding.data(), embedding.size_bytes());
  probe.mutable_commitments()->set_officer(std::string(32, '\x5a'));
  probe.mutable_commitments()->set_case_ref(std::string(32, '\x5b'));
  return signer_.Sign(probe, holder_.agency, exchange_);
}

Result<v1::SignedMessage> UncheckedRequester::SendRaw(const v1::SignedMessage& message) {
  v1::SignedMessage reply;
  if (!stream_->Write(message) || !stream_->Read(&reply)) {
    COMITY_RETURN_IF_ERROR(Close());
    return Fail(ErrorCode::kUnavailable, "the holder ended the session without an answer");
  }
  return reply;
}

Status UncheckedRequester::Close() {
  stream_->WritesDone();
  const grpc::Status status = stream_->Finish();
  if (status.ok()) return {};
  return Fail(transport::FromGrpcStatus(status));
}

}  // namespace comity::testing
