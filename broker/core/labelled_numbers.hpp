// The broker's numbers that carry labels, for the metrics page: workers by health, agent types one by one, outcomes by
// error code. The number of series is bounded: what goes beyond kMaxTypesWithSeries is summed up as `other`, and a type
// that nobody has hosted for type_memory has none. Reads only. One thread.
#pragma once

#include <vector>

#include "broker/core/state.hpp"

namespace parley::broker {

inline constexpr std::size_t kMaxTypesWithSeries = 256;

[[nodiscard]] std::vector<wire::NamedNumber> labelled_numbers_of(const State& state);

}  // namespace parley::broker
