#include "services/cli/temporary_type.hpp"

#include <algorithm>
#include <array>

#include "services/cli/trace_context.hpp"

namespace parley::cli {
namespace {

/// In the order of Temporary.
constexpr std::array<std::string_view, 4> kPurposes{"bench", "chat", "events", "subscriber"};
constexpr std::size_t kDigits = 12;

}  // namespace

std::string temporary_type(Temporary purpose, Random& random) {
  return std::string(kPurposes.at(static_cast<std::size_t>(purpose))) + "-" + random_hex(random, kDigits);
}

bool is_temporary_type(std::string_view name) {
  const auto dash = name.find('-');
  if (dash == std::string_view::npos || name.size() != dash + 1 + kDigits) return false;
  return std::ranges::find(kPurposes, name.substr(0, dash)) != kPurposes.end() &&
         name.find_first_not_of("0123456789abcdef", dash + 1) == std::string_view::npos;
}

}  // namespace parley::cli
