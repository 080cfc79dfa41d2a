// What holds whatever happens, in whatever order: no hard limit is passed by more than the calls under way were
// underestimated, every reservation ends, and the sums are exact.
#include <map>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/unit/ledger/book_fixture.hpp"

namespace parley::ledger {
namespace {

using budget::Scope;

struct Call {
  std::string agent;
  std::string conversation;
  std::uint64_t reserved = 0;
  bool was_released = false;
  bool is_over = false;       ///< its caller knows that it has ended
  std::uint64_t charged = 0;  ///< what should have been charged for it
  std::uint64_t excess = 0;   ///< by how much more than reserved
};

/// The book under random orders, and beside it what must come of them.
struct Run {
  BookBench bench{{limit("all", Scope::all, "", 5'000), limit("hr", Scope::agent_type, "hr", 2'000),
                   limit("each", Scope::conversation, "*", 1'000)}};
  std::map<std::string, Call> calls = {};
  std::map<std::string, ClosedCall> stored = {};
  int next = 0;

  void as(const Call& call) {
    bench.agent = call.agent;
    bench.conversation = call.conversation;
  }
  void recall(const std::string& id) {
    const auto known = stored.find(id);
    if (known != stored.end()) bench.book->recall(known->second);
  }
  void commit() {
    for (ClosedCall& call : bench.book->take_changes().closed) stored[call.id] = call;
  }

  void begin() {
    Call call{*rc::gen::element<std::string>("hr/a", "hr/b", "it/a"), *rc::gen::element<std::string>("c1", "c2", "c3")};
    const std::string id = "call" + std::to_string(next++);
    call.reserved = *rc::gen::inRange<std::uint64_t>(1, 400);
    as(call);
    if (bench.grants(id, {call.reserved - 1, 1})) calls.emplace(id, call);
  }
  void end(const std::string& id, Call& call) {
    as(call);
    recall(id);
    const auto real = *rc::gen::inRange<std::uint64_t>(0, 600);
    if (!call.is_over && *rc::gen::inRange(0, 4) == 0) {
      bench.release(id);
      call.charged = 0;
      call.was_released = true;
    } else if (!call.is_over) {
      bench.settle(id, {real, 0});
      call.charged = real;
      call.excess = real > call.reserved ? real - call.reserved : 0;
    } else if (call.was_released) {
      bench.release(id);  // said again: it must not matter
    } else {
      bench.settle(id, {real, 0});  // even differently
    }
    call.is_over = true;
  }
  void step() {
    const int what = *rc::gen::inRange(0, 10);
    if (what < 4 || calls.empty()) return begin();
    auto chosen = calls.begin();
    std::advance(chosen, *rc::gen::inRange<std::size_t>(0, calls.size()));
    auto& [id, call] = *chosen;
    if (what < 7) return end(id, call);
    if (what == 7) return (void)bench.book->renew(id, bench.now);
    if (what == 8) {
      recall(id);
      as(call);
      return (void)bench.reserve(id, {call.reserved - 1, 1});  // the answer was lost
    }
    bench.advance(bench.book->lease() / *rc::gen::inRange(1, 4));
    for (auto& [other, lost] : calls) {
      // What expired is charged as reserved until its caller says otherwise.
      if (!lost.is_over && !bench.book->is_open(other)) lost.charged = lost.reserved;
    }
  }

  std::uint64_t sum(const std::string& agent_type, const std::string& conversation, std::uint64_t Call::* field) const {
    std::uint64_t total = 0;
    for (const auto& [id, call] : calls) {
      const bool counts = (agent_type.empty() || call.agent.starts_with(agent_type + "/")) &&
                          (conversation.empty() || call.conversation == conversation);
      if (counts) total += call.*field;
    }
    return total;
  }
  void check(const std::string& name, const std::string& subject, const std::string& type,
             const std::string& conversation, std::uint64_t cap) {
    const auto rows = bench.book->report({name, 0}, bench.now).rows;
    const auto row = std::ranges::find(rows, subject, &messages::BudgetRow::subject);
    if (row == rows.end()) return;
    RC_ASSERT(row->spent_tokens == sum(type, conversation, &Call::charged));
    RC_ASSERT(row->spent_tokens + row->reserved_tokens <= cap + sum(type, conversation, &Call::excess));
  }
  void check_all() {
    check("all", "", "", "", 5'000);
    check("hr", "", "hr", "", 2'000);
    for (const char* conversation : {"c1", "c2", "c3"}) check("each", conversation, "", conversation, 1'000);
  }
};

RC_GTEST_PROP(BookProperty, no_schedule_breaks_a_hard_limit_beyond_the_bound_and_all_sums_are_exact, ()) {
  Run run;
  const int steps = *rc::gen::inRange(1, 300);
  for (int i = 0; i < steps; i++) {
    run.step();
    if (*rc::gen::inRange(0, 3) == 0) run.commit();
    run.check_all();
  }
  run.bench.advance(run.bench.book->lease());
  RC_ASSERT(run.bench.book->open_count() == 0U);
  for (const auto& row : run.bench.book->report({}, run.bench.now).rows) RC_ASSERT(row.reserved_tokens == 0U);
}

RC_GTEST_PROP(BookProperty, with_worst_case_estimates_and_capped_outputs_no_limit_is_passed_at_all, ()) {
  BookBench bench({limit("all", Scope::all, "", 3'000)});
  std::vector<std::pair<std::string, Tokens>> open;
  for (int i = 0; i < 100; i++) {
    const Tokens most{*rc::gen::inRange<std::uint64_t>(1, 200), *rc::gen::inRange<std::uint64_t>(1, 200)};
    const std::string id = "call" + std::to_string(i);
    if (bench.grants(id, most)) open.emplace_back(id, most);
    if (!open.empty() && *rc::gen::arbitrary<bool>()) {
      const auto& [ended, at_most] = open.back();
      bench.settle(ended, {*rc::gen::inRange<std::uint64_t>(0, at_most.in + 1),
                           *rc::gen::inRange<std::uint64_t>(0, at_most.out + 1)});
      open.pop_back();
    }
    RC_ASSERT(bench.spent("all") + bench.held("all") <= 3'000U);
  }
}

}  // namespace
}  // namespace parley::ledger
