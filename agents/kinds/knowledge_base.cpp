#include "agents/kinds/knowledge_base.hpp"

#include <array>
#include <asio/this_coro.hpp>
#include <filesystem>

#include "agents/kinds/kinds.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::kinds {

using messages::Facts;
using messages::Forget;
using messages::KnowledgeList;
using messages::Recall;
using messages::Remember;
using messages::Remembered;
using tools::KnowledgeStore;

Result<> KnowledgeShelf::open(const asio::any_io_executor& loop) {
  if (thread_ != nullptr) return {};
  Result<KnowledgeStore> store = KnowledgeStore::open(options_.file, options_.limits);
  if (!store) return fail(std::move(store).error());
  store_.emplace(std::move(*store));
  thread_ = std::make_unique<tools::JobThread>(loop);
  return {};
}

Task<Result<>> KnowledgeBase::on_activate(Context& /*context*/) {
  const asio::any_io_executor loop = co_await asio::this_coro::executor;
  co_return shelf_->open(loop);
}

Task<Result<Remembered>> KnowledgeBase::on(const Remember& fact, Context& context) {
  Remember complete = fact;
  if (complete.author.empty()) complete.author = context.sender().str();
  std::function<Result<Remembered>(KnowledgeStore&)> job = [scope = scope_,
                                                            complete = std::move(complete)](KnowledgeStore& store) {
    return store.remember(scope, complete, SystemClock().wall_now());
  };
  co_return co_await shelf_->run<Remembered>(std::move(job));
}

Task<Result<Facts>> KnowledgeBase::on(const Recall& question, Context& /*context*/) {
  std::function<Result<Facts>(KnowledgeStore&)> job = [scope = scope_, question](KnowledgeStore& store) {
    return store.recall(scope, question);
  };
  co_return co_await shelf_->run<Facts>(std::move(job));
}

Task<Result<Facts>> KnowledgeBase::on(const KnowledgeList& page, Context& /*context*/) {
  std::function<Result<Facts>(KnowledgeStore&)> job = [scope = scope_, page](KnowledgeStore& store) {
    return store.list(scope, page);
  };
  co_return co_await shelf_->run<Facts>(std::move(job));
}

Task<Result<void>> KnowledgeBase::on(const Forget& order, Context& /*context*/) {
  // A value for the thread's result; there is nothing to say.
  std::function<Result<bool>(KnowledgeStore&)> job = [scope = scope_,
                                                      id = order.id](KnowledgeStore& store) -> Result<bool> {
    const Result<> done = store.forget(scope, id);
    if (!done) return fail(done.error());
    return true;
  };
  const Result<bool> done = co_await shelf_->run<bool>(std::move(job));
  if (!done) co_return fail(done.error());
  co_return Result<void>{};
}

namespace {

MakeFactory read_knowledge_base(config::ConfigReader& settings, KindNames& /*names*/) {
  KnowledgeBaseOptions options;
  const std::string file = settings.required_text("file");
  const std::filesystem::path folder = std::filesystem::path(settings.file()).parent_path();
  options.file = file == ":memory:" ? file : (folder / file).string();
  tools::KnowledgeLimits& limits = options.limits;
  limits.max_facts = settings.integer("max_facts", limits.max_facts, {1, 1'000'000});
  limits.max_total = settings.integer("max_total_facts", limits.max_total, {1, 10'000'000});
  limits.max_fact_bytes = settings.integer("max_fact_bytes", limits.max_fact_bytes, {64, 262'144});
  constexpr std::array<std::string_view, 2> kWhenFull{"refuse", "forget_oldest"};
  limits.forgets_oldest = settings.choice("when_full", kWhenFull, 0) == 1;
  return [options = std::move(options)](const KindServices&) -> AgentFactory {
    return [shelf = std::make_shared<KnowledgeShelf>(options)](const AgentId& id) {
      return std::make_unique<KnowledgeBase>(shelf, id.key());
    };
  };
}

}  // namespace

const Kind kKnowledgeBaseKind{"knowledge_base", "keeps facts and decisions for a team, found by their words",
                              &read_knowledge_base};

}  // namespace parley::kinds
