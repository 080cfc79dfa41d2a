#include "agents/host/memory_limit.hpp"

#include <fstream>

namespace parley::host {

std::uint64_t default_memory_limit(const std::filesystem::path& file) {
  constexpr std::uint64_t kWhole = 100;
  std::ifstream stream(file);
  std::uint64_t bytes = 0;
  if (!(stream >> bytes)) return 0;
  return bytes / kWhole * kMemoryLimitPercent;
}

}  // namespace parley::host
