// The broker's books must balance: every delivery is in exactly one list, every count is the sum of what it counts, and
// nothing is above its limit.
// Walks all of the state, so it is for tests and simulations. Pure.
#pragma once

#include <string>
#include <vector>

#include "broker/core/state.hpp"

namespace parley::broker {

/// One line for each contradiction.
[[nodiscard]] std::vector<std::string> find_broken_invariants(const State& state);

}  // namespace parley::broker
