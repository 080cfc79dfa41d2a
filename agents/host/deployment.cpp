#include "agents/host/deployment.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "agents/host/conversation_counts.hpp"
#include "agents/host/deployed_tools.hpp"
#include "agents/host/metrics_observer.hpp"
#include "agents/host/model_config.hpp"
#include "agents/host/observed_model.hpp"
#include "agents/host/paid_models.hpp"
#include "agents/llm/fallback_model.hpp"

namespace parley::host {

class Deployment::Impl {
 public:
  Impl(asio::io_context& io, const Clock& clock, Random& random, monitoring::WorkerMetrics* metrics)
      : services_{io, clock, random},
        metrics_(metrics),
        tools_(io, clock, random, metrics),
        paid_(io, clock, random, metrics) {
    if (metrics_ == nullptr) return;
    services_.observer = [metrics](const std::string& model) {
      return std::make_shared<MetricsObserver>(metrics->model_guards(model));
    };
  }

  void set_span_sink(std::shared_ptr<SpanSink> spans) {
    tools_.set_span_sink(spans);
    spans_ = std::move(spans);
  }

  Result<> prepare(const AgentsConfig& config) {
    config::ConfigProblems problems;
    std::set<std::string> models;
    for (const AgentConfig& agent : config.agents) {
      for (const std::string& name : agent.models) {
        for (std::string& each : with_members(name, config.models)) models.insert(std::move(each));
      }
      for (const auto& check : agent.checks) {
        const Result<> checked = check();
        if (checked) continue;
        problems.add({config.file.string(), 0, "agent '" + agent.type + "'", {}, checked.error().message});
      }
      tools_.prepare(config, agent, services_.curl, problems);
    }
    for (const std::string& name : models) make_model(config, name, problems);
    if (!problems.is_empty()) return fail(problems.error());
    return {};
  }

  Task<Result<>> deploy(Runtime& runtime, const AgentsConfig& config) {
    for (const AgentConfig& agent : config.agents) {
      if (!types_.insert(agent.type).second) continue;
      Result<> registered =
          co_await runtime.register_type(agent.type, make_factory(runtime, config, agent), agent.options);
      if (!registered) co_return fail(std::move(registered).error());
      if (metrics_ != nullptr) metrics_->add_agent_type(agent.type);
      for (const TopicFilter& filter : agent.subscriptions) {
        const Result<SubscriptionHandle> subscribed = co_await runtime.subscribe(filter, agent.type);
        if (!subscribed) co_return fail(subscribed.error());
      }
    }
    co_return Result<>{};
  }

  Task<> stop(std::chrono::milliseconds limit) { co_await tools_.stop(services_.clock.now() + limit); }

  [[nodiscard]] const people::QuestionBoard& questions() const { return *questions_; }

 private:
  /// Workers of one suite may give one name to different models.
  static std::pair<std::string, std::string> key_of(const AgentsConfig& config, const std::string& model) {
    return {config.name, model};
  }

  void make_model(const AgentsConfig& config, const std::string& name, config::ConfigProblems& problems) {
    const auto key = key_of(config, name);
    const ModelConfig& about = config.models.at(name);
    if (models_.contains(key) || !about.make) return;
    Result<std::shared_ptr<llm::ChatModel>> made = about.make(services_);
    if (made) {
      models_.emplace(key, std::move(*made));
    } else {
      problems.add({config.file.string(), about.line, "models." + name, {}, made.error().message});
    }
  }

  /// What an agent type calls. Its chains are its own, so that each call is accounted for by the model that was asked.
  std::shared_ptr<llm::ChatModel> model_for(Runtime& runtime, const AgentsConfig& config, const AgentConfig& agent,
                                            const std::string& name) {
    const ModelConfig& about = config.models.at(name);
    if (!about.make) {
      const auto chain = [&](const std::vector<std::string>& names) {
        std::vector<llm::FallbackMember> members;
        members.reserve(names.size());
        for (const std::string& each : names) {
          members.push_back({each, model_for(runtime, config, agent, each), observer_of(each)});
        }
        return members;
      };
      auto chained = std::make_shared<llm::FallbackModel>(
          llm::FallbackChains{chain(about.chains.members), chain(about.chains.for_context_window),
                              chain(about.chains.for_content_policy)},
          services_.clock);
      return about.guard(std::move(chained), name + "/" + agent.type, services_);
    }
    std::shared_ptr<llm::ChatModel> model = models_.at(key_of(config, name));
    const ModelAccount account{about.provider, about.model, about.price, about.output};
    if (metrics_ != nullptr || spans_ != nullptr) {
      auto observed = std::make_shared<ObservedModel>(
          std::move(model), agent.type, account, metrics_, services_.clock,
          [&runtime, type = agent.type](const Spend& spend) { runtime.report_spend(type, spend); });
      observed->set_span_sink(spans_);
      model = std::move(observed);
    }
    return paid_.wrap(std::move(model), runtime, config.budgets, agent.type, account);
  }

  std::shared_ptr<llm::ModelObserver> observer_of(const std::string& model) {
    return services_.observer ? services_.observer(model) : std::make_shared<llm::ModelObserver>();
  }

  std::shared_ptr<teams::ConversationObserver> conversations_of(const AgentConfig& agent) const {
    if (metrics_ == nullptr || !agent.is_team) return nullptr;
    return std::make_shared<ConversationCounts>(metrics_->conversations(), agent.type);
  }

  AgentFactory make_factory(Runtime& runtime, const AgentsConfig& config, const AgentConfig& agent) {
    const kinds::KindServices services{
        [this, &runtime, &config, &agent](const std::string& name) { return model_for(runtime, config, agent, name); },
        [this, &config, &agent](const std::vector<std::string>& names) {
          return tools_.box_for(config, agent.type, names);
        },
        questions_,
        conversations_of(agent),
        &services_.clock,
        tools_.observer_for(config)};
    return agent.make_factory(services);
  }

  ModelServices services_;
  monitoring::WorkerMetrics* metrics_;
  DeployedTools tools_;
  std::shared_ptr<SpanSink> spans_;  ///< shared by the models, the runtime and who exports them
  PaidModels paid_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<llm::ChatModel>> models_;
  std::set<std::string> types_;
  std::shared_ptr<people::QuestionBoard> questions_ = std::make_shared<people::QuestionBoard>();
};

Deployment::Deployment(asio::io_context& io, const Clock& clock, Random& random, monitoring::WorkerMetrics* metrics)
    : impl_(std::make_unique<Impl>(io, clock, random, metrics)) {}

Deployment::~Deployment() = default;

void Deployment::set_span_sink(std::shared_ptr<SpanSink> spans) { impl_->set_span_sink(std::move(spans)); }

Result<> Deployment::prepare(const AgentsConfig& config) { return impl_->prepare(config); }

Task<Result<>> Deployment::deploy(Runtime& runtime, const AgentsConfig& config) {
  return impl_->deploy(runtime, config);
}

Task<> Deployment::stop(std::chrono::milliseconds limit) { return impl_->stop(limit); }

const people::QuestionBoard& Deployment::questions() const { return impl_->questions(); }

}  // namespace parley::host
