#include "agents/host/tool_audit.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <utility>

#include "agents/host/tool_span.hpp"
#include "agents/llm/json_text.hpp"
#include "agents/tools/tool_text.hpp"
#include "libmsg/core/ascii.hpp"
#include "libmsg/core/utf8.hpp"
#include "monitoring/log.hpp"

namespace parley::host {
namespace {

using monitoring::log_text;
using nlohmann::json;
using nlohmann::ordered_json;

/// A problem is a sentence; a tool's own text may be long and say too much.
constexpr std::size_t kMaxProblemBytes = 300;
constexpr std::array<std::string_view, 8> kSecretWords{"password", "passwd", "secret",     "token",
                                                       "api_key",  "apikey", "credential", "authorization"};

std::string sha256_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[digest.at(i) >> 4U];
    hex += kDigits[digest.at(i) & 15U];
  }
  return hex;
}

bool is_secret(std::string_view name) {
  const std::string lower = ascii_lower(name);
  return std::ranges::any_of(kSecretWords, [&](std::string_view word) { return lower.contains(word); });
}

void hide_secrets(json& value) {
  if (!value.is_structured()) return;
  if (value.is_array()) {
    for (json& each : value) hide_secrets(each);
    return;
  }
  for (const auto& entry : value.items()) {
    if (is_secret(entry.key())) {
      entry.value() = "***";
    } else {
      hide_secrets(entry.value());
    }
  }
}

std::string dump(const auto& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// Key and value of the arguments' field; an empty key for none.
std::pair<std::string, json> arguments_field(std::string_view arguments, ToolAuditConfig::Arguments how) {
  if (how == ToolAuditConfig::Arguments::none) return {};
  if (how == ToolAuditConfig::Arguments::hash) return {"arguments_sha256", sha256_of(arguments)};
  std::optional<json> value = llm::parse_json(arguments.empty() ? "{}" : arguments);
  // What is no JSON cannot be searched for secrets.
  if (!value) return {"arguments_sha256", sha256_of(arguments)};
  hide_secrets(*value);
  return {"arguments", std::move(*value)};
}

double in_milliseconds(Duration duration) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count()) / 1000;
}

std::string text_of(WallTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::string problem_of(const tools::ToolRecord& record) {
  return std::string(utf8_prefix(record.problem, kMaxProblemBytes));
}

}  // namespace

std::string audit_line(const tools::ToolRecord& record, ToolAuditConfig::Arguments arguments, WallTime now) {
  ordered_json line{{"at", text_of(now)},
                    {"agent", record.agent.str()},
                    {"conversation", record.conversation},
                    {"tool", record.tool},
                    {"call_id", record.call_id}};
  const auto [key, value] = arguments_field(record.arguments, arguments);
  if (!key.empty()) line[key] = value;
  line["outcome"] = tools::to_string(record.outcome);
  if (!record.problem.empty()) line["problem"] = problem_of(record);
  if (!record.approved_by.empty()) line["approved_by"] = record.approved_by;
  line["duration_ms"] = in_milliseconds(record.duration);
  if (record.waited > Duration::zero()) line["waited_ms"] = in_milliseconds(record.waited);
  line["result_bytes"] = record.result_bytes;
  return dump(line);
}

Result<std::shared_ptr<ToolAudit>> ToolAudit::make(ToolAuditConfig config, const Clock& clock,
                                                   monitoring::WorkerMetrics* metrics) {
  int fd = -1;
  if (!config.file.empty()) {
    constexpr int kOwnerOnly = 0600;
    fd = ::open(config.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kOwnerOnly);
    if (fd < 0) {
      return fail(ErrorCode::bad_configuration,
                  "tool_audit: cannot open " + config.file.string() + ": " + std::strerror(errno));
    }
  }
  return std::shared_ptr<ToolAudit>(new ToolAudit(std::move(config), fd, clock, metrics));
}

ToolAudit::ToolAudit(ToolAuditConfig config, int fd, const Clock& clock, monitoring::WorkerMetrics* metrics)
    : config_(std::move(config)), fd_(fd), clock_(clock), metrics_(metrics) {}

ToolAudit::~ToolAudit() {
  if (fd_ >= 0) ::close(fd_);
}

void ToolAudit::on_call(const tools::ToolRecord& record) {
  if (metrics_ != nullptr) {
    metrics_->observe_tool_call({.agent_type = record.agent.type(),
                                 .tool = record.tool,
                                 .outcome = tools::to_string(record.outcome),
                                 .latency = record.duration});
  }
  if (std::optional<Span> span = make_tool_span(spans_.get(), record, clock_.now())) spans_->record(std::move(*span));
  if (fd_ >= 0) write(record);
  if (!config_.is_logged) return;
  auto [key, value] = arguments_field(record.arguments, config_.arguments);
  const std::string arguments =
      key.empty() ? "" : " " + key + "=" + log_text(value.is_string() ? value.get<std::string>() : dump(value));
  spdlog::info(
      "event=tool_used agent={} conversation={} tool={} outcome={} duration_ms={:.1f} approved_by={}{} problem={}",
      log_text(record.agent.str()), log_text(record.conversation), log_text(record.tool),
      tools::to_string(record.outcome), in_milliseconds(record.duration), log_text(record.approved_by), arguments,
      log_text(problem_of(record)));
}

/// One write for each line, so that lines of several processes do not mix.
void ToolAudit::write(const tools::ToolRecord& record) {
  const std::string line = audit_line(record, config_.arguments, clock_.wall_now()) + "\n";
  const ssize_t written = ::write(fd_, line.data(), line.size());
  const bool is_good = written == static_cast<ssize_t>(line.size());
  if (is_good) {
    has_failed_ = false;
  } else if (!std::exchange(has_failed_, true)) {
    spdlog::error("event=tool_audit_failed file={} reason={}", log_text(config_.file.string()),
                  log_text(written < 0 ? std::strerror(errno) : "the disk is full"));
  }
}

}  // namespace parley::host
