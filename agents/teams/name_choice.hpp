// Reads which member a model has chosen. Models write prose around a name, change its case, quote it, write a space for
// an underscore; and sometimes they name two, or somebody who is not there. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::teams {

/// Index of the one name that `answer` mentions, as a word of its own, in any case, `_`, `-` and space being the same.
/// A name that is part of a longer mentioned one (`writer` in `lead writer`) does not count. Fails with `invalid`; the
/// message tells the model what is wrong.
[[nodiscard]] Result<std::size_t> chosen_name(std::string_view answer, std::span<const std::string> names);

/// `a, b and c`.
[[nodiscard]] std::string listed(std::span<const std::string> names);

}  // namespace parley::teams
