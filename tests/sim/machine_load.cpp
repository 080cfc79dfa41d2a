// What a machine makes and sends out: messages, changes of its types and subscriptions.
#include <algorithm>
#include <cstring>

#include "tests/sim/machine.hpp"
#include "tests/sim/machine_parts.hpp"
#include "tests/sim/world.hpp"

namespace parley::sim {
namespace {

using wire::Kind;

/// How long after its deadline a request may be answered: two crossings of the network and the broker's timer.
constexpr Duration kSlack = milliseconds(400);

}  // namespace

void Machine::make_load() {
  if (!world_.is_loading() || is_draining_ || bursts_left_ == 0) return;
  bursts_left_--;
  const std::uint64_t count = 1 + random_.below(8);
  const std::vector<std::string> types = registered_types();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string source = types.empty() || random_.below(2) == 0
                                   ? std::string()
                                   : types[random_.below(types.size())] + "/k" + std::to_string(random_.below(2));
    make_message(source, {}, 0, 0, seconds(60));
  }
  if (plan_.changes_types && random_.below(3) == 0) change_types();
  if (!plan_.types.empty() && random_.below(4) == 0) {
    if (subscriptions_.size() < 3 && random_.below(3) != 0) {
      make_subscription();
    } else {
      drop_subscription();
    }
  }
  pump();
  const Duration gap = world_.scenario().load_time / static_cast<Duration::rep>(plan_.bursts + 1);
  world_.at_machine(number_, life_, world_.now() + world_.between(gap / 4, gap), [this] { make_load(); });
}

std::string Machine::pick_target(Kind kind, std::string_view source) {
  const Scenario& scenario = world_.scenario();
  const std::string key = "k" + std::to_string(random_.below(scenario.keys_per_type));
  if (kind == Kind::event) {
    // An agent does not hear itself; so that every recipient is owed its event, nobody tries. [P-RTE-5]
    const bool is_own_key = split_id(source).key == key;
    return "news" + std::to_string(random_.below(2)) + ".x/" + key + (is_own_key ? "x" : "");
  }
  const std::uint64_t dice = random_.below(20);
  if (dice == 0) return "nobody/" + key;
  if (dice == 1) return "@skill/" + key;
  return scenario.types[random_.below(scenario.types.size())] + "/" + key;
}

std::uint32_t Machine::stream(const std::string& source) {
  if (streams_session_ != session_) streams_.clear();
  streams_session_ = session_;
  const auto [it, is_new] = streams_.try_emplace(source, 0);
  if (is_new) it->second = world_.next_stream();
  return it->second;
}

void Machine::make_message(const std::string& source, const std::string& chain, std::uint32_t depth, std::uint64_t turn,
                           Duration longest) {
  const std::uint64_t dice = turn != 0 ? 0 : random_.below(10);
  const Kind kind = dice < 6 ? Kind::request : dice < 8 ? Kind::send : Kind::event;
  const bool goes_back = turn != 0 && random_.below(4) == 0;
  const std::string target = goes_back ? chain.substr(0, chain.find('\n')) : pick_target(kind, source);
  Body body;
  body.uid = world_.checker().created(kind, target);
  body.stream = stream(source);
  body.sequence = ++last_sequence_;
  const std::uint64_t plan = random_.below(64);
  body.plan = static_cast<std::uint32_t>(plan < 40   ? Plan::quick
                                         : plan < 45 ? Plan::slow
                                         : plan < 49 ? Plan::fail
                                         : plan < 53 ? Plan::stream
                                         : plan < 59 ? Plan::nested
                                         : plan < 63 ? Plan::talkative
                                                     : Plan::endless);
  body.depth = depth;
  Duration limit =
      random_.below(4) == 0 ? milliseconds(1 + random_.below(100)) : milliseconds(200 + random_.below(2800));
  limit = std::min(limit, longest);

  std::vector<std::byte> payload(
      sizeof body + (world_.scenario().max_padding == 0 ? 0 : random_.below(world_.scenario().max_padding)));
  std::memcpy(payload.data(), &body, sizeof body);
  ByteBuffer attributes;
  if (!chain.empty() && kind == Kind::request)
    (void)wire::append_attribute(attributes, wire::attribute::kCallChain, chain);
  const std::string type = "u" + std::to_string(body.uid);

  Call call;
  call.kind = kind == Kind::request ? CallKind::request : CallKind::one_way;
  call.uid = body.uid;
  call.session = session_;
  call.made = world_.now();
  call.waiting_turn = turn;
  call.may_expire_unsent = limit < milliseconds(10);
  const bool has_deadline = kind == Kind::request || random_.below(2) == 0;
  const MessageId id = calls_.add(call, world_.now() + (kind == Kind::request ? limit : Duration(seconds(4))) + kSlack);

  wire::EnvelopeFields fields;
  fields.kind = kind;
  fields.message_id = id.value();
  fields.remaining_ms = has_deadline ? static_cast<std::uint32_t>(limit / milliseconds(1)) : wire::kNoDeadline;
  fields.source = source;
  fields.target = target;
  fields.payload_type = type;
  fields.attributes = attributes.bytes();
  fields.payload = payload;
  world_.log("{} makes {} #{} (id {}) to {} with {} ms", name(), wire::to_string(kind), body.uid, id.value(), target,
             limit / milliseconds(1));
  write(fields);
  if (kind == Kind::request && turn == 0 && random_.below(12) == 0) {
    world_.at_machine(number_, life_, world_.now() + milliseconds(random_.below(200)), [this, id] {
      const auto cancelled = calls_.take(id);
      if (!cancelled) return;
      cancel(id);
      end_call(*cancelled, "cancelled here");
      pump();
    });
  }
}

// [P-REQ-3]
void Machine::cancel(MessageId id) {
  wire::EnvelopeFields fields;
  fields.kind = Kind::cancel;
  fields.message_id = id.value();
  write(fields);
}

std::vector<std::string> Machine::registered_types() const {
  std::vector<std::string> names;
  for (const Registration& registration : hosted_) {
    if (registration.is_registered) names.push_back(registration.type.name);
  }
  return names;
}

void Machine::change_types() {
  const HostedType& type = plan_.types[random_.below(plan_.types.size())];
  const auto it = std::ranges::find_if(hosted_, [&](const Registration& registration) {
    return registration.is_registered && registration.type.name == type.name;
  });
  if (it == hosted_.end()) {
    register_type(type);
  } else {
    unregister_type(*it);
  }
}

void Machine::register_type(HostedType type) {
  type.index = static_cast<std::uint16_t>(hosted_.size());
  world_.log("{} registers {}", name(), type.name);
  const wire::TypeRegistration body{type.name, type.index, type.capabilities, type.capacity};
  link_.add_type(body);
  hosted_.push_back({std::move(type), true});
  Call call;
  call.kind = CallKind::registry;
  ask_control(Kind::register_type, call, wire::encode_body(body));
}

void Machine::unregister_type(Registration& registration) {
  world_.log("{} unregisters {}", name(), registration.type.name);
  registration.is_registered = false;
  link_.remove_type(registration.type.name);
  Call call;
  call.kind = CallKind::registry;
  ask_control(Kind::unregister_type, call, wire::encode_body(wire::TypeName{registration.type.name}));
}

void Machine::ask_control(Kind kind, const Call& call, const ByteBuffer& body) {
  wire::EnvelopeFields fields;
  fields.kind = kind;
  fields.message_id = calls_.add(call, world_.now() + seconds(5)).value();
  fields.payload = body.bytes();
  write(fields);
}

void Machine::make_subscription() {
  Subscription subscription;
  subscription.body.id = ++last_subscription_;
  subscription.body.is_prefix = random_.below(2) == 0;
  subscription.body.topic = "news" + std::to_string(random_.below(2)) + (subscription.body.is_prefix ? "." : ".x");
  subscription.body.agent_type = plan_.types[random_.below(plan_.types.size())].name;
  subscription.record = world_.checker().subscribed(
      {subscription.body.topic, subscription.body.is_prefix, subscription.body.agent_type, TimePoint::max()});
  link_.add_subscription(subscription.body);
  Call call;
  call.kind = CallKind::subscribe;
  call.subscription = subscription.body.id;
  ask_control(Kind::subscribe, call, wire::encode_body(subscription.body));
  subscriptions_.push_back(std::move(subscription));
}

void Machine::drop_subscription() {
  const auto it = std::ranges::find(subscriptions_, false, &Subscription::is_leaving);
  if (it == subscriptions_.end()) return;
  it->is_leaving = true;
  link_.remove_subscription(it->body.id);
  Call call;
  call.kind = CallKind::unsubscribe;
  call.subscription = it->body.id;
  ask_control(Kind::unsubscribe, call, wire::encode_body(wire::SubscriptionId{it->body.id}));
}

void Machine::write(const wire::EnvelopeFields& fields) {
  if (!wire::append_envelope(out_, fields)) world_.checker().fail(name() + " cannot write an envelope");
}

void Machine::submit() {
  if (!done_.is_empty()) {
    wire::EnvelopeFields fields;
    fields.kind = Kind::done;
    fields.payload = done_.bytes();
    write(fields);
    done_.clear();
  }
  if (out_.is_empty()) return;
  const ByteBuffer batch = std::move(out_);
  out_ = ByteBuffer();
  if (link_.submit(batch.bytes(), world_.now(), session_)) return;
  if (!is_finished_) world_.checker().fail(name() + "'s link refuses a batch");
}

}  // namespace parley::sim
