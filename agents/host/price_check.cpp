#include "agents/host/price_check.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "agents/host/model_config.hpp"

namespace parley::host {
namespace {

using budget::BudgetsConfig;
using budget::UnknownModel;

/// `NAME (provider, model)` of each model that is asked, without those that have a price.
std::set<std::string> unpriced_models(const AgentsConfig& worker) {
  std::set<std::string> found;
  for (const AgentConfig& agent : worker.agents) {
    for (const std::string& used : agent.models) {
      for (const std::string& name : with_members(used, worker.models)) {
        const ModelConfig& model = worker.models.at(name);
        if (!model.make || model.price) continue;
        found.insert("'" + name + "' (" + model.provider + ", " + model.model + ")");
      }
    }
  }
  return found;
}

/// Who limits money, and what becomes of a call that has no price.
struct MoneyLimit {
  std::string who;
  std::string consequence;
};

void add_team_limits(const AgentsConfig& worker, std::vector<MoneyLimit>& limits) {
  for (const AgentConfig& agent : worker.agents) {
    if (!agent.has_money_limit) continue;
    limits.push_back({"team '" + agent.type + "'", "what it costs counts as nothing there"});
  }
}

void add_budget_limits(const std::optional<BudgetsConfig>& budgets, std::vector<MoneyLimit>& limits) {
  if (!budgets) return;
  const bool is_refused = budgets->unknown_model == UnknownModel::refuse;
  for (const budget::Limit& limit : budgets->limits) {
    if (!limit.nano_usd) continue;
    limits.push_back({"budget '" + limit.name + "'",
                      is_refused ? "its calls are refused" : "its tokens are counted as unpriced, not as money"});
  }
}

/// The ledger's table may have what the file has not, and its highest price stands for what has none.
bool has_other_prices(const std::optional<BudgetsConfig>& budgets) {
  return budgets && (budgets->prices || budgets->unknown_model == UnknownModel::max);
}

std::vector<std::string> sentences(const std::vector<MoneyLimit>& limits, const std::set<std::string>& models) {
  std::vector<std::string> all;
  for (const MoneyLimit& limit : limits) {
    for (const std::string& model : models) {
      all.push_back(limit.who + " has a limit in money, and the model " + model +
                    " has no `price`: " + limit.consequence);
    }
  }
  return all;
}

}  // namespace

std::vector<std::string> price_warnings(const AgentsConfig& worker) {
  if (has_other_prices(worker.budgets)) return {};
  std::vector<MoneyLimit> limits;
  add_budget_limits(worker.budgets, limits);
  add_team_limits(worker, limits);
  return sentences(limits, unpriced_models(worker));
}

std::vector<std::string> price_warnings(const SuiteConfig& suite) {
  if (has_other_prices(suite.budgets)) return {};
  std::vector<MoneyLimit> limits;
  std::set<std::string> models;
  add_budget_limits(suite.budgets, limits);
  for (const SuiteWorker& worker : suite.workers) {
    add_team_limits(worker.config, limits);
    models.merge(unpriced_models(worker.config));
  }
  return sentences(limits, models);
}

}  // namespace parley::host
