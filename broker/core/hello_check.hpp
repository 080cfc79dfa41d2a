// What a HELLO (and a later registration) must look like before the broker acts on it. Pure; any thread.
#pragma once

#include "broker/core/core.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::broker {

/// Each fails with `invalid` and says what is wrong.
[[nodiscard]] Result<> check_type(const wire::TypeRegistration& type);
[[nodiscard]] Result<> check_subscription(const wire::SubscriptionBody& subscription);
/// Version, name, incarnation, every registration, no index, type or subscription id twice, nothing over its limit.
[[nodiscard]] Result<> check_hello(const wire::Hello& hello, const CoreConfig& config);

}  // namespace parley::broker
