#include "monitoring/process_metrics.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <prometheus/metric_family.h>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "monitoring/catalogue.hpp"

namespace parley::monitoring {
namespace {

struct Memory {
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

Memory memory() {
  std::ifstream in("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  in >> total_pages >> resident_pages;
  const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  return {total_pages * page_bytes, resident_pages * page_bytes};
}

/// Unix time at which this process began; 0 when /proc does not say.
double start_time_seconds() {
  std::ifstream about_machine("/proc/stat");
  double boot_seconds = 0;
  for (std::string word; about_machine >> word;) {
    if (word != "btime") continue;
    about_machine >> boot_seconds;
    break;
  }
  std::ifstream about_process("/proc/self/stat");
  const std::string stat(std::istreambuf_iterator<char>(about_process), {});
  // The name of the program, in parentheses, may hold anything; the fields behind it start with number 3.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 1));
  constexpr int kStartTimeField = 22;
  std::string skipped;
  for (int field = 3; field < kStartTimeField; ++field) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  return boot_seconds + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
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

double most_open_files() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

prometheus::MetricFamily build_info(std::string_view program) {
  prometheus::ClientMetric metric;
  metric.gauge.value = 1;
  metric.label = {{"program", std::string(program)}, {"version", PARLEY_VERSION}};
  constexpr std::string_view kName = "parley_build_info";
  return {std::string(kName), std::string(metric_help(kName)), prometheus::MetricType::Gauge, {std::move(metric)}};
}

prometheus::MetricFamily family(std::string_view name, prometheus::MetricType type, double value) {
  prometheus::ClientMetric metric;
  (type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return {std::string(name), std::string(metric_help(name)), type, {std::move(metric)}};
}

}  // namespace

ProcessMetrics::ProcessMetrics(std::string_view program)
    : build_(build_info(program)), start_time_seconds_(start_time_seconds()) {}

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  using prometheus::MetricType;
  const Memory used = memory();
  return {build_,
          family("process_cpu_seconds_total", MetricType::Counter, cpu_seconds()),
          family("process_resident_memory_bytes", MetricType::Gauge, used.resident_bytes),
          family("process_virtual_memory_bytes", MetricType::Gauge, used.virtual_bytes),
          family("process_open_fds", MetricType::Gauge, open_files()),
          family("process_max_fds", MetricType::Gauge, most_open_files()),
          family("process_start_time_seconds", MetricType::Gauge, start_time_seconds_)};
}

}  // namespace parley::monitoring
