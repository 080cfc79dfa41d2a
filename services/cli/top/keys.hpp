// What the keys of `parley top` do. Pure; loop thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "services/cli/top/view.hpp"

namespace parley::cli::top {

enum class Next : std::uint8_t { go_on, quit };

/// Takes what was typed, as a terminal sends it (an escape sequence arrives whole).
[[nodiscard]] Next press(ViewState& state, std::string_view typed, Extent extent);

}  // namespace parley::cli::top
