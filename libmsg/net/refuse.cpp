#include "libmsg/net/refuse.hpp"

#include <unordered_set>

#include "libmsg/link/peer_link.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::net {

Refused refuse(Bytes envelopes, const Error& why) {
  Refused refused;
  while (!envelopes.empty()) {
    const auto envelope = wire::EnvelopeView::parse(envelopes);
    // The host writes whole envelopes; behind a broken one there is nothing that could be answered.
    if (!envelope) break;
    if (link::is_session_bound(envelope->kind())) {
      refused.rest.append(envelope->bytes());
    } else if (envelope->kind() != wire::Kind::cancel) {
      if (refused.answers.is_empty()) wire::begin_bundle(refused.answers, SessionToken{});
      // The message is far below every limit, so this cannot fail.
      static_cast<void>(wire::append_envelope(refused.answers, {.kind = wire::Kind::error,
                                                                .message_id = envelope->message_id().value(),
                                                                .code = why.code,
                                                                .payload_type = "parley.Error",
                                                                .payload = as_bytes(why.message)}));
    }
    envelopes = envelopes.subspan(envelope->length());
  }
  return refused;
}

ByteBuffer shorten(Bytes rest, const Error& why) {
  ByteBuffer kept;
  std::unordered_set<std::uint64_t> failed;
  while (!rest.empty()) {
    const auto envelope = wire::EnvelopeView::parse(rest);
    if (!envelope) break;
    rest = rest.subspan(envelope->length());
    const wire::Kind kind = envelope->kind();
    const bool is_answer = kind == wire::Kind::reply || kind == wire::Kind::part || kind == wire::Kind::error;
    if (is_answer && !failed.insert(envelope->delivery_id().value()).second) continue;
    if (!is_answer || kind == wire::Kind::error) {
      kept.append(envelope->bytes());
      continue;
    }
    static_cast<void>(wire::append_envelope(kept, {.kind = wire::Kind::error,
                                                   .delivery_id = envelope->delivery_id().value(),
                                                   .code = why.code,
                                                   .payload_type = "parley.Error",
                                                   .payload = as_bytes(why.message)}));
  }
  return kept;
}

}  // namespace parley::net
