// SPDX-License-Identifier: Apache-2.0
// What a holder's gateway does with a peer that has valid papers and bad intentions.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#include "services/audit/events.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/runtime/file.h"
#include "services/transport/limits.h"
#include "services/transport/pki.h"
#include "services/transport/status.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/integration/opened_log.h"
#include "tests/integration/raw_peer.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using namespace std::chrono_literals;

std::string_view Octets(const Template& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class HostilePeer : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    ImportEntries(10);
    settings_ = council_.unchecked_towards(police_);
    peer_ = std::make_unique<RawPeer>(settings_, clock_);
  }
  struct Session {
    std::unique_ptr<RawPeer::Stream> stream;
    std::string exchange;
  };
  Session Open() {
    Session session{peer_->NewStream(), peer_->NewExchange()};
    const auto opened = session.stream->Exchange(peer_->SignOpen(Terms(), session.exchange));
    EXPECT_THAT(peer_->Read<v1::SearchOpened>(opened), IsOk());
    return session;
  }
  Result<v1::SearchAnswer> Ask(Session& session, std::uint64_t sequence,
                               std::string_view embedding) {
    return peer_->Read<v1::SearchAnswer>(
        session.stream->Exchange(peer_->SignProbe(sequence, embedding, ref_, session.exchange)));
  }
  void ExpectAnswered(Session& session, std::uint64_t sequence) {
    const auto answer = Ask(session, sequence, Octets(entries_[1]));
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->decision().code(), v1::DECISION_CODE_PERMIT);
    EXPECT_EQ(answer->hits_size(), 1);
  }
  Result<v1::ValidateListsReply> Validate(const policy::SearchRequest& terms,
                                          policy::Instant starts_at) {
    v1::ValidateListsRequest request;
    *request.mutable_terms() = gateway::ToProto(terms);
    request.set_deployment("d-raw");
    *request.mutable_starts_at() = gateway::ToProto(starts_at);
    grpc::ClientContext context;
    v1::SignedMessage reply;
    const grpc::Status status =
        peer_->stub().ValidateLists(&context, peer_->Sign(request, peer_->NewExchange()), &reply);
    if (!status.ok()) return Fail(transport::FromGrpcStatus(status));
    return peer_->Read<v1::ValidateListsReply>(reply);
  }
  void SuspendCouncil() {
    grpc::ClientContext context;
    v1::SuspendPeerRequest request;
    v1::Peer response;
    request.set_agency(council_.name());
    request.set_reason("its key may be in other hands");
    ASSERT_TRUE(police_.peers("dpo")->Suspend(&context, request, &response).ok());
  }
  std::size_t Refusals() { return ExportLog(police_).Count(audit::kPeerMessageRefused); }
  // Calls the federation port with another certificate.
  Result<v1::SignedMessage> OpenAs(const std::filesystem::path& identity) {
    settings_.identity_file = identity;
    RawPeer caller(settings_, clock_);
    return caller.NewStream()->Exchange(caller.SignOpen(Terms(), caller.NewExchange()));
  }

  UncheckedRequester::Settings settings_;
  std::unique_ptr<RawPeer> peer_;
};

TEST_F(HostilePeer, IsRefusedWhenItSignsWithAnotherKey) {
  peer_->ForgetKey();
  const auto message = peer_->SignOpen(Terms(), peer_->NewExchange());
  EXPECT_THAT(peer_->NewStream()->Exchange(message), FailsWith(ErrorCode::kCorrupt));
  const ExportedLog log = ExportLog(police_);
  const auto refusals = log.OfType(audit::kPeerMessageRefused);
  ASSERT_EQ(refusals.size(), 1u);
  EXPECT_EQ(refusals[0].parties,
            (std::vector<std::string>{"northshire-police", "eastvale-council"}));
  EXPECT_EQ(log.Count(audit::kSearchOpened), 0u);
}

TEST_F(HostilePeer, CannotReplayAnOpeningEvenAfterARestart) {
  const auto open = peer_->SignOpen(Terms(), peer_->NewExchange());
  const auto first = peer_->NewStream();
  ASSERT_THAT(first->Exchange(open), IsOk());
  EXPECT_THAT(peer_->NewStream()->Exchange(open), FailsWith(ErrorCode::kConflict));
  police_.Stop();
  police_.Start({&council_});
  peer_ = std::make_unique<RawPeer>(settings_, clock_);
  EXPECT_THAT(peer_->NewStream()->Exchange(open), FailsWith(ErrorCode::kConflict));
  Open();
}

TEST_F(HostilePeer, CannotUseTheExchangeIdOfAHelloForASearch) {
  v1::HelloRequest hello;
  hello.set_protocol_min(1);
  hello.set_protocol_max(1);
  hello.mutable_view()->set_state("active");
  const std::string exchange = peer_->NewExchange();
  grpc::ClientContext context;
  v1::SignedMessage reply;
  ASSERT_TRUE(peer_->stub().Hello(&context, peer_->Sign(hello, exchange), &reply).ok());
  EXPECT_THAT(peer_->NewStream()->Exchange(peer_->SignOpen(Terms(), exchange)),
              FailsWith(ErrorCode::kConflict));
}

TEST_F(HostilePeer, LosesTheSessionByAProbeOfAnotherSession) {
  Session mixed_up = Open();
  Session other = Open();
  ExpectAnswered(other, 1);
  const auto probe = peer_->SignProbe(2, Octets(entries_[0]), ref_, other.exchange);
  EXPECT_THAT(mixed_up.stream->Exchange(probe), FailsWith(ErrorCode::kPermissionDenied));
  ExpectAnswered(other, 3);
  EXPECT_EQ(Refusals(), 1u);
}

TEST_F(HostilePeer, GetsNothingForATemplateThatIsNone) {
  Session session = Open();
  Session other = Open();
  Template not_a_number = entries_[0];
  not_a_number[7] = std::numeric_limits<float>::quiet_NaN();
  Template infinite = entries_[0];
  infinite[7] = std::numeric_limits<float>::infinity();
  Template too_long = entries_[0];
  for (float& value : too_long) value *= 2;
  const Template zero(kDimension, 0.0F);
  const std::string whole(Octets(entries_[0]));
  std::uint64_t sequence = 0;
  for (const std::string& bad :
       {std::string(Octets(not_a_number)), std::string(Octets(infinite)),
        std::string(Octets(too_long)), std::string(Octets(zero)), std::string(), whole.substr(1),
        whole.substr(4), whole + std::string(4, '\0'), whole + whole}) {
    const auto answer = Ask(session, ++sequence, bad);
    ASSERT_THAT(answer, IsOk()) << sequence;
    EXPECT_EQ(answer->decision().code(), v1::DECISION_CODE_MALFORMED_REQUEST) << sequence;
    EXPECT_EQ(answer->hits_size(), 0) << sequence;
    ExpectAnswered(other, sequence);
  }
  ExpectAnswered(session, ++sequence);
}

TEST_F(HostilePeer, LosesOnlyItsOwnSessionByGarbage) {
  Session other = Open();
  std::string noise(4096, '\0');
  for (char& c : noise) c = static_cast<char>(random_());
  v1::SignedMessage garbage;
  garbage.set_payload(noise);
  garbage.set_signature(noise);
  EXPECT_THAT(peer_->NewStream()->Exchange(garbage), FailsWith(ErrorCode::kInvalidArgument));
  garbage.set_payload_type("application/vnd.comity.v1.SearchProbe+protobuf");
  Session session = Open();
  EXPECT_THAT(session.stream->Exchange(garbage), FailsWith(ErrorCode::kCorrupt));
  Session further = Open();
  EXPECT_THAT(further.stream->Exchange(v1::SignedMessage()),
              FailsWith(ErrorCode::kInvalidArgument));
  ExpectAnswered(other, 1);
}

TEST_F(HostilePeer, LosesTheSessionByAProbeAbove16KiB) {
  Session session = Open();
  EXPECT_THAT(Ask(session, 1, std::string(20'000, 'x')), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(HostilePeer, CannotOpenWithTermsOutOfBounds) {
  v1::SearchOpen open;
  const std::string exchange = peer_->NewExchange();
  ASSERT_TRUE(open.ParseFromString(peer_->SignOpen(Terms(), exchange).payload()));
  open.mutable_commitments()->set_officer("short");
  EXPECT_THAT(peer_->NewStream()->Exchange(peer_->Sign(open, exchange)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Refusals(), 1u);
}

TEST_F(HostilePeer, LosesTheSessionByAProbeThatNamesNoOfficer) {
  Session session = Open();
  v1::SearchProbe probe;
  probe.set_sequence(1);
  *probe.mutable_agreement() = gateway::ToProto(ref_);
  probe.set_embedding(std::string(Octets(entries_[0])));
  EXPECT_THAT(session.stream->Exchange(peer_->Sign(probe, session.exchange)),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(HostilePeer, IsRefusedWithoutACase) {
  Session session = Open();
  v1::SearchProbe probe;
  probe.set_sequence(1);
  *probe.mutable_agreement() = gateway::ToProto(ref_);
  probe.set_embedding(std::string(Octets(entries_[0])));
  probe.mutable_commitments()->set_officer(std::string(32, '\x5a'));
  const auto answer =
      peer_->Read<v1::SearchAnswer>(session.stream->Exchange(peer_->Sign(probe, session.exchange)));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->decision().code(), v1::DECISION_CODE_CASE_REFERENCE_MISSING);
}

TEST_F(HostilePeer, CannotNameADeploymentInASingleSearch) {
  v1::SearchOpen open;
  const std::string exchange = peer_->NewExchange();
  ASSERT_TRUE(open.ParseFromString(peer_->SignOpen(Terms(), exchange).payload()));
  open.mutable_terms()->set_use(v1::USE_MODE_RETROSPECTIVE);
  EXPECT_THAT(peer_->NewStream()->Exchange(peer_->Sign(open, exchange)),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(HostilePeer, CannotOpenASessionThatEndsInAWeek) {
  v1::SearchOpen open;
  const std::string exchange = peer_->NewExchange();
  ASSERT_TRUE(open.ParseFromString(peer_->SignOpen(Terms(), exchange).payload()));
  open.mutable_ends_at()->set_seconds(open.ends_at().seconds() + 7 * 24 * 3600);
  const auto refused =
      peer_->Read<v1::SearchRefused>(peer_->NewStream()->Exchange(peer_->Sign(open, exchange)));
  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->decision().code(), v1::DECISION_CODE_MALFORMED_REQUEST);
}

// Its place is given back whether the requester goes or not.
TEST_F(HostilePeer, CannotKeepASessionForMoreThanAMinuteAfterItsEnd) {
  Session session{peer_->NewStream(300s), peer_->NewExchange()};
  v1::SearchOpen open;
  ASSERT_TRUE(open.ParseFromString(peer_->SignOpen(Terms(), session.exchange).payload()));
  *open.mutable_ends_at() = gateway::ToProto(clock_.Now() + 2s);
  ASSERT_THAT(
      peer_->Read<v1::SearchOpened>(session.stream->Exchange(peer_->Sign(open, session.exchange))),
      IsOk());
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t face = 0;
  while (Ask(session, ++face, Octets(entries_[1]))) {
    ASSERT_LT(std::chrono::steady_clock::now(), began + 150s) << "it is still open";
    std::this_thread::sleep_for(1s);
  }
  EXPECT_GE(std::chrono::steady_clock::now(), began + 50s) << "it ended for another reason";
}

TEST_F(HostilePeer, IsTurnedAwayWithACertificateOfTheRightCaAndAnotherName) {
  ASSERT_THAT(OpenAs(council_.pki() / "gateway.pem"), IsOk());
  // The same certificate authority issues for another name.
  TemporaryDirectory folder;
  const auto pki = folder.path() / "pki";
  std::filesystem::copy(council_.pki(), pki, std::filesystem::copy_options::recursive);
  std::string names = runtime::ReadTextFile(pki / "agency.toml", 4096).value();
  const std::string domain = "eastvale-council.example";
  const auto at = names.find(domain);
  ASSERT_NE(at, std::string::npos);
  names.replace(at, domain.size(), "eastvale-annexe.example");
  std::filesystem::remove(pki / "agency.toml");
  ASSERT_THAT(runtime::WriteFile(pki / "agency.toml", AsBytes(names), 0644), IsOk());
  transport::IssueRequest request;
  request.renew = true;
  const auto issued = transport::Issue(pki, request, clock_.Now());
  ASSERT_THAT(issued, IsOk());
  ASSERT_EQ(issued->spiffe_id, "spiffe://eastvale-annexe.example/gateway");
  EXPECT_THAT(OpenAs(issued->pem_file), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(HostilePeer, IsTurnedAwayWithACertificateOfAPersonOrAnEngine) {
  EXPECT_THAT(OpenAs(council_.person_identity()), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(OpenAs(council_.pki() / "engines" / "cameras.pem"),
              FailsWith(ErrorCode::kUnavailable));
  // Not even the holder's own.
  EXPECT_THAT(OpenAs(police_.person_identity()), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(ExportLog(police_).Count(audit::kSearchOpened), 0u);
}

TEST_F(HostilePeer, CannotOpenAfterItsSuspensionInACallThatItMadeBefore) {
  const auto parked = peer_->NewStream();
  const auto open = peer_->SignOpen(Terms(), peer_->NewExchange());
  SuspendCouncil();
  EXPECT_THAT(parked->Exchange(open), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(ExportLog(police_).Count(audit::kSearchOpened), 0u);
}

TEST_F(HostilePeer, LosesACallThatItDoesNotOpenWithinTenSeconds) {
  const auto start = std::chrono::steady_clock::now();
  const auto parked = peer_->NewStream();
  EXPECT_FALSE(parked->Await());
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GT(took, std::chrono::seconds(8));
  EXPECT_LT(took, std::chrono::seconds(18));
}

TEST_F(HostilePeer, TakesItsLeaveOfPeopleOnlySoOften) {
  v1::HelloRequest hello;
  hello.set_protocol_min(1);
  hello.set_protocol_max(1);
  hello.mutable_view()->set_state("active");
  hello.set_leaving(true);
  int heard = 0;
  for (int i = 0; i < 15; ++i) {
    grpc::ClientContext context;
    v1::SignedMessage reply;
    const auto message = peer_->Sign(hello, peer_->NewExchange());
    heard += peer_->stub().Hello(&context, message, &reply).ok() ? 1 : 0;
  }
  EXPECT_EQ(heard, 10);
}

TEST_F(HostilePeer, HasListsLookedAtOnceInFiveMinutes) {
  std::vector<v1::ValidateListsReply> replies;
  for (int i = 0; i < 4; ++i) {
    const auto reply = Validate(Terms(), clock_.Now());
    ASSERT_THAT(reply, IsOk());
    replies.push_back(*reply);
  }
  EXPECT_EQ(replies.front().entries(), 10u);
  EXPECT_EQ(replies.back().entries(), 10u);
  EXPECT_EQ(replies.front().validated_at().seconds(), replies.back().validated_at().seconds());
  const ExportedLog log = ExportLog(police_);
  EXPECT_EQ(log.Count(audit::kWatchlistValidated), 1u);
  EXPECT_EQ(log.Count(audit::kListsValidated), 4u);
}

TEST_F(HostilePeer, IsToldOfNoEntryThatItMayNotSearch) {
  grpc::ClientContext context;
  v1::SetStopRequest stop;
  v1::Stop stopped;
  stop.set_scope(v1::STOP_SCOPE_WATCHLIST);
  stop.set_reference("lantern");
  stop.set_reason("A complaint is being looked into.");
  ASSERT_TRUE(police_.stops()->Set(&context, stop, &stopped).ok());
  const auto reply = Validate(Terms(), clock_.Now());
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->decision().code(), v1::DECISION_CODE_PERMIT);
  EXPECT_EQ(reply->entries(), 0u);
  EXPECT_EQ(reply->categories_size(), 0);
  EXPECT_FALSE(reply->has_validated_at());
}

TEST_F(HostilePeer, CannotHaveListsLookedAtForAnotherDay) {
  EXPECT_THAT(Validate(Terms(), clock_.Now() + std::chrono::hours(25)),
              FailsWith(ErrorCode::kInvalidArgument));
}

// Flow control would hold the answer back, and with it a thread, to the end of the session.
TEST_F(HostilePeer, LosesASessionWhoseAnswersItDoesNotRead) {
  RawPeer deaf(settings_, clock_);
  const auto stub = StubWithSmallWindow(settings_);
  RawPeer::Stream stream(*stub, 60s);
  const std::string exchange = deaf.NewExchange();
  ASSERT_THAT(deaf.Read<v1::SearchOpened>(stream.Exchange(deaf.SignOpen(Terms(), exchange))),
              IsOk());
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<bool> is_over{false};
  std::jthread sender([&] {
    for (std::uint64_t i = 1; i < 100'000; ++i) {
      if (!stream.Send(deaf.SignProbe(i, Octets(entries_[1]), ref_, exchange))) break;
    }
    is_over = true;
  });
  Session other = Open();
  for (std::uint64_t i = 1; !is_over; ++i) {
    ExpectAnswered(other, i);
    ASSERT_LT(std::chrono::steady_clock::now() - begin, 40s);
    std::this_thread::sleep_for(100ms);
  }
  sender.join();
  EXPECT_GT(std::chrono::steady_clock::now() - begin, transport::limits::kAnswerReadingTime);
  EXPECT_FALSE(stream.End());
  police_.Stop();
  const OpenedLog log = OpenedLog::Of(police_).value();
  const auto closed = [&](const OpenedLog::Entry& entry) {
    return entry.entry.exchange == exchange ? entry.Field("reason") : std::string();
  };
  log.ExpectEachOnce(audit::kSearchClosed, closed, {"timeout"});
}

// Signs in order, and takes entry after entry out of a list by faces that it has from elsewhere.
class HostileHarvester : public HostilePeer {
 protected:
  static constexpr int kFewHits = 5;  // of 100 probes, and of fewer
  HostileHarvester() { text_.hit_rate_percent = std::to_string(kFewHits); }

  // One session for one face, in the name of another officer each time: how many hits it got.
  int Take(std::size_t entry) {
    Session session{peer_->NewStream(), peer_->NewExchange()};
    const std::string officer(32, static_cast<char>('a' + entry));
    v1::SearchOpen open;
    EXPECT_TRUE(open.ParseFromString(peer_->SignOpen(Terms(), session.exchange).payload()));
    open.mutable_commitments()->set_officer(officer);
    if (!peer_->Read<v1::SearchOpened>(
            session.stream->Exchange(peer_->Sign(open, session.exchange)))) {
      return 0;
    }
    v1::SearchProbe probe;
    EXPECT_TRUE(probe.ParseFromString(
        peer_->SignProbe(1, Octets(entries_[entry]), ref_, session.exchange).payload()));
    probe.mutable_commitments()->set_officer(officer);
    const auto answer = peer_->Read<v1::SearchAnswer>(
        session.stream->Exchange(peer_->Sign(probe, session.exchange)));
    return answer ? answer->hits_size() : 0;
  }
};

TEST_F(HostileHarvester, IsStoppedInWhoseNameEverItAsks) {
  int told = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) told += Take(i);
  EXPECT_GE(told, 1);
  EXPECT_LE(told, kFewHits + 1);
  EXPECT_EQ(Take(9), 0);
  const ExportedLog log = ExportLog(police_);
  EXPECT_EQ(log.Count(audit::kAlarmRaised), 1u);
  EXPECT_EQ(log.Count(audit::kStopSet), 1u);
  EXPECT_LE(log.Count(audit::kSearchHit), static_cast<std::size_t>(kFewHits + 1));
}

}  // namespace
}  // namespace comity::testing
