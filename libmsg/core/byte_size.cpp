#include "libmsg/core/byte_size.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

namespace parley {
namespace {

// Largest first, so that formatting finds the shortest text.
constexpr std::array<std::pair<std::string_view, unsigned>, 3> kSizeUnits{{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 50U;

}  // namespace

Result<std::uint64_t> parse_byte_size(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, shift] : kSizeUnits) {
    if (failure != std::errc() || unit != name) continue;
    if (count > (kMaxBytes >> shift))
      return fail(ErrorCode::invalid, "expected at most " + format_byte_size(kMaxBytes));
    return count << shift;
  }
  return fail(ErrorCode::invalid, "expected a size such as 64KiB, 512MiB or 2GiB");
}

std::string format_byte_size(std::uint64_t bytes) {
  for (const auto& [name, shift] : kSizeUnits) {
    if (bytes != 0 && (bytes & ((std::uint64_t{1} << shift) - 1)) == 0)
      return std::to_string(bytes >> shift).append(name);
  }
  return std::to_string(bytes) + "B";
}

}  // namespace parley
