// What the process hosts: agent types, subscriptions, state, statistics.
#include <algorithm>
#include <string>
#include <utility>

#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/turn.hpp"

namespace parley {
namespace {

/// An agent that is one function.
class ClosureAgent final : public Agent {
 public:
  explicit ClosureAgent(const Closure& closure) : closure_(closure) {}
  Task<Result<Payload>> handle(const Payload& message, Context& context) override { return closure_(message, context); }

 private:
  const Closure& closure_;  ///< of the type's factory, which outlives its agents
};

constexpr std::size_t kMaxTypesPerRuntime = 0xFFFE;

}  // namespace

Client& AgentHost::client() { return *client_; }

void AgentHost::add_interceptor(std::shared_ptr<Interceptor> interceptor) {
  interceptors_.push_back(std::move(interceptor));
}

void AgentHost::set_turn_observer(TurnObserver observer) { observer_ = std::move(observer); }

Error AgentHost::shutting_down() const { return {ErrorCode::shutting_down, "this process is stopping"}; }

AgentHost::AgentType* AgentHost::find_type(std::string_view name) {
  const auto found = types_by_name_.find(std::string(name));
  return found == types_by_name_.end() ? nullptr : found->second;
}

AgentHost::AgentType* AgentHost::find_type(std::string_view name, std::uint16_t index) {
  AgentType* const type = index < types_.size() ? types_[index].get() : nullptr;
  return type != nullptr && type->name == name ? type : nullptr;
}

TurnRules AgentHost::rules_of(const AgentType& type) {
  // A ready instance keeps its state in itself, so there is nothing to gain from putting it away.
  const Duration idle = type.factory ? Duration(type.options.idle_timeout) : Duration::zero();
  return {type.options.is_reentrant, type.options.max_mailbox, idle, static_cast<bool>(type.factory)};
}

// --- Agent types -----------------------------------------------------------------------------------------------------

Task<Result<>> AgentHost::register_type(std::string type, AgentFactory factory, TypeOptions options) {
  if (!factory) co_return fail(ErrorCode::invalid, "agent type '" + type + "' needs a factory");
  Result<AgentType*> added = add_type(std::move(type), std::move(options));
  if (!added) co_return fail(std::move(added).error());
  (*added)->factory = std::move(factory);
  co_return co_await announce(**added);
}

Task<Result<>> AgentHost::register_instance(AgentId id, std::shared_ptr<Agent> agent, TypeOptions options) {
  if (id.is_empty() || !agent) co_return fail(ErrorCode::invalid, "a ready instance needs an id and an agent");
  if (AgentType* const type = find_type(id.type())) {
    if (type->factory) {
      co_return fail(ErrorCode::invalid, "agent type '" + id.type() + "' has a factory; it takes no ready instances");
    }
    if (!type->instances.emplace(id.key(), std::move(agent)).second) {
      co_return fail(ErrorCode::invalid, "'" + id.str() + "' is registered already");
    }
    co_return Result<>{};
  }
  Result<AgentType*> added = add_type(id.type(), std::move(options));
  if (!added) co_return fail(std::move(added).error());
  (*added)->instances.emplace(id.key(), std::move(agent));
  co_return co_await announce(**added);
}

Task<Result<>> AgentHost::register_closure(std::string type, Closure closure, std::vector<TopicFilter> topics,
                                           TypeOptions options) {
  if (!closure) co_return fail(ErrorCode::invalid, "agent type '" + type + "' needs a function");
  auto kept = std::make_shared<Closure>(std::move(closure));  // Shared by the factory and its copies.
  const AgentFactory factory = [kept](const AgentId&) { return std::make_unique<ClosureAgent>(*kept); };
  Result<> registered = co_await register_type(type, factory, std::move(options));
  if (!registered) co_return registered;
  for (TopicFilter& topic : topics) {
    const Result<SubscriptionHandle> handle = co_await subscribe(std::move(topic), type);
    if (!handle) co_return fail(handle.error());
  }
  co_return Result<>{};
}

Result<AgentHost::AgentType*> AgentHost::add_type(std::string name, TypeOptions options) {
  if (state_ == State::stopping || state_ == State::stopped) return fail(shutting_down());
  if (!is_valid_agent_type(name)) {
    return fail(ErrorCode::invalid,
                "agent type '" + name.substr(0, 60) + "' must be 1 to 128 characters of [A-Za-z0-9_.-]");
  }
  for (const std::string& capability : options.capabilities) {
    if (!is_valid_agent_type(capability)) {
      return fail(ErrorCode::invalid, "capability '" + capability.substr(0, 60) + "' of agent type '" + name +
                                          "' must be 1 to 128 characters of [A-Za-z0-9_.-]");
    }
  }
  if (find_type(name) != nullptr) return fail(ErrorCode::invalid, "agent type '" + name + "' is registered already");
  if (types_.size() >= kMaxTypesPerRuntime) {
    return fail(ErrorCode::invalid,
                "one runtime takes at most " + std::to_string(kMaxTypesPerRuntime) + " agent types");
  }
  auto type = std::make_unique<AgentType>();
  type->name = std::move(name);
  type->index = static_cast<std::uint16_t>(types_.size());
  type->options = std::move(options);
  type->options.capacity = std::clamp(type->options.capacity, 1U, 1000U);
  AgentType* const added = type.get();
  types_by_name_.emplace(added->name, added);
  types_.push_back(std::move(type));
  return added;
}

Task<Result<>> AgentHost::announce(AgentType& type) {
  const wire::TypeRegistration registration{type.name, type.index, type.options.capabilities, type.options.capacity};
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    port_->add_type(i, registration);
    Result<> answer = co_await control(i, wire::Kind::register_type, wire::encode_body(registration), type.name);
    if (answer) continue;
    for (std::size_t j = 0; j <= i; ++j) port_->remove_type(j, type.name);
    types_by_name_.erase(type.name);
    type.is_registered = false;
    co_return answer;
  }
  co_return Result<>{};
}

Task<Result<>> AgentHost::unregister_type(std::string name) {
  AgentType* const type = find_type(name);
  if (type == nullptr) co_return fail(ErrorCode::invalid, "agent type '" + name + "' is not registered here");
  type->is_registered = false;
  types_by_name_.erase(name);
  Result<> outcome;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    port_->remove_type(i, name);
    const wire::TypeName body{name};
    Result<> answer = co_await control(i, wire::Kind::unregister_type, wire::encode_body(body), name);
    if (!answer) outcome = std::move(answer);
  }
  // Its activations end by the PASSIVATE that the broker sends behind everything that it had sent to them.
  co_return outcome;
}

// --- Subscriptions ---------------------------------------------------------------------------------------------------

Task<Result<SubscriptionHandle>> AgentHost::subscribe(TopicFilter topics, std::string agent_type) {
  const bool is_valid_filter = (topics.is_prefix && topics.type.empty()) || is_valid_topic_type(topics.type);
  if (!is_valid_filter)
    co_return fail(ErrorCode::invalid, "topic type '" + topics.type.substr(0, 60) + "' is not valid");
  if (!is_valid_agent_type(agent_type)) {
    co_return fail(ErrorCode::invalid, "agent type '" + agent_type.substr(0, 60) + "' is not valid");
  }
  if (state_ == State::stopping || state_ == State::stopped) co_return fail(shutting_down());
  const SubscriptionHandle handle = ++last_subscription_;
  const wire::SubscriptionBody body{handle, topics.type, topics.is_prefix, agent_type};
  subscriptions_.emplace(handle, body);
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    port_->add_subscription(i, body);
    Result<> answer = co_await control(i, wire::Kind::subscribe, wire::encode_body(body), topics.type);
    if (answer) continue;
    for (std::size_t j = 0; j <= i; ++j) port_->remove_subscription(j, handle);
    subscriptions_.erase(handle);
    co_return fail(std::move(answer).error());
  }
  co_return handle;
}

Task<Result<>> AgentHost::unsubscribe(SubscriptionHandle handle) {
  if (subscriptions_.erase(handle) == 0) {
    co_return fail(ErrorCode::invalid, "there is no subscription " + std::to_string(handle));
  }
  Result<> outcome;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    port_->remove_subscription(i, handle);
    Result<> answer = co_await control(i, wire::Kind::unsubscribe, wire::encode_body(wire::SubscriptionId{handle}),
                                       "subscription " + std::to_string(handle));
    if (!answer) outcome = std::move(answer);
  }
  co_return outcome;
}

// --- State and statistics --------------------------------------------------------------------------------------------

Result<std::map<std::string, std::string>> AgentHost::save_state() {
  std::map<std::string, std::string> states = saved_states_.all();
  std::optional<Error> error;
  scheduler_.for_each([&](Activation& activation) {
    if (!activation.body.agent || error) return;
    Result<std::string> state = activation.body.agent->save_state();
    if (!state) {
      error = std::move(state).error();
      error->message = "the state of '" + activation.id + "' could not be saved: " + error->message;
    } else if (!state->empty()) {
      states.insert_or_assign(activation.id, std::move(*state));
    }
  });
  if (error) return fail(std::move(*error));
  return states;
}

Result<> AgentHost::load_state(const std::map<std::string, std::string>& states) {
  for (const auto& [id, state] : states) {
    const Result<AgentId> parsed = AgentId::parse(id);
    if (!parsed) return fail(parsed.error());
    if (find_type(parsed->type()) == nullptr) {
      return fail(ErrorCode::invalid, "the state of '" + id + "' has no use: its agent type is not registered here");
    }
  }
  for (const auto& [id, state] : states) keep_state(id, state);
  return {};
}

Task<Result<Payload>> AgentHost::ask_broker(std::size_t connection, wire::Kind kind, ByteBuffer body) {
  auto ask = [this, connection, kind, &body](ReplyHandler resume, asio::cancellation_slot) {
    Call call(std::move(resume));
    call.target = "the broker";
    const MessageId id = connections_[connection].calls.add(std::move(call), now() + kControlTimeout);
    // Cannot fail: the body is small.
    (void)wire::append_envelope(connections_[connection].out,
                                {.kind = kind, .message_id = id.value(), .payload = body.bytes()});
    request_flush();
  };
  co_return co_await suspend<Result<Payload>>(std::move(ask));
}

Task<Result<Payload>> AgentHost::query(wire::Query query) {
  co_return co_await ask_broker(0, wire::Kind::query, wire::encode_body(query));
}

/// Every broker is told; the report is of the one that the key belongs to.
Task<Result<wire::OperateReport>> AgentHost::operate(wire::Operate order) {
  Result<wire::OperateReport> outcome = fail(ErrorCode::invalid, "there is no broker to ask");
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const Result<Payload> answer = co_await ask_broker(i, wire::Kind::operate, wire::encode_body(order));
    Result<wire::OperateReport> report =
        answer ? wire::decode_body<wire::OperateReport>(as_bytes(answer->bytes)) : fail(answer.error());
    if (i == 0 || (report && (!outcome || outcome->worker.empty()))) outcome = std::move(report);
  }
  co_return outcome;
}

std::map<std::string, TypeStats> AgentHost::stats() const {
  std::map<std::string, TypeStats> all;
  for (const auto& type : types_) {
    if (!type->is_registered) continue;
    TypeStats& row = all[type->name];
    row.requests = type->requests;
    row.one_way = type->one_way;
    for (std::size_t code = 0; code < type->outcomes.size(); ++code) {
      if (type->outcomes[code] == 0) continue;
      row.outcomes[code == 0 ? "ok" : to_string(static_cast<ErrorCode>(code))] = type->outcomes[code];
    }
  }
  const TimePoint now = clock_.now();
  scheduler_.for_each([&all, now](const Activation& activation) {
    TypeStats& row = all[activation.body.type->name];
    row.activations++;
    row.inflight += activation.running;
    row.waiting += activation.mailbox.size();
    row.oldest_waiting = std::max(row.oldest_waiting, oldest_waiting(activation, now));
  });
  return all;
}

HostStats AgentHost::host_stats() const {
  return {.limits = limits_,
          .activations = scheduler_.activation_count(),
          .surplus_passivations = counters_.surplus_passivations,
          .saved_states = saved_states_.size(),
          .saved_bytes = saved_states_.bytes(),
          .dropped_states = saved_states_.dropped(),
          .drops = counters_.drops};
}

bool AgentHost::is_connected() const {
  return std::ranges::none_of(connections_, [](const Connection& connection) { return connection.session.is_zero(); });
}

}  // namespace parley
