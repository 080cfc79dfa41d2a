#include "services/cli/suite/run_directory.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "libmsg/net/endpoint.hpp"

namespace parley::cli {
namespace {

constexpr const char* kRecordFile = "up.json";
constexpr const char* kLockFile = "up.lock";

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Result<> make_private(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder.parent_path(), failure);
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("cannot make the run directory {}: {}", folder.string(), std::strerror(errno)));
  }
  struct stat about{};
  if (::lstat(folder.c_str(), &about) != 0 || !S_ISDIR(about.st_mode) || about.st_uid != ::geteuid()) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("the run directory {} is not a folder of yours", folder.string()));
  }
  return {};
}

}  // namespace

std::filesystem::path default_run_directory() {
  const auto endpoint = net::parse_endpoint(net::default_endpoint(), net::Reach::this_machine);
  const std::filesystem::path socket =
      endpoint ? std::filesystem::path(endpoint->host) : std::filesystem::path("/tmp/parley/broker.sock");
  return socket.parent_path() / "up";
}

std::optional<std::uint64_t> start_time_of(pid_t pid) {
  const std::string stat = read_text(fmt::format("/proc/{}/stat", pid));
  // The name of the program, in parentheses, may hold anything; the fields behind it start with number 3.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string state;
  fields >> state;
  if (state == "Z" || state == "X") return std::nullopt;
  constexpr int kStartTimeField = 22;
  std::string skipped;
  for (int field = 4; field < kStartTimeField; ++field) fields >> skipped;
  std::uint64_t start_time = 0;
  return fields >> start_time ? std::optional(start_time) : std::nullopt;
}

std::optional<RunRecord> find_running(const std::filesystem::path& folder) {
  const auto json = nlohmann::json::parse(read_text(folder / kRecordFile), nullptr, false);
  if (!json.is_object() || !json.contains("pid") || !json["pid"].is_number_integer()) return std::nullopt;
  RunRecord record;
  record.pid = json["pid"].get<pid_t>();
  if (json.contains("start_time") && json["start_time"].is_number_unsigned()) record.start_time = json["start_time"];
  if (json.contains("broker") && json["broker"].is_string()) record.broker = json["broker"];
  if (record.pid <= 1 || start_time_of(record.pid) != record.start_time) return std::nullopt;
  return record;
}

Result<RunDirectory> RunDirectory::claim(const std::filesystem::path& folder) {
  if (Result<> made = make_private(folder); !made) return fail(made.error());
  const int lock = ::open((folder / kLockFile).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (lock < 0) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("cannot write to the run directory {}: {}", folder.string(), std::strerror(errno)));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    const auto running = find_running(folder);
    const std::string who = running ? fmt::format(" (pid {})", running->pid) : "";
    return fail(
        ErrorCode::refused,
        fmt::format("a suite is already running in {}{} (stop it with 'parley down', or choose another --run-dir)",
                    folder.string(), who));
  }
  return RunDirectory(folder, lock);
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunDirectory::~RunDirectory() {
  if (lock_ < 0) return;
  std::error_code ignored;
  std::filesystem::remove(path_ / kRecordFile, ignored);
  ::close(lock_);
}

Result<> RunDirectory::record(const std::string& broker) const {
  const pid_t self = ::getpid();
  const nlohmann::json json{{"pid", self}, {"start_time", start_time_of(self).value_or(0)}, {"broker", broker}};
  const auto temporary = path_ / "up.json.new";
  std::ofstream(temporary) << json.dump() << '\n';
  std::error_code failure;
  std::filesystem::rename(temporary, path_ / kRecordFile, failure);
  if (failure) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("cannot write to the run directory {}: {}", path_.string(), failure.message()));
  }
  return {};
}

}  // namespace parley::cli
