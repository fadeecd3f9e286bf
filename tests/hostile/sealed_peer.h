// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "services/gateway/federation/sealed_exchange.h"
#include "tests/integration/raw_peer.h"

namespace comity::testing {

class SealedSession;

// The requester's end of sealed search towards a real gateway, message by message: what is sent,
// and in which order, is up to the test. What it makes is what an honest requester would send.
//
// Threads: thread-compatible.
class SealedPeer {
 public:
  struct Setup {
    UncheckedRequester::Settings settings;  // who asks whom
    std::filesystem::path holder_identity;  // the certificate that the holder shows
    policy::SearchRequest terms;            // of mode sealed
    const runtime::Clock& clock;            // must outlive the object
  };
  explicit SealedPeer(Setup setup);

  RawPeer& raw() { return peer_; }
  const Setup& setup() const { return setup_; }

  v1::ListSealedRequest ListRequest() const;
  Result<v1::ListSealedReply> List(const v1::ListSealedRequest& request);
  // Errors: how the holder ended the call
  Result<Bytes> Fetch(const v1::FetchSealedRequest& request);
  // Whole and verified copies of all that is offered, as soon as anything is; at most a minute.
  gateway::SealedLists AwaitLists();

  static v1::FetchSealedRequest StateOf(const sealed::ListView& list);
  static v1::FetchSealedRequest BlockOf(const sealed::ListView& list, std::size_t position);

  // A session over these lists, of which nothing is said yet.
  std::unique_ptr<SealedSession> NewSession(const gateway::SealedLists& lists);

 private:
  gateway::SealedLists Copies(const v1::ListSealedReply& offers);

  const Setup setup_;
  RawPeer peer_;
};

// One stream of Federation.SealedSearch. The holder must end it within a minute.
//
// Threads: thread-compatible.
class SealedSession {
 public:
  SealedSession(SealedPeer& peer, gateway::SealedLists lists);

  bool Write(const v1::SealedMessage& message) { return stream_->Write(message); }
  bool Write(const v1::SignedMessage& message);
  template <typename Payload>
  bool Say(Payload payload) {
    return Write(peer_.raw().Sign(std::move(payload), exchange_));
  }
  void Cancel() { context_.TryCancel(); }
  // The next message. Errors: how the holder ended the call; kNotFound  in good order
  Result<v1::SealedMessage> Next();
  // The next signed message; parts before it are taken as an honest requester takes them.
  Result<v1::SignedMessage> NextSigned();
  // Reads on until the holder ends the call, and says how.
  Status End();

  const std::string& exchange() const { return exchange_; }
  v1::SealedOpen Opening() const;
  // Sends it and takes the answer. Errors: how the call ended; kPermissionDenied  refused
  Status Open(const v1::SealedOpen& open);
  v1::SealedSetUp SetUp() const { return own_->SetUp(); }
  // From nothing to a session in which probes are taken.
  Status BeReady();
  v1::SealedProbes Probes(std::span<const std::vector<float>> faces);
  // What answers the offsets of so many probes, all of the batch: of each probe, the parts of its
  // tables. Errors: how the call ended; kConflict  an answer came first
  Result<std::vector<v1::SealedMessage>> Tables(std::size_t probes);
  Result<v1::SealedAnswers> Answers();
  Result<v1::SealedAnswers> Search(const std::vector<float>& face);

 private:
  Status Take(const v1::SealedPart& part);

  SealedPeer& peer_;
  gateway::SealedLists lists_;
  const std::string exchange_;
  SystemRandom random_;
  std::array<std::uint8_t, 32> nonce_{};
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::SealedMessage, v1::SealedMessage>> stream_;
  std::unique_ptr<gateway::SealedExchange> own_;
  std::vector<v1::SealedPart> offsets_;
};

}  // namespace comity::testing
