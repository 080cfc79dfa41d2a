// The figures that bound how far one broker reaches: bytes per agent id, memory of idle workers, topic matching.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/report.hpp"

namespace parley::bench {

/// `self` is the path of this program, `broker` that of parley-broker.
[[nodiscard]] std::vector<Fact> measure_memory(const std::string& self, const std::string& broker);

/// Role: opens that many idle worker sessions, announces ready and keeps them alive.
int run_idle_workers(const std::string& endpoint, std::uint32_t count);

}  // namespace parley::bench
