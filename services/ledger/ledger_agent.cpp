#include "services/ledger/ledger_agent.hpp"

#include <spdlog/spdlog.h>
#include <utility>

#include "monitoring/log.hpp"

namespace parley::ledger {
namespace {

using messages::BudgetDone;
using messages::BudgetList;
using messages::BudgetOrders;
using messages::BudgetReport;
using messages::BudgetReset;
using messages::BudgetSet;
using messages::BudgetVerdicts;
using monitoring::log_text;

class LedgerAgent final : public TypedAgent<LedgerAgent, BudgetOrders, BudgetList, BudgetSet, BudgetReset> {
 public:
  LedgerAgent(LedgerService& service, const Clock& clock, TakeObserver observer)
      : service_(service), clock_(clock), observer_(std::move(observer)) {}

  Task<Result<BudgetVerdicts>> on(const BudgetOrders& orders, Context& /*context*/) {
    const TimePoint began = clock_.now();
    Result<BudgetVerdicts> verdicts = service_.take(orders);
    if (observer_) observer_(clock_.now() - began);
    co_return verdicts;
  }
  Task<Result<BudgetReport>> on(const BudgetList& order, Context& /*context*/) { co_return service_.list(order); }
  Task<Result<BudgetDone>> on(const BudgetSet& order, Context& context) {
    Result<BudgetDone> done = service_.set(order);
    log("budget_set", order.limit.name, context, done);
    co_return done;
  }
  Task<Result<BudgetDone>> on(const BudgetReset& order, Context& context) {
    Result<BudgetDone> done = service_.reset(order);
    log("budget_reset", order.name, context, done);
    co_return done;
  }

 private:
  /// What people change is written down with who it was, as far as the bus knows.
  static void log(const char* event, const std::string& budget, const Context& context,
                  const Result<BudgetDone>& done) {
    spdlog::info("event={} budget={} by={} outcome={}", event, log_text(budget), log_text(context.sender().str()),
                 log_text(done ? done->text : done.error().message));
  }

  LedgerService& service_;
  const Clock& clock_;
  TakeObserver observer_;
};

}  // namespace

Task<Result<>> host_ledger(Runtime& runtime, LedgerService& service, const Clock& clock, TakeObserver observer) {
  const Result<AgentId> self = AgentId::make(messages::kLedgerType, kDefaultKey);
  if (!self) co_return fail(self.error());
  TypeOptions options;
  options.idle_timeout = std::chrono::milliseconds(0);
  // A batch for each of many processes may wait.
  options.max_mailbox = 65'536;
  co_return co_await runtime.register_instance(
      *self, std::make_shared<LedgerAgent>(service, clock, std::move(observer)), std::move(options));
}

}  // namespace parley::ledger
