// parley budget ls, parley budget set NAME, parley budget reset NAME: limits and spend, as the ledger has them.
#include "libmsg/messages/budget.hpp"

#include <memory>
#include <spdlog/fmt/fmt.h>

#include "services/cli/budget_view.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace budget_verb {

struct LsSettings {
  std::optional<std::string> name;
  std::uint64_t limit = 1000;
};

struct SetSettings {
  std::string name;
  std::optional<std::string> usd;
  std::optional<std::string> tokens;
  std::optional<std::string> scope;
  std::optional<std::string> subject;
  std::optional<std::string> per;
  std::optional<std::string> mode;
  bool is_default = false;
};

struct ResetSettings {
  std::string name;
  std::string subject;
};

template <class Reply, class Message>
Task<Result<Reply>> ask_ledger(Bus& bus, const Message& message) {
  const Result<AgentId> ledger = AgentId::make(messages::kLedgerType, kDefaultKey);
  if (!ledger) co_return fail(ledger.error());
  CallOptions options;
  options.timeout = bus.time_left();
  Result<Reply> reply = co_await bus.client.request<Reply>(*ledger, message, options);
  if (!reply && reply.error().code == ErrorCode::unknown_agent_type) {
    co_return fail(ErrorCode::unknown_agent_type,
                   "no ledger has joined this bus; 'parley up' starts one for a suite with a section 'budgets'");
  }
  co_return reply;
}

Task<int> list(Bus& bus, const LsSettings& settings) {
  messages::BudgetList order;
  order.name = settings.name.value_or("");
  order.limit = static_cast<std::uint32_t>(settings.limit);
  const auto report = co_await ask_ledger<messages::BudgetReport>(bus, order);
  if (!report) co_return bus.console.fail_answer(report.error());
  if (settings.name && report->rows.empty()) {
    co_return bus.console.fail(Error(ErrorCode::invalid, fmt::format("no budget '{}'", *settings.name)));
  }
  if (bus.common.is_json) {
    for (const messages::BudgetRow& row : report->rows) bus.console.print(to_line(to_json(row)));
    co_return kDone;
  }
  if (!report->rows.empty()) {
    for (const std::string& line : render_budgets(*report, bus.clock.wall_now(), bus.console.style().width)) {
      bus.console.print(line);
    }
  }
  bus.console.note(fmt::format("{} shown{}, {} calls under way, {} tokens without a price", report->rows.size(),
                               report->left_out > 0 ? fmt::format(", {} left out", report->left_out) : "",
                               report->reservations, report->unpriced_tokens));
  co_return kDone;
}

template <class Message>
Task<int> change(Bus& bus, const Message& order) {
  const auto done = co_await ask_ledger<messages::BudgetDone>(bus, order);
  if (!done) co_return bus.console.fail_answer(done.error());
  if (bus.common.is_json) {
    bus.console.print(to_line({{"text", done->text}, {"accounts", done->accounts}}));
  } else {
    bus.console.print(printable(done->text));
  }
  co_return kDone;
}

/// `agent_type`, `agent`, `conversation`, `model` need to know whose; `all` does not.
Result<messages::BudgetSet> order_of(const SetSettings& settings) {
  messages::BudgetSet order;
  order.limit.name = settings.name;
  order.is_default = settings.is_default;
  if (settings.usd) {
    const Result<std::uint64_t> nano_usd = parse_usd(*settings.usd);
    if (!nano_usd) return fail(nano_usd.error());
    order.limit.has_usd = true;
    order.limit.nano_usd = *nano_usd;
    order.fields.emplace_back("usd");
  }
  if (settings.tokens) {
    const Result<std::uint64_t> tokens = parse_token_count(*settings.tokens);
    if (!tokens) return fail(tokens.error());
    order.limit.has_tokens = true;
    order.limit.tokens = *tokens;
    order.fields.emplace_back("tokens");
  }
  if (settings.scope || settings.subject) {
    if (!settings.scope) return fail(ErrorCode::invalid, "--of needs --scope");
    order.limit.scope = *settings.scope;
    order.limit.subject = settings.subject.value_or("");
    order.fields.emplace_back("scope");
  }
  if (settings.per) {
    order.limit.per = *settings.per;
    order.fields.emplace_back("per");
  }
  if (settings.mode) {
    order.limit.is_soft = *settings.mode == "soft";
    order.fields.emplace_back("is_soft");
  }
  if (order.is_default != order.fields.empty()) {
    return fail(ErrorCode::invalid, "expected what to change (--usd, --tokens, --scope, --per, --mode), or --default");
  }
  return order;
}

Run declare_ls(Options& options) {
  auto settings = std::make_shared<LsSettings>();
  options.argument("NAME", settings->name, "Only this budget");
  options.number("--limit", settings->limit, 1, 10'000, "Rows at most, of a budget for each the fullest first");
  return [settings](Environment& environment) {
    return run_on_bus(environment, {.purpose = "budget ls"}, [&](Bus& bus) { return list(bus, *settings); });
  };
}

Run declare_set(Options& options) {
  auto settings = std::make_shared<SetSettings>();
  options.argument("NAME", settings->name, "Name of the budget; a new one is made");
  options.option("--usd", settings->usd, "USD", "Limit in US dollars");
  options.option("--tokens", settings->tokens, "N", "Limit in tokens: 1500, 20k, 1.5M");
  options.option("--scope", settings->scope, "SCOPE", "all, agent_type, agent, conversation or model");
  options.option("--of", settings->subject, "SUBJECT", "Whose: a name, or '*' for each one");
  options.option("--per", settings->per, "PERIOD", "hour, day, month (UTC) or total");
  options.option("--mode", settings->mode, "MODE", "hard refuses, soft only tells");
  options.flag("--default", settings->is_default, "Back to what the suite's file says");
  return [settings](Environment& environment) {
    if (settings->mode && *settings->mode != "hard" && *settings->mode != "soft") {
      return environment.console.refuse_usage("--mode: expected hard or soft");
    }
    const Result<messages::BudgetSet> order = order_of(*settings);
    if (!order) return environment.console.refuse_usage(order.error().message);
    return run_on_bus(environment, {.purpose = "budget set"}, [&](Bus& bus) { return change(bus, *order); });
  };
}

Run declare_reset(Options& options) {
  auto settings = std::make_shared<ResetSettings>();
  options.argument("NAME", settings->name, "Name of the budget");
  options.option("--of", settings->subject, "SUBJECT", "Of a budget for each: only this one");
  return [settings](Environment& environment) {
    messages::BudgetReset order{settings->name, settings->subject};
    return run_on_bus(environment, {.purpose = "budget reset"}, [&](Bus& bus) { return change(bus, order); });
  };
}

}  // namespace budget_verb
}  // namespace

const Verb kBudgetLsVerb{"budget ls", "List budgets: limit, spent, reserved, left",
                         "  parley budget ls\n"
                         "  parley budget ls each-talk --limit 10\n"
                         "  parley budget ls --json | jq -r '[.budget, .spent_usd] | @tsv'",
                         Reach::bus, &budget_verb::declare_ls};
const Verb kBudgetSetVerb{"budget set", "Make or change a budget; the ledger keeps it over restarts",
                          "  parley budget set fleet --usd 50 --per day\n"
                          "  parley budget set each-talk --scope conversation --of '*' --usd 0.50\n"
                          "  parley budget set fleet --default",
                          Reach::bus, &budget_verb::declare_set};
const Verb kBudgetResetVerb{"budget reset", "Let what was spent of a budget count as nothing",
                            "  parley budget reset fleet\n"
                            "  parley budget reset each-talk --of alice",
                            Reach::bus, &budget_verb::declare_reset};

}  // namespace parley::cli
