#include "libmsg/core/error.hpp"

#include <algorithm>
#include <array>

namespace parley {
namespace {

struct Entry {
  ErrorCode code;
  std::string_view name;
  bool retryable;
};

constexpr std::array kCatalogue{
    Entry{ErrorCode::unknown_agent_type, "unknown_agent_type", false},
    Entry{ErrorCode::undeliverable, "undeliverable", true},
    Entry{ErrorCode::timeout, "timeout", true},
    Entry{ErrorCode::cancelled, "cancelled", false},
    Entry{ErrorCode::handler_failed, "handler_failed", false},
    Entry{ErrorCode::no_handler, "no_handler", false},
    Entry{ErrorCode::overloaded, "overloaded", true},
    Entry{ErrorCode::unauthorized, "unauthorized", false},
    Entry{ErrorCode::budget_exceeded, "budget_exceeded", false},
    Entry{ErrorCode::invalid, "invalid", false},
    Entry{ErrorCode::too_large, "too_large", false},
    Entry{ErrorCode::worker_lost, "worker_lost", true},
    Entry{ErrorCode::deadlock, "deadlock", false},
    Entry{ErrorCode::shutting_down, "shutting_down", true},
    Entry{ErrorCode::broker_lost, "broker_lost", true},
    Entry{ErrorCode::activation_failed, "activation_failed", false},
    Entry{ErrorCode::refused, "refused", false},
    Entry{ErrorCode::upstream_failed, "upstream_failed", true},
    Entry{ErrorCode::unreachable, "unreachable", true},
    Entry{ErrorCode::bad_configuration, "bad_configuration", false},
    Entry{ErrorCode::no_reply, "no_reply", false},
    Entry{ErrorCode::no_subscriber, "no_subscriber", false},
    Entry{ErrorCode::quarantined, "quarantined", true},
};

constexpr auto kCodes = [] {
  std::array<ErrorCode, kCatalogue.size()> codes{};
  std::ranges::transform(kCatalogue, codes.begin(), &Entry::code);
  return codes;
}();

const Entry* find(ErrorCode code) {
  const auto* const it = std::ranges::find(kCatalogue, code, &Entry::code);
  return it == kCatalogue.end() ? nullptr : it;
}

}  // namespace

std::string to_string(ErrorCode code) {
  const Entry* entry = find(code);
  return entry != nullptr ? std::string(entry->name) : "error_" + std::to_string(static_cast<int>(code));
}

std::optional<ErrorCode> error_code_from_string(std::string_view name) {
  const auto* const it = std::ranges::find(kCatalogue, name, &Entry::name);
  if (it == kCatalogue.end()) return std::nullopt;
  return it->code;
}

std::span<const ErrorCode> all_error_codes() { return kCodes; }

std::string_view Error::detail(std::string_view name) const {
  const auto found = std::ranges::find(details, name, &ErrorDetails::value_type::first);
  return found == details.end() ? std::string_view() : std::string_view(found->second);
}

bool is_retryable(ErrorCode code) {
  const Entry* entry = find(code);
  return entry != nullptr && entry->retryable;
}

}  // namespace parley
