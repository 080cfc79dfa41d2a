#include "libmsg/messages/spent_usage.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "libmsg/core/whole_number.hpp"

namespace parley::messages {
namespace {

constexpr std::string_view kUsagePrefix = "usage_";
constexpr std::string_view kInputTokens = "usage_input_tokens";
constexpr std::string_view kOutputTokens = "usage_output_tokens";
constexpr std::string_view kCostNanoUsd = "usage_cost_nano_usd";

std::uint64_t amount_of(const Error& error, std::string_view name) {
  return whole_number(error.detail(name)).value_or(0);
}

}  // namespace

void set_spent_usage(Error& error, const Usage& usage) {
  std::erase_if(error.details, [](const auto& detail) { return detail.first.starts_with(kUsagePrefix); });
  const auto add = [&error](std::string_view name, std::uint64_t amount) {
    if (amount > 0) error.details.emplace_back(name, std::to_string(amount));
  };
  add(kInputTokens, usage.input_tokens);
  add(kOutputTokens, usage.output_tokens);
  add(kCostNanoUsd, usage.cost_nano_usd);
}

Usage spent_usage(const Error& error) {
  Usage usage;
  usage.input_tokens = amount_of(error, kInputTokens);
  usage.output_tokens = amount_of(error, kOutputTokens);
  usage.cost_nano_usd = amount_of(error, kCostNanoUsd);
  return usage;
}

}  // namespace parley::messages
