// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/recognition_service.h"

#include <utility>

#include "services/gateway/agency/deployment_holders.h"
#include "services/gateway/agency/identify_request.h"
#include "services/gateway/agency/identify_search.h"
#include "services/gateway/agency/receiver_roles.h"
#include "services/gateway/agency/watch_stream.h"
#include "services/gateway/wire/respond.h"
#include "services/gateway/wire/wipe_message.h"
#include "services/matching/exchange_id.h"

namespace comity::gateway {

namespace {

// How long a stream waits for the holders' first validation of their lists.
constexpr std::chrono::seconds kActivation{2};

// Lets another thread cancel a stream that may have ended meanwhile.
class StreamHandle {
 public:
  explicit StreamHandle(grpc::ServerContext& context)
      : context_(std::make_shared<runtime::Guarded<grpc::ServerContext*>>(&context)) {}
  StreamHandle(const StreamHandle&) = delete;
  StreamHandle& operator=(const StreamHandle&) = delete;
  ~StreamHandle() {
    context_->With([](grpc::ServerContext*& context) { context = nullptr; });
  }
  // Owns what it touches: it may be called after this object is gone.
  std::function<void()> cancel() const {
    return [shared = context_] {
      shared->With([](grpc::ServerContext*& context) {
        if (context != nullptr) context->TryCancel();
      });
    };
  }

 private:
  std::shared_ptr<runtime::Guarded<grpc::ServerContext*>> context_;
};

}  // namespace

grpc::Status RecognitionService::Watch(grpc::ServerContext* context, Stream* stream) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::string engine,
                            ports_.callers.Engine(*context, "Recognition.Watch"));
    COMITY_ASSIGN_OR_RETURN(const Places::Place place,
                            streams_.Take("engines", "limits.max_streams"));
    return Serve(*context, *stream, engine);
  });
}

Result<matching::DeploymentStatus> RecognitionService::FindDeployment(
    const std::string& id, const std::string& engine) const {
  COMITY_ASSIGN_OR_RETURN(const policy::DeploymentId parsed, policy::DeploymentId::Parse(id));
  COMITY_ASSIGN_OR_RETURN(matching::DeploymentStatus deployment, ports_.deployments.Find(parsed));
  if (deployment.definition->engine_name != engine) {
    return Fail(ErrorCode::kNotFound, "no deployment " + id + " of engine " + engine);
  }
  if (deployment.phase != matching::DeploymentPhase::kActive) {
    return Fail(ErrorCode::kConflict,
                "deployment " + id + " is " + std::string(matching::Name(deployment.phase)));
  }
  return deployment;
}

Status RecognitionService::Serve(grpc::ServerContext& context, Stream& stream,
                                 const std::string& engine) {
  v1::WatchRequest request;
  if (!stream.Read(&request)) return {};
  if (!request.has_open()) {
    return Fail(ErrorCode::kInvalidArgument, "the first message of a stream is `open`");
  }
  COMITY_ASSIGN_OR_RETURN(const matching::DeploymentStatus deployment,
                          FindDeployment(request.open().deployment(), engine));
  const StreamHandle handle(context);
  COMITY_ASSIGN_OR_RETURN(const auto on_stop,
                          ports_.deployments.OnEnd(deployment.id, handle.cancel()));
  COMITY_ASSIGN_OR_RETURN(const auto tally, ports_.deployments.TallyOf(deployment.id));
  // The first faces of a deployment that has just begun find holders that were asked already.
  ports_.keeper.Await(deployment.id, kActivation);
  WatchStream::Events events;
  events.on_face = [&] {
    tally->Face();
    ++faces_;
  };
  events.on_alert = [&](const std::string& holder) {
    if (const auto id = policy::AgencyId::Parse(holder)) tally->Alert(*id);
    ++alerts_;
  };
  events.is_stopped = [&] { return !ports_.deployments.IsActive(deployment.id); };
  events.may_continue = [&] {
    return ports_.link.search.clock.Now() < deployment.definition->ends_at &&
           ports_.callers.Engine(context, "Recognition.Watch").has_value();
  };
  WatchStream watch(stream, context, ports_.link.search.clock, deployment, std::move(events));
  const std::string exchange = matching::NewExchangeId(ports_.link.random);
  const auto order =
      matching::OrderOf(*deployment.definition, deployment.id, deployment.created_by, ports_.self);
  std::string session = exchange;
  for (AskedHolder& asked :
       HoldersOf(deployment.definition->agreements, *ports_.link.search.agreements(), ports_.self,
                 ports_.link.search.clock.Now())) {
    watch.AddHolder(ports_.link, {std::move(asked.holder), std::move(asked.agreements),
                                  std::move(session), order});
    session = matching::NewExchangeId(ports_.link.random);  // no two holders share one
  }
  return watch.Run(exchange);
}

grpc::Status RecognitionService::Identify(grpc::ServerContext* context,
                                          const v1::IdentifyRequest* request,
                                          v1::IdentifyResponse* response) {
  return RespondLocally([&]() -> Status {
    // gRPC owns the request and frees it after the call; the template in it is overwritten here.
    const WipeAtExit wipe(*const_cast<v1::IdentifyRequest*>(request)->mutable_embedding());
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kSearchIdentify));
    COMITY_ASSIGN_OR_RETURN(const Places::Place place,
                            searches_.Take("searches", "16 searches at a time"));
    COMITY_ASSIGN_OR_RETURN(const IdentifyAsked asked,
                            ParseIdentify(*request, ports_.self, caller));
    COMITY_ASSIGN_OR_RETURN(*response,
                            IdentifySearch(ports_.link, asked, ReceiversOf(caller.roles)).Run());
    return {};
  });
}

grpc::Status RecognitionService::Offers(grpc::ServerContext* context,
                                        const v1::OffersRequest* request,
                                        v1::OffersResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kOfferRead));
    COMITY_ASSIGN_OR_RETURN(*response, offers_.Read(request->holder(), caller.person));
    return {};
  });
}

}  // namespace comity::gateway
