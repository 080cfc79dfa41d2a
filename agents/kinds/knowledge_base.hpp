// What a team knows, for all of its members: an agent whose key is the scope. All activations of a process share one
// database and one thread for it; activations in other processes on the machine may use the same file. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agents/tools/job_thread.hpp"
#include "agents/tools/knowledge_store.hpp"
#include "libmsg/messages/knowledge.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

struct KnowledgeBaseOptions {
  std::string file;  ///< `:memory:` for one that ends with the process
  tools::KnowledgeLimits limits;
};

/// The database and its thread, made by the first activation; shared by all of them.
class KnowledgeShelf {
 public:
  explicit KnowledgeShelf(KnowledgeBaseOptions options) : options_(std::move(options)) {}

  Result<> open(const asio::any_io_executor& loop);
  /// Runs on the thread. Only after open().
  template <class T>
  Task<Result<T>> run(std::function<Result<T>(tools::KnowledgeStore&)> job) {
    std::function<Result<T>(const tools::AbortFlag&)> call = [this, job = std::move(job)](const tools::AbortFlag&) {
      return job(*store_);
    };
    co_return co_await thread_->run<T>(std::move(call));
  }

 private:
  KnowledgeBaseOptions options_;
  std::optional<tools::KnowledgeStore> store_;
  std::unique_ptr<tools::JobThread> thread_;  ///< last: its jobs use the store
};

class KnowledgeBase final : public TypedAgent<KnowledgeBase, messages::Remember, messages::Recall,
                                              messages::KnowledgeList, messages::Forget> {
 public:
  KnowledgeBase(std::shared_ptr<KnowledgeShelf> shelf, std::string scope)
      : shelf_(std::move(shelf)), scope_(std::move(scope)) {}

  Task<Result<>> on_activate(Context& context) override;
  Task<Result<messages::Remembered>> on(const messages::Remember& fact, Context& context);
  Task<Result<messages::Facts>> on(const messages::Recall& question, Context& context);
  Task<Result<messages::Facts>> on(const messages::KnowledgeList& page, Context& context);
  Task<Result<void>> on(const messages::Forget& order, Context& context);

 private:
  std::shared_ptr<KnowledgeShelf> shelf_;  ///< shared by all scopes
  std::string scope_;
};

}  // namespace parley::kinds
