// Any bytes as a frame: the decoder walks or refuses them, and a broker that gets them from a stranger, from a worker
// and from a client goes on sending well-formed frames within its bounds. [P-SEC-3] [P-FAIL-10]
#include "libmsg/wire/bundle.hpp"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string_view>
#include <vector>

#include "broker/core/core.hpp"
#include "libmsg/wire/control.hpp"

namespace {

using namespace parley;

void require(bool claim) {
  if (!claim) std::abort();
}

/// True when the frame is well-formed to its end.
bool walk(Bytes frame) {
  auto bundle = wire::BundleReader::open(frame);
  if (!bundle) return false;
  const std::byte* const end = frame.data() + frame.size();
  while (const auto envelope = bundle->next()) {
    require(envelope->bytes().data() + envelope->length() <= end);
    require(envelope->payload().data() + envelope->payload().size() <= end);
    require(envelope->source().size() <= wire::kMaxAddressBytes);
    require(envelope->target().size() <= wire::kMaxAddressBytes);
    (void)wire::parse_attributes(envelope->attributes());
    (void)wire::find_attribute(envelope->attributes(), wire::attribute::kTraceparent);
  }
  return !bundle->error();
}

/// Checks what the broker sends and remembers the tokens that it gives out.
class CheckingSink final : public broker::FrameSink {
 public:
  broker::SendStatus send(broker::PeerHandle peer, ByteBuffer& frame) override {
    require(walk(frame.bytes()));
    require(frame.size() <= wire::kMaxFrameBytes);
    tokens_[peer] = wire::BundleReader::open(frame.bytes())->token();
    return broker::SendStatus::sent;
  }
  [[nodiscard]] SessionToken token(broker::PeerHandle peer) const {
    const auto it = tokens_.find(peer);
    return it == tokens_.end() ? SessionToken() : it->second;
  }

 private:
  std::map<broker::PeerHandle, SessionToken> tokens_;
};

constexpr broker::PeerHandle kWorker = 1;
constexpr broker::PeerHandle kClient = 2;
constexpr broker::PeerHandle kStranger = 3;

ByteBuffer hello(std::uint64_t incarnation, bool is_worker) {
  wire::Hello body;
  body.name = "fuzz";
  body.incarnation = incarnation;
  body.credit_bytes = 1 << 20;
  body.is_worker = is_worker;
  if (is_worker) {
    body.types = {{"critic", 0, {"review"}, 1}, {"client", 1, {}, 1}};
    body.subscriptions = {{1, "orders.", true, "critic"}};
    body.activations = {{"critic/alice", (std::uint64_t{1} << 32U) | 5U}};
  }
  const ByteBuffer payload = wire::encode_body(body);
  ByteBuffer frame;
  wire::begin_bundle(frame, SessionToken());
  wire::EnvelopeFields fields;
  fields.kind = wire::Kind::hello;
  fields.payload = payload.bytes();
  (void)wire::append_envelope(frame, fields);
  return frame;
}

/// The input as if its sender knew the token.
std::vector<std::byte> with_token(Bytes input, SessionToken token) {
  std::vector<std::byte> frame(input.begin(), input.end());
  if (frame.size() >= wire::kBundleHeaderBytes) wire::store(frame.data() + 8, token.value());
  return frame;
}

void feed_broker(Bytes input) {
  SeededRandom random(1);
  TimePoint now{std::chrono::hours(1)};
  const WallTime wall{std::chrono::hours(1)};
  broker::CoreConfig config;
  config.max_session_queue_bytes = std::size_t{1} << 20U;
  broker::Core core(config, random, now, wall);
  CheckingSink sink;
  core.on_frame(kWorker, hello(1, true).bytes(), now);
  core.on_frame(kClient, hello(2, false).bytes(), now);
  core.flush(sink, now);

  core.on_frame(kStranger, input, now);
  core.on_frame(kClient, with_token(input, sink.token(kClient)), now);
  core.on_frame(kWorker, with_token(input, sink.token(kWorker)), now);
  core.flush(sink, now);
  (void)core.ps(now);
  // Deadlines, the session timeout, parked and one-way waits pass.
  for (int step = 0; step < 4; ++step) {
    now += std::chrono::seconds(30);
    core.on_tick(now, wall);
    core.flush(sink, now);
  }
  (void)core.numbers();
  (void)core.take_events();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  (void)walk(input);
  feed_broker(input);
  return 0;
}
