#include "services/supervisor/local/local_driver.hpp"

#include <array>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>
#include <sys/inotify.h>
#include <unistd.h>

namespace parley::supervisor {

struct LocalDriver::Entry {
  Entry(PlannedProcess its_plan, LogTail its_log) : plan(std::move(its_plan)), log(std::move(its_log)) {}

  PlannedProcess plan;
  LogTail log;
  std::optional<ChildProcess> child;
  std::uint16_t metrics_port = 0;
  /// A copy of the child's pidfd, which asio closes.
  std::unique_ptr<asio::posix::stream_descriptor> end_watch;
};

Result<std::unique_ptr<LocalDriver>> LocalDriver::make(asio::io_context& io, std::filesystem::path folder) {
  const int inotify = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify < 0 || ::inotify_add_watch(inotify, folder.c_str(), IN_MODIFY) < 0) {
    const int reason = errno;
    if (inotify >= 0) ::close(inotify);
    return fail(ErrorCode::bad_configuration,
                fmt::format("cannot watch {}: {}", folder.string(), std::strerror(reason)));
  }
  std::unique_ptr<LocalDriver> driver(new LocalDriver(io, std::move(folder), inotify));
  driver->watch_logs();
  return driver;
}

LocalDriver::LocalDriver(asio::io_context& io, std::filesystem::path folder, int inotify)
    : io_(io), folder_(std::move(folder)), log_changes_(io, inotify) {}

LocalDriver::~LocalDriver() = default;

std::filesystem::path LocalDriver::log_of(const std::string& process) const { return folder_ / (process + ".log"); }

void LocalDriver::add(const PlannedProcess& process, std::uintmax_t log_offset) {
  entries_[process.name] = std::make_unique<Entry>(process, LogTail(log_of(process.name), log_offset));
}

bool LocalDriver::adopt(const std::string& process, const ProcessId& id, std::uint16_t metrics_port) {
  std::optional<ChildProcess> child = ChildProcess::adopt(id);
  if (!child) {
    // Started in the last moment of a supervisor that could not write it down any more.
    const auto marked = find_by_environment(process_mark(folder_, process));
    if (!marked.empty()) child = ChildProcess::adopt(marked.front());
  }
  if (!child) return false;
  Entry& entry = *entries_.at(process);
  if (child->id() == id) entry.metrics_port = metrics_port;
  watch(entry, std::move(*child));
  // What it said while nobody read.
  asio::post(io_, [this, process] { read_log(*entries_.at(process)); });
  return true;
}

void LocalDriver::start(const std::string& process) {
  Entry& entry = *entries_.at(process);
  entry.log.begin_process();
  LaunchOptions options;
  options.command = entry.plan.command;
  options.extra_environment = {process_mark(folder_, process)};
  options.log = log_of(process);
  Result<ChildProcess> child = ChildProcess::start(options);
  if (!child) return tell_failed_start(process, child.error().message);
  watch(entry, std::move(*child));
  asio::post(io_, [this, process] { observer_->on_started(process); });
}

void LocalDriver::tell_failed_start(const std::string& process, const std::string& why) {
  asio::post(io_, [this, process, why] { observer_->on_ended(process, {ProcessEnd::Kind::failed, 0, why}, {}); });
}

void LocalDriver::watch(Entry& entry, ChildProcess child) {
  entry.child.emplace(std::move(child));
  entry.end_watch = std::make_unique<asio::posix::stream_descriptor>(io_, ::dup(entry.child->descriptor()));
  entry.end_watch->async_wait(asio::posix::stream_descriptor::wait_read,
                              [this, process = entry.plan.name](std::error_code failure) {
                                if (!failure) note_end(process);
                              });
}

void LocalDriver::note_end(const std::string& process) {
  Entry& entry = *entries_.at(process);
  const std::optional<ProcessEnd> end = entry.child->poll_end();
  if (!end) return;
  // Whatever it says, it is not ready any more.
  entry.log.read([](const std::string&) {});
  entry.child.reset();
  entry.metrics_port = 0;
  entry.end_watch.reset();
  observer_->on_ended(process, *end, entry.log.last_lines());
}

void LocalDriver::read_log(Entry& entry) {
  std::optional<ReadyLine> ready;
  entry.log.read([&](const std::string& line) {
    if (const auto found = parse_ready_line(line)) ready = found;
  });
  if (!ready || !entry.child) return;
  entry.metrics_port = ready->metrics_port;
  observer_->on_ready(entry.plan.name);
}

void LocalDriver::watch_logs() {
  log_changes_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code failure) {
    if (failure) return;
    alignas(inotify_event) std::array<char, 16384> events;
    std::set<std::string> changed;
    for (ssize_t size = 0; (size = ::read(log_changes_.native_handle(), events.data(), events.size())) > 0;) {
      for (ssize_t at = 0; at < size;) {
        inotify_event event{};
        std::memcpy(&event, events.data() + at, sizeof event);
        if (event.len > 0) changed.insert(events.data() + at + sizeof event);
        at += static_cast<ssize_t>(sizeof event + event.len);
      }
    }
    for (const auto& [name, entry] : entries_) {
      if (changed.contains(name + ".log")) read_log(*entry);
    }
    watch_logs();
  });
}

void LocalDriver::stop(const std::string& process) {
  if (const auto& child = entries_.at(process)->child) child->send_signal(SIGTERM);
}

void LocalDriver::kill(const std::string& process) {
  if (const auto& child = entries_.at(process)->child) child->kill_group();
}

ProcessId LocalDriver::id_of(const std::string& process) const {
  const auto& child = entries_.at(process)->child;
  return child ? child->id() : ProcessId{};
}

std::uint16_t LocalDriver::metrics_port_of(const std::string& process) const {
  return entries_.at(process)->metrics_port;
}

std::uintmax_t LocalDriver::log_offset_of(const std::string& process) const {
  return entries_.at(process)->log.offset();
}

std::vector<std::string> LocalDriver::last_lines_of(const std::string& process) const {
  return entries_.at(process)->log.last_lines();
}

}  // namespace parley::supervisor
