// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/sealed_peer.h"

#include <algorithm>
#include <thread>

#include "crypto/base/check.h"
#include "crypto/sealed/quantise.h"
#include "crypto/sealed/sealed_block.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/sealed_mode.h"
#include "services/transport/certificate.h"
#include "services/transport/status.h"
#include "services/watchlists/sealed_offer.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kBetweenLooks{100};

std::string ToOctets(const Digest& digest) {
  return std::string(AsText(digest.view()));
}

Digest ToDigest(const std::string& octets) {
  Digest digest;
  COMITY_CHECK(octets.size() == Digest::kSize);
  std::ranges::copy(AsBytes(octets), digest.bytes.begin());
  return digest;
}

Digest CertificateIn(const std::filesystem::path& identity) {
  const auto own = transport::ReadOwnCertificate(identity);
  COMITY_CHECK(own.has_value());
  return own->fingerprint;
}

v1::SearchCommitments Commitments() {
  v1::SearchCommitments commitments;
  commitments.set_officer(std::string(32, '\x5a'));
  commitments.set_case_ref(std::string(32, '\x5b'));
  return commitments;
}

Error HowItEnded(const grpc::Status& status) {
  if (!status.ok()) return transport::FromGrpcStatus(status);
  return {ErrorCode::kNotFound, "the holder closed the stream in good order"};
}

}  // namespace

SealedPeer::SealedPeer(Setup setup)
    : setup_(std::move(setup)), peer_(setup_.settings, setup_.clock) {}

v1::ListSealedRequest SealedPeer::ListRequest() const {
  v1::ListSealedRequest request;
  *request.mutable_agreement() = gateway::ToProto(*setup_.terms.agreement);
  request.set_purpose(setup_.terms.purpose->text());
  *request.mutable_engine() = gateway::ToProto(*setup_.terms.engine);
  return request;
}

Result<v1::ListSealedReply> SealedPeer::List(const v1::ListSealedRequest& request) {
  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + kPatience);
  v1::SignedMessage reply;
  const grpc::Status status =
      peer_.stub().ListSealed(&context, peer_.Sign(request, peer_.NewExchange()), &reply);
  if (!status.ok()) return Fail(transport::FromGrpcStatus(status));
  return peer_.Read<v1::ListSealedReply>(reply);
}

Result<Bytes> SealedPeer::Fetch(const v1::FetchSealedRequest& request) {
  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + kPatience);
  const auto stream = peer_.stub().FetchSealed(&context, peer_.Sign(request, peer_.NewExchange()));
  Bytes all;
  for (v1::SealedChunk chunk; stream->Read(&chunk);) {
    const ByteView data = AsBytes(chunk.data());
    all.insert(all.end(), data.begin(), data.end());
  }
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return Fail(transport::FromGrpcStatus(status));
  return all;
}

v1::FetchSealedRequest SealedPeer::StateOf(const sealed::ListView& list) {
  v1::FetchSealedRequest request;
  request.set_list(ToOctets(list.header_digest()));
  request.set_state_sequence(list.state().sequence);
  return request;
}

v1::FetchSealedRequest SealedPeer::BlockOf(const sealed::ListView& list, std::size_t position) {
  const sealed::ListedBlock& block = list.state().blocks.at(position);
  v1::FetchSealedRequest request;
  request.set_list(ToOctets(list.header_digest()));
  request.set_block(block.number);
  request.set_block_hash(ToOctets(block.hash));
  return request;
}

gateway::SealedLists SealedPeer::Copies(const v1::ListSealedReply& offers) {
  gateway::SealedLists lists;
  for (const v1::SealedListOffer& offered : offers.lists()) {
    v1::FetchSealedRequest state;
    state.set_list(offered.list());
    state.set_state_sequence(offered.sequence());
    const Bytes envelope = Fetch(state).value();
    const std::vector keys{sign::ParsePublicKey(setup_.settings.holder_key).value()};
    const auto offer = watchlists::OpenSealedOffer(
                           {setup_.terms.holder, setup_.terms.requester, keys, setup_.clock.Now()},
                           offered.header(), AsText(envelope))
                           .value();
    sealed::ListView::Blocks blocks;
    for (const sealed::ListedBlock& block : offer.state.blocks) {
      v1::FetchSealedRequest request;
      request.set_list(offered.list());
      request.set_block(block.number);
      request.set_block_hash(ToOctets(block.hash));
      blocks.push_back(sealed::ListView::MakeBlock(
          sealed::ParseSealedBlock(Fetch(request).value(), offer.header.scales.dimension,
                                   block.number)
              .value()));
    }
    lists.push_back(
        sealed::ListView::Create(offer.header, offer.state, std::move(blocks), nullptr).value());
  }
  return lists;
}

gateway::SealedLists SealedPeer::AwaitLists() {
  const auto until = steady_clock::now() + kPatience;
  while (steady_clock::now() < until) {
    const auto offers = List(ListRequest());
    if (offers && offers->lists_size() > 0 && !offers->preparing()) return Copies(*offers);
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return {};
}

std::unique_ptr<SealedSession> SealedPeer::NewSession(const gateway::SealedLists& lists) {
  return std::make_unique<SealedSession>(*this, lists);
}

SealedSession::SealedSession(SealedPeer& peer, gateway::SealedLists lists)
    : peer_(peer), lists_(std::move(lists)), exchange_(peer.raw().NewExchange()) {
  random_.Fill(nonce_);
  context_.set_deadline(system_clock::now() + kPatience);
  stream_ = peer_.raw().stub().SealedSearch(&context_);
}

bool SealedSession::Write(const v1::SignedMessage& message) {
  v1::SealedMessage envelope;
  *envelope.mutable_signed_() = message;
  return Write(envelope);
}

Result<v1::SealedMessage> SealedSession::Next() {
  v1::SealedMessage message;
  if (stream_->Read(&message)) return message;
  return Fail(HowItEnded(stream_->Finish()));
}

Status SealedSession::Take(const v1::SealedPart& part) {
  if (part.kind() != v1::SealedPart::KIND_OFFSETS) return own_->OnPart(part);
  offsets_.push_back(part);
  return {};
}

Result<v1::SignedMessage> SealedSession::NextSigned() {
  while (true) {
    COMITY_ASSIGN_OR_RETURN(const v1::SealedMessage message, Next());
    if (message.has_signed_()) return message.signed_();
    COMITY_RETURN_IF_ERROR(Take(message.part()));
  }
}

Status SealedSession::End() {
  v1::SealedMessage message;
  while (stream_->Read(&message)) {
  }
  return Fail(HowItEnded(stream_->Finish()));
}

v1::SealedOpen SealedSession::Opening() const {
  const SealedPeer::Setup& setup = peer_.setup();
  v1::SealedOpen open;
  *open.mutable_terms() = gateway::ToProto(setup.terms);
  open.set_deployment("d-raw");
  *open.mutable_ends_at() = gateway::ToProto(setup.clock.Now() + std::chrono::hours(1));
  *open.mutable_commitments() = Commitments();
  open.set_nonce(nonce_.data(), nonce_.size());
  for (const auto& list : lists_) {
    v1::SealedListRef& ref = *open.add_lists();
    ref.set_list(ToOctets(list->header_digest()));
    ref.set_sequence(list->state().sequence);
    ref.set_state(ToOctets(list->state_digest()));
  }
  open.set_holder_certificate(ToOctets(CertificateIn(setup.holder_identity)));
  return open;
}

Status SealedSession::Open(const v1::SealedOpen& open) {
  Say(open);
  COMITY_ASSIGN_OR_RETURN(const v1::SignedMessage reply, NextSigned());
  if (gateway::MessageVerifier::Claims<v1::SearchRefused>(reply)) {
    COMITY_ASSIGN_OR_RETURN(const auto refused, peer_.raw().Read<v1::SearchRefused>(reply));
    return Fail(ErrorCode::kPermissionDenied, v1::DecisionCode_Name(refused.decision().code()));
  }
  COMITY_ASSIGN_OR_RETURN(const auto opened, peer_.raw().Read<v1::SealedOpened>(reply));
  const SealedPeer::Setup& setup = peer_.setup();
  COMITY_ASSIGN_OR_RETURN(own_,
                          gateway::SealedExchange::Create({lists_,
                                                           matching::TauOf(*setup.terms.threshold),
                                                           opened.cap(),
                                                           nonce_,
                                                           ToDigest(opened.requester_certificate()),
                                                           ToDigest(open.holder_certificate()),
                                                           {},
                                                           random_},
                                                          opened));
  return {};
}

Status SealedSession::BeReady() {
  COMITY_RETURN_IF_ERROR(Open(Opening()));
  Say(SetUp());
  COMITY_ASSIGN_OR_RETURN(const v1::SignedMessage message, NextSigned());
  COMITY_ASSIGN_OR_RETURN(const auto ready, peer_.raw().Read<v1::SealedReady>(message));
  return own_->OnReady(ready);
}

v1::SealedProbes SealedSession::Probes(std::span<const std::vector<float>> faces) {
  const auto quantiser = sealed::Quantiser::Create(faces.front().size()).value();
  std::vector<sealed::SecretArray<std::int8_t>> templates;
  for (const auto& face : faces) templates.push_back(quantiser.Quantise(face).value());
  v1::SealedProbes message = std::move(own_->Begin(templates)->message);
  for (v1::SealedProbe& probe : *message.mutable_probes()) {
    std::array<std::uint8_t, 16> track{};
    random_.Fill(track);
    *probe.mutable_agreement() = gateway::ToProto(*peer_.setup().terms.agreement);
    *probe.mutable_commitments() = Commitments();
    probe.set_track(track.data(), track.size());
  }
  return message;
}

Result<std::vector<v1::SealedMessage>> SealedSession::Tables(std::size_t probes) {
  const std::size_t wholes = probes * own_->lists();
  while (offsets_.size() < wholes) {
    COMITY_ASSIGN_OR_RETURN(const v1::SealedMessage message, Next());
    if (message.has_signed_()) return Fail(ErrorCode::kConflict, "an answer before the offsets");
    COMITY_RETURN_IF_ERROR(Take(message.part()));
  }
  std::vector<std::size_t> accepted(probes);
  for (std::size_t i = 0; i < probes; ++i) accepted[i] = i;
  own_->Prepare();
  COMITY_RETURN_IF_ERROR(own_->Accept(accepted));
  std::vector<v1::SealedMessage> messages;
  for (const v1::SealedPart& part : std::exchange(offsets_, {})) {
    COMITY_ASSIGN_OR_RETURN(const auto tables,
                            own_->OnOffsets(part.probe(), part.list(), AsBytes(part.data())));
    for (const auto& one : tables) {
      gateway::SendParts(one.whole, one.octets, [&](const v1::SealedMessage& message) {
        messages.push_back(message);
        return true;
      });
    }
  }
  return messages;
}

Result<v1::SealedAnswers> SealedSession::Answers() {
  return peer_.raw().Read<v1::SealedAnswers>(NextSigned());
}

Result<v1::SealedAnswers> SealedSession::Search(const std::vector<float>& face) {
  Say(Probes({&face, 1}));
  COMITY_ASSIGN_OR_RETURN(const auto tables, Tables(1));
  for (const v1::SealedMessage& message : tables) Write(message);
  return Answers();
}

}  // namespace comity::testing
