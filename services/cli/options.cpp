#include "services/cli/options.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>

#include "libmsg/core/duration.hpp"
#include "services/cli/environment.hpp"

namespace parley::cli {
namespace {

[[noreturn]] void reject(const std::string& name, const std::string& text, const std::string& expected) {
  throw CLI::ValidationError(name, "'" + text + "': expected " + expected);
}

std::uint64_t read_number(const std::string& name, const std::string& text, std::uint64_t min, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
    reject(name, text, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value;
}

std::chrono::milliseconds read_duration(const std::string& name, const std::string& text) {
  const auto value = parse_duration(text);
  if (!value || value->count() == 0) reject(name, text, "a duration such as 250ms, 5s or 2m");
  return *value;
}

/// The longest of "-t,--timeout": what an error calls the option.
std::string long_name(const std::string& names) {
  const auto comma = names.rfind(',');
  return comma == std::string::npos ? names : names.substr(comma + 1);
}

template <class Read>
void add_read(CLI::App& app, const std::string& names, const std::string& help, const std::string& metavariable,
              Read read) {
  app.add_option_function<std::string>(names, std::move(read), help)->type_name(metavariable);
}

}  // namespace

void Options::argument(const std::string& name, std::string& value, const std::string& help) {
  app_->add_option(name, value, help)->required()->type_name("");
}

void Options::argument(const std::string& name, std::optional<std::string>& value, const std::string& help) {
  app_->add_option_function<std::string>(
          name, [&value](const std::string& text) { value = text; }, help)
      ->type_name("");
}

void Options::choice_argument(const std::string& name, std::string& value, const std::vector<std::string>& choices,
                              const std::string& help) {
  app_->add_option(name, value, help)->required()->type_name("")->check(CLI::IsMember(choices));
}

void Options::flag(const std::string& names, bool& value, const std::string& help) {
  app_->add_flag(names, value, help);
}

void Options::option(const std::string& names, std::string& value, const std::string& metavariable,
                     const std::string& help) {
  app_->add_option(names, value, help)->type_name(metavariable);
}

void Options::option(const std::string& names, std::optional<std::string>& value, const std::string& metavariable,
                     const std::string& help) {
  add_read(*app_, names, help, metavariable, [&value](const std::string& text) { value = text; });
}

void Options::option(const std::string& names, std::vector<std::string>& values, const std::string& metavariable,
                     const std::string& help) {
  app_->add_option(names, values, help)->type_name(metavariable)->expected(1)->take_all();
}

void Options::option_with_default(const std::string& names, std::optional<std::string>& value,
                                  const std::string& metavariable, const std::string& help) {
  app_->add_option_function<std::string>(
          names, [&value](const std::string& text) { value = text; }, help)
      ->type_name("[" + metavariable + "]")
      ->expected(0, 1);
}

void Options::number(const std::string& names, std::uint64_t& value, std::uint64_t min, std::uint64_t max,
                     const std::string& help) {
  add_read(*app_, names, help + " (default " + std::to_string(value) + ")", "N",
           [&value, min, max, name = long_name(names)](const std::string& text) {
             value = read_number(name, text, min, max);
           });
}

void Options::number(const std::string& names, std::optional<std::uint64_t>& value, std::uint64_t min,
                     std::uint64_t max, const std::string& help) {
  add_read(*app_, names, help, "N", [&value, min, max, name = long_name(names)](const std::string& text) {
    value = read_number(name, text, min, max);
  });
}

void Options::duration(const std::string& names, std::chrono::milliseconds& value, const std::string& help) {
  add_read(*app_, names, help + " (default " + format_duration(value) + ")", "TIME",
           [&value, name = long_name(names)](const std::string& text) { value = read_duration(name, text); });
}

void Options::duration(const std::string& names, std::optional<std::chrono::milliseconds>& value,
                       const std::string& help) {
  add_read(*app_, names, help, "TIME",
           [&value, name = long_name(names)](const std::string& text) { value = read_duration(name, text); });
}

void Options::choice(const std::string& names, std::string& value, const std::vector<std::string>& choices,
                     const std::string& help) {
  app_->add_option(names, value, help + " (default " + value + ")")->type_name("NAME")->check(CLI::IsMember(choices));
}

void Options::add_common(CommonOptions& common) {
  flag("--json", common.is_json, "Print JSON: one object, or one a line for streams");
  choice("--log-level", common.log_level, {"error", "warn", "info", "debug", "off"},
         "What to log: off, error, warn, info or debug");
  choice("--log-format", common.log_format, {"text", "json"}, "text or json");
}

void Options::add_bus(CommonOptions& common) {
  option("--broker", common.broker, "ENDPOINT", "Where the broker is (also PARLEY_BROKER)");
  duration("--timeout", common.timeout, "How long to wait, for example 5s");
  flag("--insecure", common.is_insecure_allowed, "Allow a broker beyond this machine although nothing is encrypted");
}

}  // namespace parley::cli
