#include "broker/core/hello_check.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "libmsg/core/ids.hpp"
#include "libmsg/wire/bundle.hpp"

namespace parley::broker {
namespace {

constexpr std::size_t kMaxNameBytes = 256;
constexpr std::size_t kMaxCapabilities = 64;
constexpr std::uint32_t kMaxCapacity = 1000;

Result<> check_types(const wire::Hello& hello, const CoreConfig& config) {
  if (hello.types.size() > config.max_types) return fail(ErrorCode::invalid, "too many agent types");
  std::unordered_set<std::string_view> names;
  std::unordered_set<std::uint16_t> indices;
  for (const wire::TypeRegistration& type : hello.types) {
    if (auto checked = check_type(type); !checked) return checked;
    if (!names.insert(type.name).second)
      return fail(ErrorCode::invalid, "agent type '" + type.name + "' is listed twice");
    if (!indices.insert(type.index).second) {
      return fail(ErrorCode::invalid, "two agent types with index " + std::to_string(type.index));
    }
  }
  return {};
}

Result<> check_subscriptions(const wire::Hello& hello, const CoreConfig& config) {
  if (hello.subscriptions.size() > config.max_subscriptions_per_session) {
    return fail(ErrorCode::invalid, "too many subscriptions");
  }
  std::unordered_set<std::uint64_t> ids;
  for (const wire::SubscriptionBody& subscription : hello.subscriptions) {
    if (auto checked = check_subscription(subscription); !checked) return checked;
    if (!ids.insert(subscription.id).second) {
      return fail(ErrorCode::invalid, "two subscriptions with id " + std::to_string(subscription.id));
    }
  }
  return {};
}

}  // namespace

Result<> check_type(const wire::TypeRegistration& type) {
  if (!is_valid_agent_type(type.name)) return fail(ErrorCode::invalid, "a registered agent type has a bad name");
  if (type.index == wire::kNoRecipient) return fail(ErrorCode::invalid, "agent type index 65535 is reserved");
  if (type.capacity < 1 || type.capacity > kMaxCapacity)
    return fail(ErrorCode::invalid, "a capacity must be 1 to 1000");
  if (type.capabilities.size() > kMaxCapabilities || !std::ranges::all_of(type.capabilities, is_valid_agent_type)) {
    return fail(ErrorCode::invalid, "agent type '" + type.name + "' has too many capabilities or one with a bad name");
  }
  return {};
}

Result<> check_subscription(const wire::SubscriptionBody& subscription) {
  const bool is_every_topic = subscription.is_prefix && subscription.topic.empty();
  if (!is_every_topic && !is_valid_topic_type(subscription.topic)) {
    return fail(ErrorCode::invalid, "a subscription names a bad topic type");
  }
  if (!is_valid_agent_type(subscription.agent_type)) {
    return fail(ErrorCode::invalid, "a subscription names a bad agent type");
  }
  return {};
}

Result<> check_hello(const wire::Hello& hello, const CoreConfig& config) {
  if (hello.version_min > wire::kProtocolVersion || hello.version_max < wire::kProtocolVersion) {
    return fail(ErrorCode::invalid, "this broker speaks protocol version " + std::to_string(wire::kProtocolVersion) +
                                        ", the peer " + std::to_string(hello.version_min) + " to " +
                                        std::to_string(hello.version_max));
  }
  if (hello.incarnation == 0) return fail(ErrorCode::invalid, "HELLO needs an incarnation");
  if (hello.name.size() > kMaxNameBytes || (!hello.name.empty() && !is_valid_agent_key(hello.name))) {
    return fail(ErrorCode::invalid, "a peer's name must be printable ASCII of at most 256 characters");
  }
  if (auto checked = check_types(hello, config); !checked) return checked;
  if (auto checked = check_subscriptions(hello, config); !checked) return checked;
  const auto is_id = [](const wire::LiveActivation& activation) {
    return activation.id.contains('/') && AgentId::parse(activation.id).has_value();
  };
  if (!std::ranges::all_of(hello.activations, is_id)) return fail(ErrorCode::invalid, "HELLO lists a bad agent id");
  return {};
}

}  // namespace parley::broker
