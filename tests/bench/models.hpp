// Model calls in flight in one thread: what the model client adds to bare curl_multi, in time and in memory, against
// the stub model server. Interleaved, a process for each run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/report.hpp"

namespace parley::bench {

/// `self` is the path of this program; the stub server lies beside it.
[[nodiscard]] std::vector<Fact> measure_models(const std::string& self, std::uint32_t rounds, double seconds);

/// Roles: keep `calls` streamed completions in flight for so long, and print one line of JSON.
int run_model_client(const std::string& base_url, std::uint32_t calls, double seconds);
int run_curl_client(const std::string& base_url, std::uint32_t calls, double seconds);

}  // namespace parley::bench
