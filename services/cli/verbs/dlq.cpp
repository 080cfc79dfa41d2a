// parley dlq ls, parley dlq show ID: dead letters.
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/whole_number.hpp"
#include "libmsg/wire/envelope.hpp"
#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/report_json.hpp"
#include "services/cli/table.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace dlq_verb {

struct LsSettings {
  std::uint64_t limit = 100;
  std::uint64_t after = 0;
};

void print_rows(Console& console, const wire::DeadLetterReport& report) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(report.rows.size());
  for (const wire::DeadLetterRow& row : report.rows) {
    rows.push_back({std::to_string(row.id), format_wall_ms(row.at_ms), row.kind,
                    row.recipient.empty() ? row.target : row.recipient, row.code, row.reason});
  }
  if (!rows.empty()) {
    const auto lines = render_table({{"ID", Align::right},
                                     {"TIME"},
                                     {"KIND"},
                                     {"TARGET", Align::left, true},
                                     {"CODE"},
                                     {"REASON", Align::left, true}},
                                    rows, console.style().width);
    for (const auto& line : lines) console.print(line);
  }
  console.note(fmt::format("{} shown, {} since the broker started, {} no longer kept", rows.size(), report.total,
                           report.evicted));
}

Task<int> list(Bus& bus, const LsSettings& settings) {
  wire::Query query{
      .what = "dead_letters", .key = {}, .limit = static_cast<std::uint32_t>(settings.limit), .after = settings.after};
  const Result<wire::DeadLetterReport> report =
      co_await query_broker<wire::DeadLetterReport>(bus.runtime, std::move(query));
  if (!report) co_return bus.console.fail_answer(report.error());
  if (bus.common.is_json) {
    for (const auto& row : report->rows) bus.console.print(to_line(to_json(row)));
  } else {
    print_rows(bus.console, *report);
  }
  co_return kDone;
}

/// The kept message, as far as it can be read.
nlohmann::json letter_json(const wire::DeadLetterReport& report) {
  nlohmann::json letter = to_json(report.rows.front());
  const Bytes bytes = as_bytes({report.envelope.data(), report.envelope.size()});
  if (const auto envelope = wire::EnvelopeView::parse(bytes)) {
    letter["payload"] =
        payload_to_json({std::string(envelope->payload_type()), std::string(as_text(envelope->payload()))});
    letter["attributes"] = nlohmann::json::object();
    if (const auto attributes = wire::parse_attributes(envelope->attributes())) {
      for (const auto& [name, value] : *attributes) letter["attributes"][std::string(name)] = std::string(value);
    }
  }
  return letter;
}

Task<int> show(Bus& bus, const std::string& id) {
  wire::Query query{.what = "dead_letter", .key = id};
  const Result<wire::DeadLetterReport> report =
      co_await query_broker<wire::DeadLetterReport>(bus.runtime, std::move(query));
  if (!report) co_return bus.console.fail_answer(report.error());
  if (report->rows.empty()) {
    co_return bus.console.fail(
        Error(ErrorCode::invalid, fmt::format("no dead letter {} is kept (see: parley dlq ls)", id)));
  }
  const nlohmann::json letter = letter_json(*report);
  if (bus.common.is_json) {
    bus.console.print(to_line(letter));
    co_return kDone;
  }
  for (const auto& [name, value] : letter.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : to_line(value);
    if (!text.empty()) bus.console.print(fmt::format("{:13} {}", name, printable(text)));
  }
  co_return kDone;
}

int run_show(Environment& environment, const std::string& id) {
  if (!whole_number(id)) {
    return environment.console.refuse_usage(
        fmt::format("'{}' is no dead letter id: expected a number, as 'parley dlq ls' prints it", id));
  }
  return run_on_bus(environment, {.purpose = "dlq show"}, [&](Bus& bus) { return show(bus, id); });
}

Run declare_ls(Options& options) {
  auto settings = std::make_shared<LsSettings>();
  options.number("--limit", settings->limit, 1, 1000, "At most so many rows");
  options.number("--after", settings->after, 0, UINT64_MAX, "Only letters with a greater id");
  return [settings](Environment& environment) {
    return run_on_bus(environment, {.purpose = "dlq ls"}, [&](Bus& bus) { return list(bus, *settings); });
  };
}

Run declare_show(Options& options) {
  auto id = std::make_shared<std::string>();
  options.argument("ID", *id, "Number of the dead letter");
  return [id](Environment& environment) { return run_show(environment, *id); };
}

}  // namespace dlq_verb
}  // namespace

const Verb kDlqLsVerb{"dlq ls", "List dead letters", "  parley dlq ls\n  parley dlq ls --after 120 --json", Reach::bus,
                      &dlq_verb::declare_ls};
const Verb kDlqShowVerb{"dlq show", "Show one dead letter with its payload", "  parley dlq show 17", Reach::bus,
                        &dlq_verb::declare_show};

}  // namespace parley::cli
