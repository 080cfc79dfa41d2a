#include "broker/shell/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>
#include <variant>

#include "libmsg/core/duration.hpp"
#include "libmsg/core/whole_number.hpp"
#include "monitoring/metrics_server.hpp"
#include "services/config/reader.hpp"
#include "services/config/yaml.hpp"

namespace parley::broker {
namespace {

using std::chrono::milliseconds;

/// A setting of the core: a key of the file, and with `-` for `_` a flag.
struct CoreSetting {
  using Field = std::variant<milliseconds CoreConfig::*, std::uint32_t CoreConfig::*, std::size_t CoreConfig::*>;
  const char* key;
  Field field;
  std::uint64_t min;
  std::uint64_t max;
  const char* help;
};

constexpr std::uint64_t kHour = 3'600'000;
constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kTebibyte = std::uint64_t{1} << 40U;
constexpr std::uint64_t kMaxPort = 65535;
constexpr std::array<std::string_view, 5> kLogLevels{"error", "warn", "info", "debug", "off"};
constexpr std::size_t kDefaultLogLevel = 2;
constexpr std::array<std::string_view, 2> kLogFormats{"text", "json"};

constexpr std::array kCoreSettings{
    CoreSetting{"heartbeat_interval", &CoreConfig::heartbeat_interval, 10, 60'000, "How often peers show life"},
    CoreSetting{"session_timeout", &CoreConfig::session_timeout, 30, kHour, "Silence after which a session ends"},
    CoreSetting{"recovery_window", &CoreConfig::recovery_window, 0, kHour,
                "After a restart: wait for workers this long"},
    CoreSetting{"max_deadline", &CoreConfig::max_deadline, 1000, 24 * kHour, "Longest time a request may take"},
    CoreSetting{"one_way_ttl", &CoreConfig::one_way_ttl, 100, 24 * kHour, "Wait of a one-way message without deadline"},
    CoreSetting{"type_memory", &CoreConfig::type_memory, 0, 24 * kHour, "How long a type without a worker stays known"},
    CoreSetting{"max_sessions", &CoreConfig::max_sessions, 1, kMillion, "Connected processes"},
    CoreSetting{"max_types", &CoreConfig::max_types, 1, kMillion, "Known agent types"},
    CoreSetting{"max_subscriptions", &CoreConfig::max_subscriptions, 1, 100 * kMillion, "Subscriptions"},
    CoreSetting{"max_subscriptions_per_session", &CoreConfig::max_subscriptions_per_session, 1, 100 * kMillion,
                "Subscriptions of one process"},
    CoreSetting{"max_activations", &CoreConfig::max_activations, 1, 100 * kMillion, "Live agents of all workers"},
    CoreSetting{"max_inflight_per_session", &CoreConfig::max_inflight_per_session, 1, kMillion,
                "Messages that one process may have under way"},
    CoreSetting{"max_session_queue_bytes", &CoreConfig::max_session_queue_bytes, 65536, kTebibyte,
                "Bytes that may wait for one process"},
    CoreSetting{"max_parked_per_type", &CoreConfig::max_parked_per_type, 0, kMillion,
                "Messages that wait for a type without a worker"},
    CoreSetting{"max_parked_bytes_per_type", &CoreConfig::max_parked_bytes_per_type, 0, kTebibyte, "The same in bytes"},
    CoreSetting{"max_dead_letters", &CoreConfig::max_dead_letters, 0, 100 * kMillion, "Dead letters kept"},
    CoreSetting{"max_dead_letter_bytes", &CoreConfig::max_dead_letter_bytes, 0, kTebibyte, "The same in bytes"},
    CoreSetting{"max_trace_hops", &CoreConfig::max_trace_hops, 0, 100 * kMillion, "Hops of traced messages kept"},
};

std::string flag_of(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string text_of(const CoreConfig& config, const CoreSetting::Field& field) {
  if (const auto* duration = std::get_if<milliseconds CoreConfig::*>(&field)) return format_duration(config.**duration);
  if (const auto* number = std::get_if<std::uint32_t CoreConfig::*>(&field)) return std::to_string(config.**number);
  return std::to_string(config.*std::get<std::size_t CoreConfig::*>(field));
}

void read_setting(config::ConfigReader& reader, const CoreSetting& setting, CoreConfig& config) {
  if (const auto* duration = std::get_if<milliseconds CoreConfig::*>(&setting.field)) {
    config.** duration =
        reader.duration(setting.key, config.**duration, {milliseconds(setting.min), milliseconds(setting.max)});
  } else if (const auto* number = std::get_if<std::uint32_t CoreConfig::*>(&setting.field)) {
    config.** number =
        static_cast<std::uint32_t>(reader.integer(setting.key, config.**number, {setting.min, setting.max}));
  } else {
    auto& size = config.*std::get<std::size_t CoreConfig::*>(setting.field);
    size = reader.integer(setting.key, size, {setting.min, setting.max});
  }
}

/// What the command line said; the file's values lie below it.
struct Flags {
  std::vector<std::string> listen;
  std::map<std::string, std::string> core;  ///< by key
  std::string config_file;
  std::optional<std::string> state_dir;
  std::optional<std::uint16_t> metrics_port;
  std::optional<std::string> metrics_address;
  std::optional<std::string> drain_timeout;
  std::optional<std::string> log_level;
  std::optional<std::string> log_format;
  bool is_insecure = false;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--listen", flags.listen,
                 "Endpoint to listen on, repeatable (default " + net::default_endpoint() +
                     "; tcp://127.0.0.1:* takes a free port)")
      ->type_name("ENDPOINT");
  app.add_option("--config", flags.config_file, "YAML file with the same settings, named with _ for -")
      ->type_name("FILE");
  app.add_option("--state-dir", flags.state_dir,
                 "Keeps the shard epoch, the roster of workers, quarantines and drains between runs")
      ->type_name("DIR");
  app.add_option("--metrics-port", flags.metrics_port, "Serve /metrics, /livez, /readyz; 0 takes a free port")
      ->type_name("PORT");
  app.add_option("--metrics-address", flags.metrics_address, "Where to serve them (default 127.0.0.1)")
      ->type_name("IP");
  app.add_option("--drain-timeout", flags.drain_timeout, "How long a stop waits for work in flight (default 5s)")
      ->type_name("TIME");
  app.add_flag("--insecure", flags.is_insecure,
               "Listen, and serve metrics, beyond this machine although nothing is encrypted");
  app.add_option("--log-level", flags.log_level, "error, warn, info (default), debug or off")->type_name("LEVEL");
  app.add_option("--log-format", flags.log_format, "text (default) or json")->type_name("FORMAT");
  const CoreConfig defaults;
  for (const CoreSetting& setting : kCoreSettings) {
    const bool is_duration = std::holds_alternative<milliseconds CoreConfig::*>(setting.field);
    app.add_option(flag_of(setting.key), flags.core[setting.key],
                   std::string(setting.help) + " (default " + text_of(defaults, setting.field) + ")")
        ->type_name(is_duration ? "TIME" : "N")
        ->group("Times and limits");
  }
}

/// A line for each problem; empty when all is well.
class Problems {
 public:
  void add(const std::string& what) { text_ += (text_.empty() ? "" : "\n") + what; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void apply_duration(const std::string& flag, const std::string& text, std::uint64_t min, std::uint64_t max,
                    milliseconds& target, Problems& problems) {
  const auto value = parse_duration(text);
  if (!value || *value < milliseconds(min) || *value > milliseconds(max)) {
    problems.add("error: " + flag + ": '" + text + "': expected a duration from " + format_duration(milliseconds(min)) +
                 " to " + format_duration(milliseconds(max)) + ", such as 250ms, 5s or 2m");
    return;
  }
  target = *value;
}

void apply_setting(const CoreSetting& setting, const std::string& text, CoreConfig& config, Problems& problems) {
  if (const auto* duration = std::get_if<milliseconds CoreConfig::*>(&setting.field)) {
    apply_duration(flag_of(setting.key), text, setting.min, setting.max, config.**duration, problems);
    return;
  }
  const auto value = whole_number(text);
  if (!value || *value < setting.min || *value > setting.max) {
    problems.add("error: " + flag_of(setting.key) + ": '" + text + "': expected a whole number from " +
                 std::to_string(setting.min) + " to " + std::to_string(setting.max));
  } else if (const auto* number = std::get_if<std::uint32_t CoreConfig::*>(&setting.field)) {
    config.** number = static_cast<std::uint32_t>(*value);
  } else {
    config.*std::get<std::size_t CoreConfig::*>(setting.field) = *value;
  }
}

/// How far the broker may be reached, from all that has been said about it.
net::Reach reach_of(const BrokerOptions& options) {
  return options.is_insecure_allowed ? net::Reach::anywhere : net::Reach::this_machine;
}

Result<> check_metrics_address(const BrokerOptions& options) {
  return monitoring::check_address(
      {.address = options.metrics_address, .is_insecure_allowed = options.is_insecure_allowed});
}

/// Shorter, and live peers would be taken for lost between two signs of life.
bool is_timeout_too_short(const CoreConfig& core) { return core.session_timeout < 2 * core.heartbeat_interval; }

void read_listen(config::ConfigReader& reader, BrokerOptions& options) {
  for (const std::string& text : reader.texts("listen")) {
    auto endpoint = net::parse_endpoint(text, reach_of(options));
    if (endpoint) {
      options.listen.push_back(std::move(*endpoint));
    } else {
      reader.reject("listen", endpoint.error().message);
    }
  }
}

void read_metrics(config::ConfigReader& reader, BrokerOptions& options) {
  if (reader.has("metrics_port")) {
    options.metrics_port = static_cast<std::uint16_t>(reader.integer("metrics_port", 0, {0, kMaxPort}));
  }
  if (!reader.has("metrics_address")) return;
  options.metrics_address = reader.text("metrics_address", options.metrics_address);
  if (const Result<> checked = check_metrics_address(options); !checked) {
    reader.reject("metrics_address", checked.error().message);
  }
}

/// The settings of a file; `flags` say which of them do not count.
void read_settings(config::ConfigReader& reader, const Flags& flags, BrokerOptions& options) {
  for (const CoreSetting& setting : kCoreSettings) read_setting(reader, setting, options.core);
  const bool has_flags = !flags.core.at("session_timeout").empty() || !flags.core.at("heartbeat_interval").empty();
  if (!has_flags && is_timeout_too_short(options.core)) {
    reader.reject(reader.has("session_timeout") ? "session_timeout" : "heartbeat_interval",
                  "expected a session_timeout of at least twice heartbeat_interval, and they are " +
                      format_duration(options.core.session_timeout) + " and " +
                      format_duration(options.core.heartbeat_interval));
  }
  options.is_insecure_allowed = reader.flag("insecure", false) || flags.is_insecure;
  read_listen(reader, options);
  read_metrics(reader, options);
  options.state_dir = reader.text("state_dir");
  options.drain_timeout =
      reader.duration("drain_timeout", options.drain_timeout, {milliseconds(0), milliseconds(kHour)});
  options.log.level = kLogLevels[reader.choice("log_level", kLogLevels, kDefaultLogLevel)];
  options.log.format = kLogFormats[reader.choice("log_format", kLogFormats, 0)];
  reader.reject_unknown_keys();
}

/// What the file says, into the defaults; true when it sets the recovery window.
bool read_file(const Flags& flags, BrokerOptions& options, Problems& problems) {
  const auto document = config::load_yaml(flags.config_file);
  if (!document) {
    problems.add(document.error().str());
    return false;
  }
  config::ConfigProblems found;
  config::ConfigReader reader(*document, found);
  if (found.is_empty()) read_settings(reader, flags, options);
  if (!found.is_empty()) problems.add(found.str());
  return reader.has("recovery_window");
}

void apply_listen(const std::vector<std::string>& listen, BrokerOptions& options, Problems& problems) {
  if (!listen.empty()) options.listen.clear();
  for (const std::string& text : listen) {
    auto endpoint = net::parse_endpoint(text, reach_of(options));
    if (endpoint) {
      options.listen.push_back(std::move(*endpoint));
    } else {
      problems.add("error: --listen: " + endpoint.error().message);
    }
  }
}

void apply_choice(const std::string& flag, const std::optional<std::string>& text,
                  std::span<const std::string_view> names, std::string& target, Problems& problems) {
  if (!text) return;
  target = *text;
  if (std::ranges::find(names, *text) != names.end()) return;
  std::string expected;
  for (const std::string_view name : names) expected += (expected.empty() ? "" : ", ") + std::string(name);
  problems.add("error: " + flag + ": '" + *text + "': expected one of " + expected);
}

void apply_metrics(const Flags& flags, BrokerOptions& options, Problems& problems) {
  if (flags.metrics_port) options.metrics_port = flags.metrics_port;
  if (!flags.metrics_address) return;
  options.metrics_address = *flags.metrics_address;
  if (const Result<> checked = check_metrics_address(options); !checked) {
    problems.add("error: --metrics-address: " + checked.error().message);
  }
}

/// The flags over what the file has said.
void apply_flags(const Flags& flags, BrokerOptions& options, Problems& problems) {
  bool has_times = false;
  for (const CoreSetting& setting : kCoreSettings) {
    const std::string& text = flags.core.at(setting.key);
    if (text.empty()) continue;
    apply_setting(setting, text, options.core, problems);
    has_times |=
        setting.key == std::string_view("session_timeout") || setting.key == std::string_view("heartbeat_interval");
  }
  if (has_times && is_timeout_too_short(options.core)) {
    problems.add("error: --session-timeout: must be at least twice --heartbeat-interval");
  }
  if (flags.drain_timeout) {
    apply_duration("--drain-timeout", *flags.drain_timeout, 0, kHour, options.drain_timeout, problems);
  }
  apply_listen(flags.listen, options, problems);
  apply_metrics(flags, options, problems);
  options.state_dir = flags.state_dir.value_or(options.state_dir);
  apply_choice("--log-level", flags.log_level, kLogLevels, options.log.level, problems);
  apply_choice("--log-format", flags.log_format, kLogFormats, options.log.format, problems);
}

BrokerOptions merge(const Flags& flags, Problems& problems) {
  BrokerOptions options;
  options.is_insecure_allowed = flags.is_insecure;
  bool has_window = !flags.core.at("recovery_window").empty();
  if (!flags.config_file.empty()) has_window |= read_file(flags, options, problems);
  apply_flags(flags, options, problems);
  // As long as a worker's lease: then whoever is not back has stopped by itself.
  if (!has_window) options.core.recovery_window = options.core.session_timeout * 8 / 10;
  if (options.listen.empty() && problems.text().empty()) {
    apply_listen({net::default_endpoint()}, options, problems);
  }
  return options;
}

}  // namespace

std::expected<BrokerOptions, config::EarlyExit> read_options(int argc, const char* const* argv) {
  CLI::App app("parley-broker: routes messages between agents in many processes.", "parley-broker");
  app.footer(
      "Example: parley-broker --listen tcp://127.0.0.1:7700 --state-dir /var/lib/parley --metrics-port 9700\n"
      "When it listens it prints one JSON line: {\"event\":\"ready\",\"endpoint\":…,\"metrics_port\":…}");
  app.set_version_flag("--version", std::string("parley-broker ") + PARLEY_VERSION);
  Flags flags;
  declare(app, flags);
  if (const auto parsed = config::parse_command_line(app, argc, argv); !parsed) return std::unexpected(parsed.error());
  Problems problems;
  BrokerOptions options = merge(flags, problems);
  if (!problems.text().empty()) return config::wrong_usage(problems.text());
  return options;
}

}  // namespace parley::broker
