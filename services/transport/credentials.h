// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/transport/address.h"
#include "services/transport/trust_store.h"

namespace comity::transport {

// The TLS side of one port: own identity, the peers' anchors, the verifier. Identity and anchors
// are looked at every second; new handshakes use what is there, open connections go on.
//
// Threads: thread-safe. Must outlive the server that uses its credentials.
class ServerTls {
 public:
  struct Settings {
    std::filesystem::path identity_file;  // ONE PEM with key and chain, replaced by rename
    std::shared_ptr<TrustStore> trust;    // shared with the verifier, which gRPC owns
    const runtime::Clock& clock;          // must outlive all that uses the credentials
    // Told of every handshake that the verifier refuses, from gRPC's threads; must not block.
    std::function<void(const Error&)> on_refusal;
  };
  // Errors: kInvalidArgument  the identity file holds no key with its certificate
  //         kNotFound         it cannot be read
  //         kUnavailable      no private folder for the anchor bundle could be made
  static Result<std::unique_ptr<ServerTls>> Open(Settings settings);
  ~ServerTls();
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  std::shared_ptr<grpc::ServerCredentials> credentials() const { return credentials_; }
  // A channel to a peer of the same trust store, with this port's identity; as OpenChannel. All
  // such channels share one look at the files. The channel must not outlive this object.
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& agency, const Address& address,
                                           int max_message_size) const;

  // Whether a certificate is one that this port has had as its own since it was opened. A
  // connection keeps the one it was made with; only the other end can say which that is.
  // In: fingerprint  SHA-256 of the leaf's DER
  bool HasShown(const Digest& fingerprint) const;

 private:
  explicit ServerTls(Settings settings) : settings_(std::move(settings)) {}
  void NoteShown() const;
  const Settings settings_;
  std::filesystem::path folder_;  // private; holds the anchor bundle that gRPC watches
  std::shared_ptr<grpc::experimental::CertificateProviderInterface> provider_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  mutable runtime::Guarded<std::set<Digest>> shown_;
  std::jthread refresh_;
};

// Which gateway a channel leads to, and as whom it is opened.
struct ChannelTarget {
  Address address;
  std::filesystem::path identity_file;  // ONE PEM with key and chain of the caller
  PinnedPeer peer;  // with an anchor file; the server must prove to be this one, and the host name
                    // decides nothing
};
struct ChannelSettings {
  int max_message_size = 0;     // octets, either direction: a constant of limits.h
  const runtime::Clock& clock;  // must outlive the channel
};
// A channel with this project's defaults: keepalive, no retries (a repeated message with effect is
// refused as a replay), no proxy from the environment. Connects at the first call.
//
// Errors: those of TrustStore::ForFederation and ServerTls::Open
Result<std::shared_ptr<grpc::Channel>> OpenChannel(const ChannelTarget& target,
                                                   const ChannelSettings& settings);

// Who is calling, verified again for this call, so that a revocation bites connections that are
// open. Long streams repeat it.
//
// Errors: those of TrustStore::Verify; kUnauthenticated when the call has no certificate
Result<VerifiedPeer> CallerOf(const grpc::ServerContextBase& context, TrustStore& trust,
                              runtime::Instant now);

// The same at the other end: who serves an open call. The handshake alone would let a server whose
// certificate was revoked since keep its connection.
//
// In: context  of a call that has read something
Result<VerifiedPeer> ServerOf(const grpc::ClientContext& context, TrustStore& trust,
                              runtime::Instant now);

// Limits, keepalive, connection age and health service for a server of the synchronous API. No
// reflection, no channelz: every peer with a certificate could call them.
void ApplyServerDefaults(grpc::ServerBuilder& builder, int max_message_size);
// In: octets  of one stream that may be on their way, for good; a larger message still passes
void LimitStreamWindow(grpc::ServerBuilder& builder, int octets);

}  // namespace comity::transport
