// How one activation is, for `parley agent where`. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libmsg/wire/vitals.hpp"

namespace parley::cli {

/// A few lines for people; `now_ms` since 1970.
[[nodiscard]] std::vector<std::string> render_activation(const wire::ActivationVitals& vitals, std::uint64_t now_ms);

}  // namespace parley::cli
