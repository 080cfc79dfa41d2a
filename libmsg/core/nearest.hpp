// "Did you mean …?": the known names that are closest to a mistyped one. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley {

/// Smallest number of inserted, deleted, replaced or swapped neighbouring characters that turns `a` into `b`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The names within a third of the length of `name` (at least one edit), nearest first, at most `limit`.
[[nodiscard]] std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> known,
                                                     std::size_t limit = 3);

}  // namespace parley
