// Reads a report from the broker (wire::Query). Loop thread.
#pragma once

#include <string>

#include "libmsg/runtime/runtime.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::cli {

/// The report of type R that answers `query`. Fails with what the broker answered, or `invalid`.
template <class R>
Task<Result<R>> query_broker(Runtime& runtime, wire::Query query) {
  Result<Payload> answer = co_await runtime.query(std::move(query));
  if (!answer) co_return fail(std::move(answer).error());
  co_return wire::decode_body<R>(as_bytes(answer->bytes));
}

}  // namespace parley::cli
