#include "services/supervisor/kubernetes/pod_follower.hpp"

#include <asio/use_awaitable.hpp>
#include <utility>

namespace parley::supervisor {

PodFollower::PodFollower(asio::io_context& io, PodApi& api, Random& random, PodNews news)
    : api_(api), random_(random), news_(std::move(news)), timer_(io) {}

Task<> PodFollower::run() {
  for (;;) co_await follow_once();
}

Task<> PodFollower::follow_once() {
  Result<> outcome;
  if (version_.empty()) outcome = co_await list();
  if (outcome) {
    note_api(outcome);
    PodApi::Listener listener = [this](const WatchEvent& event) { take(event); };
    outcome = co_await api_.watch(version_, std::move(listener));
  }
  // A server that ends every watch at once, or always says 410, is not asked without a pause.
  const bool is_well = outcome && !version_.empty();
  if (!outcome) {
    // What went unseen meanwhile is in the next list.
    version_.clear();
    note_api(outcome);
  }
  timer_.expires_after(is_well ? Duration(kPause) : backoff_.next(random_));
  co_await timer_.async_wait(asio::use_awaitable);
}

Task<Result<>> PodFollower::list() {
  Result<PodList> list = co_await api_.list();
  if (!list) co_return fail(std::move(list).error());
  version_ = std::move(list->version);
  news_.on_list(list->pods);
  co_return Result<>{};
}

void PodFollower::take(const WatchEvent& event) {
  if (event.kind != WatchEvent::Kind::expired) backoff_.reset();
  switch (event.kind) {
    case WatchEvent::Kind::expired:
      version_.clear();
      return;
    case WatchEvent::Kind::bookmark:
      break;
    case WatchEvent::Kind::changed:
      news_.on_change(event.pod);
      break;
    case WatchEvent::Kind::deleted:
      news_.on_delete(event.pod);
      break;
  }
  if (!event.version.empty()) version_ = event.version;
}

void PodFollower::note_api(const Result<>& outcome) {
  const bool is_there = outcome.has_value();
  if (std::exchange(was_there_, is_there) == is_there) return;
  news_.on_api(is_there, is_there ? std::string() : outcome.error().message);
}

}  // namespace parley::supervisor
