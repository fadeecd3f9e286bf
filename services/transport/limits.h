// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

// Everything a peer could make large or many, in one place. Comments in proto/comity/v1 state the
// same values; a handler checks them before it allocates and before any cryptography.
namespace comity::transport::limits {

// --- messages, federation port ---
inline constexpr std::size_t kMaxProbePayload = 16 * 1024;        // SearchProbe: 2048 x 4 + header
inline constexpr std::size_t kMaxAgreementDocument = 256 * 1024;  // YAML
inline constexpr std::size_t kMaxStatement = 16 * 1024;           // one DSSE envelope as JSON
inline constexpr std::size_t kMaxStatementsPerDelivery = 64;
// One signed payload with its envelope; a delivery's 64 statements of 16 KiB stay below by that
// limit.
inline constexpr int kMaxFederationMessage = 1024 * 1024 + 64 * 1024;

// --- messages, agency port ---
inline constexpr std::size_t kMaxImportChunk = 1024 * 1024;  // WatchlistImport, either chunk
inline constexpr std::size_t kMaxImportEntries = std::size_t{256} * 1024 * 1024;  // octets, in all
inline constexpr std::size_t kMaxImportTemplates = std::size_t{2} * 1024 * 1024 * 1024;
inline constexpr int kMaxAgencyMessage =
    1024 * 1024 + 64 * 1024;  // the largest chunk and its frame

// Octets of one stream that have come and that nobody has looked at: some 110 faces of 128
// dimensions, 30 of 512. An engine that sends faster than its faces are searched is held up by the
// network within that many, and no face grows old on the way. gRPC's own window grows to megabytes.
inline constexpr int kAgencyStreamWindow = 64 * 1024;

// --- values in messages ---
inline constexpr std::size_t kMaxIdLength = 64;
inline constexpr std::size_t kMaxCaptureRef = 128;
inline constexpr std::size_t kMaxCameraName = 64;
inline constexpr std::size_t kMaxTrack = 64;
inline constexpr std::size_t kMaxReason = 1000;
inline constexpr std::size_t kMaxPlace = 256;
inline constexpr std::size_t kMaxCategories = 16;
inline constexpr std::size_t kMaxClauses = 16;
inline constexpr std::size_t kMaxHits = 100;
inline constexpr std::size_t kMinDimension = 32;
inline constexpr std::size_t kMaxDimension = 2048;

// --- time ---
inline constexpr std::chrono::seconds kMaxClockSkew{60};
inline constexpr std::chrono::seconds kMaxProbeAge{30};    // captured_at at the agency port
inline constexpr std::chrono::seconds kProbeDeadline{5};   // then Unanswered, never repeated
inline constexpr std::chrono::seconds kUnaryDeadline{10};  // every unary call that sets no other
inline constexpr std::chrono::seconds kFirstMessageDeadline{10};  // of a stream that a peer opens
// What sealed calls wait for: base OTs, tables, a reader; a second more for each MiB of a round.
inline constexpr std::chrono::seconds kSealedRoundDeadline{10};
// For one answer of a direct session: flow control holds it back while its requester does not read.
inline constexpr std::chrono::seconds kAnswerReadingTime{10};
// Of an import, which keeps others out: without a message, and in all 4 s more for each MiB sent.
inline constexpr std::chrono::seconds kImportPatience{20};
inline constexpr std::chrono::seconds kHelloDeadline{3};  // a person waits for `comity status`

// --- streams ---
// One thread serves one stream; this many streams on one connection leave room for other peers.
inline constexpr int kMaxStreamsPerConnection = 32;

// Each sealed session keeps pads for its lists' searches: up to 4 MiB, and 20 MiB while it
// compares.
inline constexpr int kMaxSealedSessionsPerPeer = 16;

// Calls that wait at the holder for a sealed list: each holds a thread.
inline constexpr int kMaxSealedWaitsPerPeer = 2;

// --- certificates ---
inline constexpr std::size_t kMaxCertificateChain = 64 * 1024;  // PEM octets of one peer's chain
inline constexpr int kMaxChainLength = 8;  // root, issuing CAs, leaf: 3 is usual
inline constexpr std::size_t kMaxTrustFile =
    16 * 1024 * 1024;                                    // anchors or CRLs; a CRL may be large
inline constexpr std::size_t kMaxCachedVerdicts = 1024;  // then the cache starts anew

// --- calls of one peer at the federation port (probes inside a session are not calls) ---
inline constexpr double kPeerCallsPerSecond =
    20;  // 64 streams reopen within seconds after a restart
inline constexpr double kPeerCallBurst = 200;
// Of sealed lists, a block of 1,024 entries each: a list of a million entries has 977.
inline constexpr double kPeerFetchesPerSecond = 50;
inline constexpr double kPeerFetchBurst = 500;
// Messages of its durable outbox, which it sends one by one.
inline constexpr double kPeerDeliveriesPerSecond = 100;
inline constexpr double kPeerDeliveryBurst = 500;
// Of these, those that are not about entries: seldom, and costly to take.
inline constexpr double kPeerRareDeliveriesPerSecond = 1;
inline constexpr double kPeerRareDeliveryBurst = 30;
// Farewells before a planned stop: people are told of each.
inline constexpr double kPeerLeavingsPerSecond = 1.0 / 300;
inline constexpr double kPeerLeavingBurst = 10;

// All calls of a caller at a port, before they get a thread (call_gate.h): above what the rates of
// single kinds let through together.
struct CallBounds {
  double per_second = 0;
  double burst = 0;
  double unheeded = 0;  // after so many that were refused its connections are ended
};
inline constexpr CallBounds kFederationCalls{.per_second = 250, .burst = 1'200, .unheeded = 300};
// An engine may ask by calls instead of a stream.
inline constexpr CallBounds kAgencyCalls{.per_second = 5'000, .burst = 5'000, .unheeded = 5'000};

// --- server resources ---
inline constexpr int kMaxServerThreads = 256;  // each blocked stream holds one
// Threads that wait for a connection's next event: a flood over fewer connections harms no other.
inline constexpr int kMinPollersPerQueue = 4;
inline constexpr int kMaxPollersPerQueue = 8;
inline constexpr std::size_t kMaxServerMemory = std::size_t{512} * 1024 * 1024;  // gRPC's buffers
inline constexpr int kMaxMetadataSize = 8 * 1024;  // octets of headers a call; ours need < 1 KiB

// --- connections ---
// An idle connection through a firewall dies in silence after minutes: ask every 30 s.
inline constexpr std::chrono::seconds kKeepaliveInterval{30};
inline constexpr std::chrono::seconds kKeepaliveTimeout{10};
// A client may not ask more often; two such pings and the connection is closed.
inline constexpr std::chrono::seconds kMinPingInterval{20};
// A fresh handshake, hence fresh keys, at least once a shift. A stream open by then has the grace,
// so that a live deployment can move to the new connection. Revocation does not wait for it:
// CallerOf.
inline constexpr std::chrono::minutes kMaxConnectionAge{8 * 60};
inline constexpr std::chrono::minutes kMaxConnectionAgeGrace{60};
inline constexpr std::chrono::seconds kHandshakeTimeout{10};
// How long after the handshake's time a connection that is still there counts as established.
inline constexpr std::chrono::seconds kHandshakeSlack{2};
inline constexpr std::chrono::hours kAddressKnown{24};  // after its last established connection
inline constexpr std::size_t kMaxKnownAddresses = 1024;

// New connections of one port (connection_gate.h). All ports together stay below 1,024 descriptors,
// which a process has without being given more.
struct ConnectionBounds {
  std::size_t all = 0;
  std::size_t strangers = 0;  // of `all`, those from addresses that are not known
  std::size_t of_address = 0;
  std::size_t forming = 0;  // handshakes under way from addresses that are not known
  std::size_t forming_of_address = 0;
  double per_second = 0;  // new ones of an address
  double burst = 0;
  double strangers_per_second = 0;  // new ones of all addresses that are not known
  double strangers_burst = 0;
};
// A partner has one connection, and two while it is renewed; several partners may share a way out.
inline constexpr ConnectionBounds kFederationConnections{.all = 256,
                                                         .strangers = 128,
                                                         .of_address = 64,
                                                         .forming = 64,
                                                         .forming_of_address = 32,
                                                         .per_second = 5,
                                                         .burst = 64,
                                                         .strangers_per_second = 20,
                                                         .strangers_burst = 128};
// Each engine and each command has one; people may share a terminal server, and commands come by
// the script.
inline constexpr ConnectionBounds kAgencyConnections{.all = 384,
                                                     .strangers = 256,
                                                     .of_address = 256,
                                                     .forming = 192,
                                                     .forming_of_address = 128,
                                                     .per_second = 100,
                                                     .burst = 400,
                                                     .strangers_per_second = 200,
                                                     .strangers_burst = 400};
// Scrapers and auditors are few and come and go; nobody of them is known.
inline constexpr ConnectionBounds kWebConnections{.all = 32,
                                                  .strangers = 32,
                                                  .of_address = 6,
                                                  .forming = 32,
                                                  .forming_of_address = 6,
                                                  .per_second = 20,
                                                  .burst = 100,
                                                  .strangers_per_second = 100,
                                                  .strangers_burst = 200};
// All that bounds a gRPC port.
struct PortBounds {
  int max_message_size = 0;  // octets
  ConnectionBounds connections;
  CallBounds calls;
  int stream_window = 0;  // octets; 0: as gRPC has it
};
inline constexpr PortBounds kFederationPort{.max_message_size = kMaxFederationMessage,
                                            .connections = kFederationConnections,
                                            .calls = kFederationCalls};
inline constexpr PortBounds kAgencyPort{.max_message_size = kMaxAgencyMessage,
                                        .connections = kAgencyConnections,
                                        .calls = kAgencyCalls,
                                        .stream_window = kAgencyStreamWindow};
inline constexpr std::chrono::milliseconds kFirstReconnect{200};
inline constexpr std::chrono::seconds kMaxReconnect{5};

}  // namespace comity::transport::limits
