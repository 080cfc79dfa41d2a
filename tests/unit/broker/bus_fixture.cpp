#include "tests/unit/broker/bus_fixture.hpp"

#include <algorithm>

namespace parley::broker {

void FakePeer::tell(const EnvelopeFields& fields) {
  ByteBuffer frame;
  wire::begin_bundle(frame, token);
  EXPECT_TRUE(append_envelope(frame, fields).has_value());
  bus_->deliver(handle_, frame.bytes());
}

void FakePeer::join(const wire::Hello& hello) {
  const ByteBuffer body = wire::encode_body(hello);
  EnvelopeFields fields;
  fields.kind = Kind::hello;
  fields.payload = body.bytes();
  tell(fields);
  if (count(Kind::welcome) == 0) return;
  const auto welcome = wire::decode_body<wire::Welcome>(as_bytes(take(Kind::welcome).payload));
  token = SessionToken(welcome->token);
  last_id = 0;
}

std::uint64_t FakePeer::message(EnvelopeFields fields) {
  fields.message_id = ++last_id;
  tell(fields);
  return last_id;
}

std::uint64_t FakePeer::request(std::string_view target, std::string_view payload, std::uint32_t remaining_ms) {
  return message({.remaining_ms = remaining_ms, .target = target, .payload = as_bytes(payload)});
}

std::uint64_t FakePeer::send(std::string_view target, std::string_view payload, std::uint32_t remaining_ms) {
  return message({.kind = Kind::send, .remaining_ms = remaining_ms, .target = target, .payload = as_bytes(payload)});
}

std::uint64_t FakePeer::publish(std::string_view topic, std::string_view payload, std::string_view source) {
  return message({.kind = Kind::event, .source = source, .target = topic, .payload = as_bytes(payload)});
}

void FakePeer::reply(const Received& delivery, std::string_view payload) {
  tell({.kind = Kind::reply, .delivery_id = delivery.delivery_id, .payload = as_bytes(payload)});
}

void FakePeer::part(const Received& delivery, std::string_view payload) {
  tell({.kind = Kind::part, .delivery_id = delivery.delivery_id, .payload = as_bytes(payload)});
}

void FakePeer::fail(const Received& delivery, ErrorCode code, std::string_view text) {
  tell({.kind = Kind::error, .delivery_id = delivery.delivery_id, .code = code, .payload = as_bytes(text)});
}

void FakePeer::done(const Received& delivery) {
  const std::uint64_t id = delivery.delivery_id;
  tell({.kind = Kind::done, .payload = std::as_bytes(std::span(&id, 1))});
}

void FakePeer::cancel(std::uint64_t message_id) { tell({.kind = Kind::cancel, .message_id = message_id}); }
void FakePeer::about(Kind kind, std::string_view id, std::uint64_t number) {
  tell({.kind = kind, .delivery_id = number, .target = id});
}
void FakePeer::drain() { tell({.kind = Kind::drain}); }
void FakePeer::goodbye() {
  const ByteBuffer body = wire::encode_body(wire::Reason{"done"});
  tell({.kind = Kind::goodbye, .payload = body.bytes()});
}
void FakePeer::heartbeat(std::uint64_t stamp) { tell({.kind = Kind::heartbeat, .message_id = stamp}); }
void FakePeer::credit(std::uint64_t consumed) { tell({.kind = Kind::credit, .message_id = consumed}); }

Received FakePeer::take(Kind kind) {
  const auto it = std::ranges::find(inbox, kind, &Received::kind);
  if (it == inbox.end()) {
    ADD_FAILURE() << "no " << to_string(kind) << " among " << inbox.size() << " envelopes";
    ByteBuffer empty;
    (void)wire::append_envelope(empty, {});
    return Received(*wire::EnvelopeView::parse(empty.bytes()));
  }
  Received found = *it;
  inbox.erase(it);
  return found;
}

std::size_t FakePeer::count(Kind kind) const {
  return static_cast<std::size_t>(std::ranges::count(inbox, kind, &Received::kind));
}

FakePeer& Bus::connect() { return peers_.emplace_back(*this, static_cast<PeerHandle>(peers_.size() + 1)); }

wire::Hello Bus::hello_of(std::vector<std::string> types, std::uint64_t credit) {
  wire::Hello hello;
  hello.incarnation = next_incarnation_++;
  hello.name = (types.empty() ? "client-" : "worker-") + std::to_string(hello.incarnation);
  hello.is_worker = !types.empty();
  hello.credit_bytes = credit;
  for (std::string& type : types) {
    wire::TypeRegistration registration;
    registration.name = std::move(type);
    registration.index = static_cast<std::uint16_t>(hello.types.size());
    hello.types.push_back(std::move(registration));
  }
  return hello;
}

FakePeer& Bus::client(std::uint64_t credit) {
  FakePeer& peer = connect();
  peer.join(hello_of({}, credit));
  return peer;
}

FakePeer& Bus::worker(std::vector<std::string> types, std::uint64_t credit) {
  FakePeer& peer = connect();
  peer.join(hello_of(std::move(types), credit));
  return peer;
}

void Bus::flush() {
  core->flush(sink, now);
  for (auto& [handle, frame] : sink.frames) {
    auto bundle = wire::BundleReader::open(frame.bytes());
    ASSERT_TRUE(bundle.has_value());
    FakePeer& peer = peers_.at(handle - 1);
    bool is_data = false;
    while (const auto envelope = bundle->next()) {
      switch (envelope->kind()) {
        case Kind::welcome:
        case Kind::reset:
        case Kind::heartbeat_ack:
        case Kind::accepted:
        case Kind::goodbye:
        case Kind::drain:
          EXPECT_FALSE(is_data) << "control and data share a frame";
          break;
        default:
          is_data = true;
      }
      if (static_cast<int>(envelope->kind()) != 0) peer.inbox.emplace_back(*envelope);
    }
    EXPECT_FALSE(bundle->error().has_value());
    if (is_data) peer.data_frames.push_back(frame.size());
  }
  sink.frames.clear();
}

void Bus::pass(Duration step, std::vector<FakePeer*> beating) {
  const TimePoint end = now + step;
  TimePoint next_beat = now + 500ms;
  while (now < end) {
    now = std::min({end, next_beat, std::max(core->next_wakeup(), now + Duration(1ms))});
    if (now >= next_beat) {
      next_beat += 500ms;
      for (FakePeer* peer : beating) {
        peer->heartbeat();
        std::erase_if(peer->inbox, [](const Received& got) { return got.kind == Kind::heartbeat_ack; });
      }
    }
    core->on_tick(now, wall());
    flush();
  }
}

void Bus::pass_with_all(Duration step) {
  std::vector<FakePeer*> all;
  for (FakePeer& peer : peers_) {
    if (!peer.token.is_zero()) all.push_back(&peer);
  }
  pass(step, std::move(all));
}

std::uint64_t Bus::number(std::string_view name) const {
  for (const wire::NamedNumber& number : core->numbers()) {
    if (number.name == name) return number.value;
  }
  ADD_FAILURE() << "no number " << name;
  return 0;
}

std::vector<wire::DeadLetterRow> Bus::dead_letters() {
  return query<wire::DeadLetterReport>({.what = "dead_letters", .key = {}}).rows;
}

}  // namespace parley::broker
