// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "services/runtime/guarded.h"
#include "tests/unit/services/gateway/kept_log.h"
#include "tests/unit/services/gateway/tls_holder.h"
#include "tests/unit/services/matching/holder_world.h"
#include "tests/unit/services/watchlists/copies_world.h"

namespace comity::gateway {
namespace {

using namespace std::chrono_literals;
using matching::testing::HolderWorld;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::KeptLog;
using testing::TlsHolder;
using watchlists::testing::SampleSealedList;

constexpr auto kLongest = 60s;

// A holder with one sealed list, which answers as it should unless a test says otherwise.
class OneListHolder final : public v1::Federation::Service {
 public:
  using Stream = grpc::ServerWriter<v1::SealedChunk>;
  struct Script {
    bool lists = true;
    bool preparing = false;
    std::function<void(v1::ListSealedReply&)> change;           // null: nothing
    std::function<std::string(std::string)> change_state;       // of the envelope
    std::function<std::string(std::string)> change_block;       // from the offset on
    std::optional<std::size_t> breaks_after;                    // octets of a block; once
    std::function<void(const grpc::ServerContext&)> on_listed;  // before the answer
  };
  struct Asked {
    std::vector<v1::ListSealedRequest> lists;
    std::vector<steady_clock::time_point> at;
    std::vector<v1::FetchSealedRequest> blocks;
    std::size_t states = 0;
  };

  OneListHolder(const TlsHolder& tls, const SampleSealedList& list) : tls_(tls), list_(list) {}

  void Do(const std::function<void(Script&)>& change) { script_.With(change); }
  // Waits until what was asked is so. False: not within a minute.
  bool Await(const std::function<bool(const Asked&)>& is_so) {
    return asked_.WaitUntil({}, steady_clock::now() + kLongest, is_so, [](Asked&) {});
  }
  Asked asked() const {
    return asked_.With([](const Asked& asked) { return asked; });
  }

  grpc::Status ListSealed(grpc::ServerContext* context, const v1::SignedMessage* request,
                          v1::SignedMessage* response) override {
    v1::ListSealedRequest asked;
    EXPECT_TRUE(asked.ParseFromString(request->payload()));
    const Script script = script_.With([](const Script& now) { return now; });
    asked_.With([&](Asked& all) {
      all.lists.push_back(asked);
      all.at.push_back(steady_clock::now());
    });
    if (script.on_listed) script.on_listed(*context);
    v1::ListSealedReply reply;
    reply.mutable_decision()->set_code(v1::DECISION_CODE_PERMIT);
    reply.set_preparing(script.preparing);
    if (script.lists) {
      v1::SealedListOffer& offer = *reply.add_lists();
      offer.set_header(list_.HeaderEnvelope());
      offer.set_list(Octets(sealed::HeaderDigest(list_.header)));
      offer.set_sequence(list_.state.sequence);
      sealed::ListState state = list_.state;
      state.header = sealed::HeaderDigest(list_.header);
      offer.set_state(Octets(sealed::StateDigest(state)));
    }
    if (script.change) script.change(reply);
    *response = tls_.police_signer.Sign(reply, tls_.council, asked.header().exchange_id());
    return grpc::Status::OK;
  }

  grpc::Status FetchSealed(grpc::ServerContext*, const v1::SignedMessage* request,
                           Stream* stream) override {
    v1::FetchSealedRequest asked;
    EXPECT_TRUE(asked.ParseFromString(request->payload()));
    const bool is_block = asked.state_sequence() == 0;
    const Script script = script_.With([is_block](Script& now) {
      Script copy = now;
      if (is_block) now.breaks_after.reset();
      return copy;
    });
    std::string octets;
    if (!is_block) {
      octets = list_.StateEnvelope();
      if (script.change_state) octets = script.change_state(octets);
    } else {
      octets = std::string(AsText(list_.blocks.at(asked.block()))).substr(asked.offset());
      if (script.change_block) octets = script.change_block(octets);
      if (script.breaks_after) octets.resize(*script.breaks_after);
    }
    v1::SealedChunk chunk;
    chunk.set_data(octets);
    stream->Write(chunk);
    asked_.With([&](Asked& all) {
      if (!is_block) {
        ++all.states;
      } else {
        all.blocks.push_back(asked);
      }
    });
    return is_block && script.breaks_after ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone")
                                           : grpc::Status::OK;
  }

 private:
  static std::string Octets(const Digest& digest) { return std::string(AsText(digest.view())); }

  const TlsHolder& tls_;
  const SampleSealedList& list_;
  runtime::Guarded<Script> script_;
  runtime::Watched<Asked> asked_;
};

// The council fetches what the police have sealed for it.
class SealedFetcherTest : public ::testing::Test {
 protected:
  struct Told {
    std::optional<std::uint64_t> sequence;  // absent: erased
    bool operator==(const Told&) const = default;
  };

  SealedFetcherTest() : list_(world_.council, world_.clock.Now()) {
    matching::testing::AgreementKnobs knobs;
    knobs.mode = policy::SearchMode::kSealed;
    world_.Agree(knobs);
    const policy::SearchRequest request = world_.Request();
    sealed::ListHeader& header = list_.header;
    header.holder = world_.police.text();
    header.agreement_sha256 = request.agreement->sha256;
    header.engine_name = request.engine->name;
    header.engine_version = request.engine->version;
    list_.AddBlock(3);
    copies_ = watchlists::SealedCopies::Open(
                  {*world_.store, *world_.journal, world_.clock, world_.council,
                   [this](const policy::AgencyId&) -> Result<std::vector<sign::PublicKey>> {
                     return std::vector{list_.key.public_key()};
                   },
                   Folder(),
                   [this](auto&, auto&, const auto&, const Digest&, auto sequence) -> Status {
                     told_.With([&](auto& told) { told.push_back({sequence}); });
                     return {};
                   }})
                  .value();
    tls_.Serve(holder_);
  }
  ~SealedFetcherTest() override {
    fetcher_.reset();
    tls_.Stop();
  }

  void Begin() {
    fetcher_.emplace(SealedFetcher::Ports{
        world_.council, tls_.peers(), tls_.council_signer, tls_.council_verifier, *copies_,
        [this] { return world_.agreements(); }, world_.random, world_.clock, log_});
  }
  // The sequence that is searched, 0 if none.
  std::uint64_t Searched() {
    const auto request = world_.Request();
    const auto found = copies_->Find(world_.police, *request.agreement, *request.purpose,
                                     *request.engine, world_.clock.Now());
    return found.empty() ? 0 : found.front()->state().sequence;
  }
  // Waits as links do. Somebody is in a hurry all the time.
  bool ComesToBeSearched(std::uint64_t sequence = 1) {
    return Eventually([&] { return Searched() == sequence; });
  }
  bool Eventually(const std::function<bool()>& condition) {
    const auto end = steady_clock::now() + kLongest;
    while (steady_clock::now() < end) {
      const std::uint64_t seen = fetcher_->News(world_.police);
      if (condition()) return true;
      fetcher_->Hurry(world_.police);
      fetcher_->Await(world_.police, seen, steady_clock::now() + 100ms, {});
    }
    return condition();
  }
  bool IsLogged(const std::string& text) {
    return Eventually([&] { return logged().find(text) != std::string::npos; });
  }
  std::string logged() const { return log_.text(); }
  std::vector<Told> told() {
    return told_.With([](const auto& told) { return told; });
  }
  std::filesystem::path Folder() const { return world_.folder.path() / "copies"; }
  std::size_t Files() const {
    std::size_t files = 0;
    for (const auto& item : std::filesystem::recursive_directory_iterator(Folder())) {
      files += item.is_regular_file() ? 1U : 0U;
    }
    return files;
  }

  KeptLog log_;
  HolderWorld world_;
  TlsHolder tls_;
  SampleSealedList list_;
  OneListHolder holder_{tls_, list_};
  runtime::Guarded<std::vector<Told>> told_;
  std::unique_ptr<watchlists::SealedCopies> copies_;
  std::optional<SealedFetcher> fetcher_;
};

TEST_F(SealedFetcherTest, FetchesAListAsSoonAsItsAgreementIsInForce) {
  Begin();
  ASSERT_TRUE(ComesToBeSearched());
  EXPECT_THAT(told(), ElementsAre(Told{1}));
  EXPECT_EQ(fetcher_->counts().octets, list_.blocks.at(0).size());
  EXPECT_EQ(fetcher_->counts().failures, 0U);
}

TEST_F(SealedFetcherTest, SaysWhatItHoldsAndFetchesOnlyWhatIsNew) {
  Begin();
  ASSERT_TRUE(ComesToBeSearched());
  EXPECT_THAT(holder_.asked().lists.front().held(), IsEmpty());
  const std::size_t before = holder_.asked().lists.size();
  fetcher_->Hurry(world_.police);
  ASSERT_TRUE(holder_.Await([&](const auto& asked) { return asked.lists.size() > before; }));
  const v1::ListSealedRequest last = holder_.asked().lists.back();
  ASSERT_EQ(last.held_size(), 1);
  EXPECT_EQ(last.held(0).list(), AsText(sealed::HeaderDigest(list_.header).view()));
  EXPECT_EQ(last.held(0).sequence(), 1U);
  EXPECT_GT(last.wait_ms(), 0U) << "who hurries waits for a list that is sealed again";
  EXPECT_LE(last.wait_ms(), 5'000U);
  EXPECT_EQ(holder_.asked().states, 1U);
  EXPECT_EQ(holder_.asked().blocks.size(), 1U);
}

TEST_F(SealedFetcherTest, GoesOnWhereABreakLeftOff) {
  holder_.Do([](auto& script) { script.breaks_after = 1000; });
  Begin();
  ASSERT_TRUE(ComesToBeSearched());
  const auto blocks = holder_.asked().blocks;
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].offset(), 0U);
  EXPECT_EQ(blocks[1].offset(), 1000U);
  EXPECT_EQ(fetcher_->counts().octets, list_.blocks.at(0).size());
  EXPECT_GE(fetcher_->counts().failures, 1U);
}

TEST_F(SealedFetcherTest, AnotherBlockThanTheStateNamesIsThrownAwayAndNamed) {
  holder_.Do([](auto& script) {
    script.change_block = [](std::string octets) {
      octets.back() = static_cast<char>(octets.back() ^ 1);
      return octets;
    };
  });
  Begin();
  ASSERT_TRUE(IsLogged("sealed-list-not-fetched"));
  EXPECT_THAT(logged(), HasSubstr("northshire-police"));
  EXPECT_THAT(logged(), HasSubstr("corrupt"));
  EXPECT_EQ(Searched(), 0U);
  EXPECT_THAT(told(), IsEmpty());
  holder_.Do([](auto& script) { script.change_block = nullptr; });
  ASSERT_TRUE(ComesToBeSearched());
  EXPECT_EQ(holder_.asked().blocks.back().offset(), 0U);
}

TEST_F(SealedFetcherTest, MoreOctetsThanABlockHasAreNotKept) {
  holder_.Do([](auto& script) {
    script.change_block = [](const std::string& octets) { return octets + "x"; };
  });
  Begin();
  ASSERT_TRUE(IsLogged("invalid-argument"));
  EXPECT_EQ(fetcher_->counts().octets, 0U);
  EXPECT_EQ(Searched(), 0U);
}

TEST_F(SealedFetcherTest, AStateThatTheHolderHasNotSignedIsRefused) {
  SystemRandom random;
  const sign::SigningKey another = sign::SigningKey::Generate(random);
  holder_.Do([&](auto& script) {
    script.change_state = [&](const std::string&) { return list_.StateSignedBy(another); };
  });
  Begin();
  ASSERT_TRUE(IsLogged("sealed-list-not-fetched"));
  EXPECT_THAT(holder_.asked().blocks, IsEmpty());
  EXPECT_EQ(Searched(), 0U);
  EXPECT_EQ(Files(), 0U);
}

TEST_F(SealedFetcherTest, AStateOfAnotherListThanWasOfferedIsRefused) {
  holder_.Do([](auto& script) {
    script.change = [](v1::ListSealedReply& reply) {
      (*reply.mutable_lists(0)->mutable_list())[0] ^= 1;
    };
  });
  Begin();
  ASSERT_TRUE(IsLogged("another list than was offered"));
  EXPECT_THAT(holder_.asked().blocks, IsEmpty());
  EXPECT_EQ(Searched(), 0U);
}

TEST_F(SealedFetcherTest, MoreListsThanASessionSearchesAreNotFetched) {
  holder_.Do([](auto& script) {
    script.change = [](v1::ListSealedReply& reply) {
      const v1::SealedListOffer offer = reply.lists(0);
      for (int i = 0; i < 16; ++i) *reply.add_lists() = offer;
    };
  });
  Begin();
  ASSERT_TRUE(IsLogged("more than 16 sealed lists"));
  EXPECT_EQ(holder_.asked().states, 0U);
  EXPECT_THAT(holder_.asked().blocks, IsEmpty());
}

TEST_F(SealedFetcherTest, WhatNoPermissionCoversIsNotFetched) {
  holder_.Do([](auto& script) {
    script.change = [](v1::ListSealedReply& reply) {
      reply.mutable_decision()->set_code(v1::DECISION_CODE_AGREEMENT_SUSPENDED);
    };
  });
  Begin();
  ASSERT_TRUE(Eventually([&] { return fetcher_->counts().rounds >= 2; }));
  EXPECT_EQ(holder_.asked().states, 0U);
  EXPECT_EQ(fetcher_->counts().failures, 0U);
}

// Nobody has to hurry for it, and nobody waits for the next regular round.
TEST_F(SealedFetcherTest, AListThatIsBeingSealedIsWaitedFor) {
  holder_.Do([](auto& script) {
    script.lists = false;
    script.preparing = true;
  });
  Begin();
  const auto began = steady_clock::now();
  ASSERT_TRUE(holder_.Await([](const auto& asked) { return asked.lists.size() >= 3; }));
  for (const auto& asked : holder_.asked().lists) EXPECT_GT(asked.wait_ms(), 0U);
  holder_.Do([](auto& script) {
    script.lists = true;
    script.preparing = false;
  });
  ASSERT_TRUE(holder_.Await([](const auto& asked) { return !asked.blocks.empty(); }));
  EXPECT_LT(steady_clock::now() - began, 9s) << "it came with a regular round";
}

TEST_F(SealedFetcherTest, WhoHurriesInVainIsServedLessAndLessOften) {
  Begin();
  ASSERT_TRUE(ComesToBeSearched());
  const std::size_t before = holder_.asked().at.size();
  const auto end = steady_clock::now() + kLongest;
  while (holder_.asked().at.size() < before + 6 && steady_clock::now() < end) {
    fetcher_->Hurry(world_.police);
    std::this_thread::sleep_for(1ms);
  }
  const auto at = holder_.asked().at;
  ASSERT_GE(at.size(), before + 6);
  EXPECT_GE(at[before + 5] - at[before], 100ms + 200ms + 400ms + 800ms);
}

// Else each holder that says so, truly or not, would be asked without a pause.
TEST_F(SealedFetcherTest, AHolderThatIsNeverReadyIsAskedLessAndLessOften) {
  holder_.Do([](auto& script) { script.preparing = true; });
  Begin();
  ASSERT_TRUE(holder_.Await([](const auto& asked) { return asked.at.size() >= 7; }));
  const auto at = holder_.asked().at;
  EXPECT_GE(at[6] - at[1], 100ms + 200ms + 400ms + 800ms);
}

TEST_F(SealedFetcherTest, NewsThatCameBeforeTheWaitAreNotMissed) {
  Begin();
  const std::uint64_t seen = fetcher_->News(world_.police);
  ASSERT_TRUE(ComesToBeSearched());
  fetcher_->Await(world_.police, seen, steady_clock::now() + kLongest, {});
  EXPECT_NE(fetcher_->News(world_.police), seen);
}

TEST_F(SealedFetcherTest, AnExpiredEpochIsErasedAndItsHolderTold) {
  Begin();
  ASSERT_TRUE(ComesToBeSearched());
  world_.clock.Advance(2h);
  holder_.Do([](auto& script) { script.lists = false; });
  ASSERT_TRUE(Eventually([&] { return told().size() == 2; }));
  EXPECT_EQ(told().back(), Told{});
  EXPECT_EQ(Searched(), 0U);
  EXPECT_EQ(Files(), 0U);
}

// Closed or shredded: the sessions that search in it end first.
TEST_F(SealedFetcherTest, AListThatItsHolderListsNoMoreIsErasedTenSecondsLater) {
  Begin();
  ASSERT_TRUE(ComesToBeSearched());
  holder_.Do([](auto& script) { script.lists = false; });
  const std::size_t before = holder_.asked().lists.size();
  ASSERT_TRUE(Eventually([&] { return holder_.asked().lists.size() > before + 1; }));
  EXPECT_THAT(told(), ElementsAre(Told{1}));
  EXPECT_EQ(Searched(), 1U);
  ASSERT_TRUE(Eventually([&] {
    world_.clock.Advance(1s);
    return told().size() == 2;
  }));
  EXPECT_EQ(told().back(), Told{});
  EXPECT_EQ(Files(), 0U);
}

TEST_F(SealedFetcherTest, EndsAlthoughItsHolderWaits) {
  std::atomic<bool> was_cancelled{false};
  holder_.Do([&](auto& script) {
    script.on_listed = [&](const grpc::ServerContext& context) {
      const auto end = steady_clock::now() + kLongest;
      while (!context.IsCancelled() && steady_clock::now() < end) std::this_thread::sleep_for(1ms);
      was_cancelled = context.IsCancelled();
    };
  });
  Begin();
  ASSERT_TRUE(holder_.Await([](const auto& asked) { return !asked.lists.empty(); }));
  fetcher_.reset();
  tls_.Stop();
  EXPECT_TRUE(was_cancelled);
}

TEST_F(SealedFetcherTest, AHolderThatIsAwayIsAskedAgainWhenItIsBack) {
  tls_.Stop();
  Begin();
  ASSERT_TRUE(Eventually([&] { return fetcher_->counts().failures > 0; }));
  EXPECT_EQ(Searched(), 0U);
  tls_.Serve(holder_);
  EXPECT_TRUE(ComesToBeSearched());
}

}  // namespace
}  // namespace comity::gateway
