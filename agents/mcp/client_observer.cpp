#include "agents/mcp/client_observer.hpp"

namespace parley::mcp {

RequestOutcome outcome_of(const Result<Json>& answer) {
  if (answer) return error_of(*answer) ? RequestOutcome::rejected : RequestOutcome::ok;
  switch (answer.error().code) {
    case ErrorCode::timeout:
      return RequestOutcome::timeout;
    case ErrorCode::cancelled:
      return RequestOutcome::cancelled;
    case ErrorCode::unreachable:
      return RequestOutcome::unreachable;
    case ErrorCode::unauthorized:
      return RequestOutcome::unauthorized;
    default:
      return RequestOutcome::failed;
  }
}

}  // namespace parley::mcp
