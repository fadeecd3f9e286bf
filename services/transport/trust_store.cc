// SPDX-License-Identifier: Apache-2.0
#include "services/transport/trust_store.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <map>
#include <utility>

#include "crypto/hash/sha256.h"
#include "services/runtime/guarded.h"
#include "services/transport/certificate.h"
#include "services/transport/limits.h"
#include "services/transport/trust_source.h"

namespace comity::transport {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using runtime::Instant;

struct Verdict {
  VerifiedPeer peer;
  Instant judged_at;
};

// One source with what its files held when they were last read.
struct Loaded {
  std::shared_ptr<const TrustSource> source;
  std::shared_ptr<const LoadedTrust> trust;
};

Loaded Load(std::shared_ptr<const TrustSource> source) {
  auto trust = LoadTrust(*source);
  return {std::move(source), std::move(trust)};
}

std::vector<Loaded> LoadAll(std::vector<TrustSource> sources) {
  std::vector<Loaded> loaded;
  for (TrustSource& source : sources) {
    loaded.push_back(Load(std::make_shared<const TrustSource>(std::move(source))));
  }
  return loaded;
}

// Everything that changes together: verdicts hold only for the sources and files they were made
// with.
struct State {
  std::vector<Loaded> loaded;
  std::uint64_t generation = 0;
  SteadyTime next_check{};
  std::map<Digest, Verdict> verdicts;
};

Digest KeyOf(std::string_view pem_chain, PeerRole role) {
  const Bytes octet{static_cast<std::uint8_t>(role == PeerRole::kClient ? 'c' : 's')};
  return hash::Sha256({octet, AsBytes(pem_chain)});
}

bool IsFresh(const Verdict& verdict, Instant now, const TrustTiming& timing) {
  // A clock that was set back makes the verdict's age unknown.
  return now >= verdict.judged_at && now < verdict.judged_at + timing.verdict_lifetime &&
         now < verdict.peer.expires_at;
}

ErrorCode CodeOf(int x509_error) {
  switch (x509_error) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kUnauthenticated;
  }
}

Status VerifyChain(const CertificateChain& chain, const LoadedTrust& trust, Instant now,
                   PeerRole role) {
  const StoreCtxPtr context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), trust.store.get(), chain.leaf.get(),
                                      chain.others.get()) != 1) {
    return Fail(ErrorCode::kInternal, "the certificate check could not be set up");
  }
  X509_VERIFY_PARAM* terms = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(terms, std::chrono::system_clock::to_time_t(now));
  X509_VERIFY_PARAM_set_depth(terms, limits::kMaxChainLength);
  X509_VERIFY_PARAM_set_auth_level(terms, 2);  // 112 bits: no RSA-1024, no SHA-1
  X509_VERIFY_PARAM_set_purpose(
      terms, role == PeerRole::kClient ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER);
  const int verified = X509_verify_cert(context.get());
  ERR_clear_error();
  if (verified == 1) return {};
  const int why = X509_STORE_CTX_get_error(context.get());
  return Fail(CodeOf(why),
              std::string("the certificate is refused: ") + X509_verify_cert_error_string(why));
}

Result<TrustSource> SourceOf(PinnedPeer peer) {
  const auto identity = ParseSpiffeId(peer.spiffe_id);
  if (!identity || identity->kind != PeerKind::kGateway) {
    return Fail(ErrorCode::kInvalidArgument,
                "peer " + peer.agency + ": the SPIFFE id is not spiffe://<trust domain>/gateway");
  }
  return TrustSource{
      std::move(peer.agency),      identity->trust_domain,   false,
      std::move(peer.anchor_file), std::move(peer.crl_file), std::move(peer.anchor_pem)};
}

Result<std::vector<TrustSource>> SourcesOf(std::vector<PinnedPeer> peers) {
  std::vector<TrustSource> sources;
  for (PinnedPeer& peer : peers) {
    COMITY_ASSIGN_OR_RETURN(TrustSource source, SourceOf(std::move(peer)));
    for (const TrustSource& other : sources) {
      if (other.trust_domain != source.trust_domain) continue;
      return Fail(ErrorCode::kInvalidArgument,
                  "peers " + other.agency + " and " + source.agency + " have the same SPIFFE id");
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace

class TrustStore::Impl {
 public:
  static Result<std::unique_ptr<TrustStore>> Open(std::vector<TrustSource> sources,
                                                  TrustTiming timing) {
    auto impl = std::make_unique<Impl>(std::move(sources), timing);
    for (const Loaded& loaded : impl->Current().loaded) {
      // A missing CRL refuses its peer and no other; a missing anchor is a wrong configuration.
      if (!loaded.trust->anchors_read) return Fail(loaded.trust->usable.error());
    }
    return std::unique_ptr<TrustStore>(new TrustStore(std::move(impl)));
  }

  Impl(std::vector<TrustSource> sources, TrustTiming timing) : timing_(timing) {
    Replace(std::move(sources));
  }

  // From now on these sources and no others.
  void Replace(std::vector<TrustSource> sources) {
    std::vector<Loaded> loaded = LoadAll(std::move(sources));
    const SteadyTime next_check = std::chrono::steady_clock::now() + timing_.file_check;
    state_.With([&](State& state) {
      state.loaded = std::move(loaded);
      ++state.generation;
      state.next_check = next_check;
      state.verdicts.clear();
    });
  }

  struct View {
    std::vector<Loaded> loaded;
    std::uint64_t generation = 0;
  };

  // The files as they are, looked at anew if that is due.
  View Current() {
    bool due = false;
    View view = state_.With([&](State& state) {
      const SteadyTime steady_now = std::chrono::steady_clock::now();
      due = steady_now >= state.next_check;
      if (due) state.next_check = steady_now + timing_.file_check;
      return View{state.loaded, state.generation};
    });
    return due ? Reload(std::move(view)) : view;
  }

  Result<VerifiedPeer> Verify(std::string_view pem_chain, Instant now, PeerRole role) {
    if (pem_chain.size() > limits::kMaxCertificateChain) {
      return Fail(ErrorCode::kInvalidArgument, "the certificate chain is larger than 64 KiB");
    }
    const View view = Current();
    const Digest key = KeyOf(pem_chain, role);
    if (auto known = Recall(key, view.generation, now)) return Unrevoked(std::move(*known));
    COMITY_ASSIGN_OR_RETURN(VerifiedPeer peer, Judge(pem_chain, view, now, role));
    Remember(key, view.generation, Verdict{peer, now});
    return Unrevoked(std::move(peer));
  }

  void SetRevocations(std::shared_ptr<const OwnRevocations> revocations) {
    revoked_.With([&](auto& held) { held = std::move(revocations); });
  }

 private:
  // Asked after every verdict, remembered ones too: no verdict outlives a revocation.
  Result<VerifiedPeer> Unrevoked(VerifiedPeer peer) const {
    const auto revoked = revoked_.With([](const auto& held) { return held; });
    const auto refuse = [&](std::string_view what, const std::string& revocation) {
      return Fail(ErrorCode::kUnauthenticated, EncodeSpiffeId(peer.identity) +
                                                   ": this agency has revoked its " +
                                                   std::string(what) + " (" + revocation + ")");
    };
    const auto certificate = revoked->certificates.find(peer.certificate);
    if (certificate != revoked->certificates.end()) {
      return refuse("certificate", certificate->second);
    }
    const auto key = revoked->keys.find(peer.public_key);
    if (key != revoked->keys.end()) return refuse("key", key->second);
    return peer;
  }

  View Reload(View view) {
    bool changed = false;
    for (Loaded& loaded : view.loaded) {
      if (StampsOf(*loaded.source) == loaded.trust->stamps) continue;
      loaded = Load(loaded.source);
      changed = true;
    }
    if (!changed) return view;
    return state_.With([&](State& state) {
      // Replaced, or read by another thread, meanwhile: that is newer.
      if (state.generation != view.generation) return View{state.loaded, state.generation};
      state.loaded = view.loaded;
      ++state.generation;
      state.verdicts.clear();
      return View{state.loaded, state.generation};
    });
  }

  std::optional<VerifiedPeer> Recall(const Digest& key, std::uint64_t generation, Instant now) {
    return state_.With([&](State& state) -> std::optional<VerifiedPeer> {
      const auto found = state.verdicts.find(key);
      if (state.generation != generation || found == state.verdicts.end()) return std::nullopt;
      if (!IsFresh(found->second, now, timing_)) return std::nullopt;
      return found->second.peer;
    });
  }

  void Remember(const Digest& key, std::uint64_t generation, Verdict verdict) {
    state_.With([&](State& state) {
      if (state.generation != generation) return;  // the files changed meanwhile
      if (state.verdicts.size() >= limits::kMaxCachedVerdicts) state.verdicts.clear();
      state.verdicts.insert_or_assign(key, std::move(verdict));
    });
  }

  Result<VerifiedPeer> Judge(std::string_view pem_chain, const View& view, Instant now,
                             PeerRole role) const {
    COMITY_ASSIGN_OR_RETURN(const CertificateChain chain, ParseCertificateChain(pem_chain));
    COMITY_ASSIGN_OR_RETURN(PeerIdentity identity, IdentityOf(*chain.leaf));
    const auto found = std::ranges::find_if(view.loaded, [&](const Loaded& candidate) {
      return SpeaksFor(*candidate.source, identity);
    });
    const std::string id = EncodeSpiffeId(identity);
    if (found == view.loaded.end()) {
      return Fail(ErrorCode::kUnauthenticated, id + " is not enrolled here");
    }
    const LoadedTrust& trust = *found->trust;
    Status verified = trust.usable;
    if (!verified) verified.error().code = ErrorCode::kUnavailable;
    if (verified) verified = VerifyChain(chain, trust, now, role);
    if (verified && X509_check_ca(chain.leaf.get()) != 0) {
      verified = Fail(ErrorCode::kUnauthenticated, "a CA certificate is no caller's");
    }
    if (!verified) return Fail(verified.error().code, id + ": " + verified.error().detail);
    return VerifiedPeer{found->source->agency,    std::move(identity),
                        Fingerprint(*chain.leaf), PublicKeyDigest(*chain.leaf),
                        SerialOf(*chain.leaf),    ExpiryOf(*chain.leaf)};
  }

  const TrustTiming timing_;
  runtime::Guarded<State> state_;
  runtime::Guarded<std::shared_ptr<const OwnRevocations>> revoked_{
      std::make_shared<const OwnRevocations>()};
};

TrustStore::TrustStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TrustStore::~TrustStore() = default;

Result<std::unique_ptr<TrustStore>> TrustStore::ForFederation(std::vector<PinnedPeer> peers,
                                                              TrustTiming timing) {
  COMITY_ASSIGN_OR_RETURN(std::vector<TrustSource> sources, SourcesOf(std::move(peers)));
  return Impl::Open(std::move(sources), timing);
}

Status TrustStore::SetPeers(std::vector<PinnedPeer> peers) {
  COMITY_ASSIGN_OR_RETURN(std::vector<TrustSource> sources, SourcesOf(std::move(peers)));
  impl_->Replace(std::move(sources));
  return {};
}

void TrustStore::SetRevocations(std::shared_ptr<const OwnRevocations> revocations) {
  impl_->SetRevocations(std::move(revocations));
}

Result<std::unique_ptr<TrustStore>> TrustStore::ForAgency(OwnAgency own, TrustTiming timing) {
  if (!IsTrustDomain(own.trust_domain)) {
    return Fail(ErrorCode::kInvalidArgument, "the trust domain is not a DNS name in lower case");
  }
  return Impl::Open({TrustSource{std::move(own.agency), std::move(own.trust_domain), true,
                                 std::move(own.anchor_file), std::move(own.crl_file)}},
                    timing);
}

Result<VerifiedPeer> TrustStore::Verify(std::string_view pem_chain, Instant now, PeerRole role) {
  return impl_->Verify(pem_chain, now, role);
}

std::string TrustStore::AnchorBundle() {
  std::string bundle;
  for (const auto& loaded : impl_->Current().loaded) bundle += loaded.trust->anchors_pem;
  return bundle;
}

std::vector<std::string> TrustStore::Faults(Instant now) {
  std::vector<std::string> all;
  for (const auto& loaded : impl_->Current().loaded) {
    for (std::string& fault : FaultsOf(*loaded.source, *loaded.trust, now)) {
      all.push_back(std::move(fault));
    }
  }
  return all;
}

}  // namespace comity::transport
