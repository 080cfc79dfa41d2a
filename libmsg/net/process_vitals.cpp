#include "libmsg/net/process_vitals.hpp"

#include <fstream>
#include <unistd.h>

namespace parley::net {

std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  if (!(in >> total_pages >> resident_pages)) return 0;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

wire::WorkerVitals with_process(wire::WorkerVitals vitals, std::uint64_t memory_limit_bytes) {
  vitals.pid = static_cast<std::uint32_t>(::getpid());
  vitals.rss_bytes = resident_bytes();
  vitals.memory_limit_bytes = memory_limit_bytes;
  return vitals;
}

}  // namespace parley::net
