#include "monitoring/process_metrics.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <prometheus/metric_family.h>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

#include "monitoring/catalogue.hpp"

namespace parley::monitoring {
namespace {

double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  in >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double open_files() {
  std::error_code failure;
  const std::filesystem::directory_iterator files("/proc/self/fd", failure);
  // One of them is the iterator's own.
  return failure ? 0 : static_cast<double>(std::distance(files, {})) - 1;
}

prometheus::MetricFamily family(std::string_view name, prometheus::MetricType type, double value) {
  prometheus::ClientMetric metric;
  (type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return {std::string(name), std::string(metric_help(name)), type, {std::move(metric)}};
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  using prometheus::MetricType;
  return {family("process_cpu_seconds_total", MetricType::Counter, cpu_seconds()),
          family("process_resident_memory_bytes", MetricType::Gauge, resident_bytes()),
          family("process_open_fds", MetricType::Gauge, open_files())};
}

}  // namespace parley::monitoring
