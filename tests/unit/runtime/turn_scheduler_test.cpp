#include "libmsg/runtime/turn_scheduler.hpp"

#include <gmock/gmock.h>
#include <string>

namespace parley {
namespace {

using Scheduler = TurnScheduler<std::string, int>;
using ::testing::ElementsAre;

TimePoint an_hour_and(int ms) { return TimePoint(std::chrono::hours(1) + std::chrono::milliseconds(ms)); }

class Turns : public ::testing::Test {
 protected:
  Scheduler::Activation& place(std::string_view id, TurnRules rules = {}, std::uint64_t epoch = 1) {
    return scheduler_.activate(id, Epoch(epoch), rules, an_hour_and(0));
  }
  Admission admit(Scheduler::Activation& activation, std::string message, Entry entry = Entry::ordinary, int ms = 0) {
    std::optional<std::string> started;
    const Admission admission = scheduler_.admit(activation, message, entry, an_hour_and(ms), started);
    if (started) ran_.push_back(*started);
    return admission;
  }
  /// Ends a turn; what runs next is noted.
  void finish(Scheduler::Activation& activation, int ms = 0) {
    if (auto next = scheduler_.finish(activation, an_hour_and(ms))) ran_.push_back(*next);
  }

  Scheduler scheduler_;
  std::vector<std::string> ran_;
};

TEST_F(Turns, idle_activation_starts_its_message_at_once) {
  EXPECT_EQ(admit(place("a/1"), "m"), Admission::start);
  EXPECT_THAT(ran_, ElementsAre("m"));
}

TEST_F(Turns, one_message_runs_at_a_time_and_the_others_keep_their_order) {
  auto& a = place("a/1");
  for (const char* message : {"1", "2", "3"}) admit(a, message);
  EXPECT_THAT(ran_, ElementsAre("1"));
  finish(a);
  EXPECT_THAT(ran_, ElementsAre("1", "2"));
  finish(a);
  finish(a);
  EXPECT_THAT(ran_, ElementsAre("1", "2", "3"));
  EXPECT_TRUE(a.is_idle());
}

TEST_F(Turns, activations_do_not_wait_for_each_other) {
  admit(place("a/1"), "1");
  admit(place("a/2"), "2");
  EXPECT_THAT(ran_, ElementsAre("1", "2"));
  EXPECT_EQ(scheduler_.running(), 2U);
}

TEST_F(Turns, too_many_activations_make_room_by_the_least_recently_used_idle_one) {
  auto& a = place("a/1");
  auto& b = place("a/2");
  auto& c = place("a/3");
  admit(a, "m");
  finish(a);
  EXPECT_EQ(scheduler_.take_surplus(2), &b);
  EXPECT_EQ(b.phase, Scheduler::Phase::passivating);
  EXPECT_EQ(scheduler_.take_surplus(2), nullptr);  // The one that goes counts already.
  EXPECT_EQ(scheduler_.take_surplus(1), &c);
  EXPECT_EQ(scheduler_.take_surplus(3), nullptr);
}

TEST_F(Turns, busy_and_permanent_activations_never_make_room) {
  admit(place("a/1"), "m");
  place("a/2", {.may_make_room = false});
  EXPECT_EQ(scheduler_.take_surplus(0), nullptr);
}

TEST_F(Turns, evicted_activations_are_no_longer_counted_as_going) {
  auto& a = place("a/1");
  place("a/2");
  place("a/3");
  EXPECT_EQ(scheduler_.take_surplus(2), &a);
  scheduler_.remove(a);
  EXPECT_EQ(scheduler_.take_surplus(2), nullptr);
  EXPECT_NE(scheduler_.take_surplus(1), nullptr);
}

TEST_F(Turns, full_mailbox_refuses_and_leaves_the_message_with_the_caller) {
  auto& a = place("a/1", {.max_mailbox = 1});
  admit(a, "running");
  EXPECT_EQ(admit(a, "waiting"), Admission::queued);
  std::string message = "too much";
  std::optional<std::string> started;
  EXPECT_EQ(scheduler_.admit(a, message, Entry::ordinary, an_hour_and(0), started), Admission::overloaded);
  EXPECT_EQ(message, "too much");
}

TEST_F(Turns, chain_that_comes_back_is_a_deadlock) {
  auto& a = place("a/1");
  admit(a, "waits for itself");
  EXPECT_EQ(admit(a, "from its own chain", Entry::own_chain), Admission::deadlock);
}

TEST_F(Turns, chain_that_comes_back_after_the_turn_ended_is_an_ordinary_message) {
  auto& a = place("a/1");
  EXPECT_EQ(admit(a, "m", Entry::own_chain), Admission::start);
}

TEST_F(Turns, reentrant_type_runs_its_own_chain_inside_the_waiting_turn) {
  auto& a = place("a/1", {.is_reentrant = true});
  admit(a, "outer");
  EXPECT_EQ(admit(a, "stranger"), Admission::queued);
  EXPECT_EQ(admit(a, "inner", Entry::own_chain), Admission::start);
  finish(a);
  EXPECT_THAT(ran_, ElementsAre("outer", "inner"));
  finish(a);
  EXPECT_THAT(ran_, ElementsAre("outer", "inner", "stranger"));
}

TEST_F(Turns, interleaved_message_runs_beside_the_turn_under_way_and_the_others_wait_for_both) {
  auto& a = place("a/1");
  admit(a, "long");
  EXPECT_EQ(admit(a, "waits"), Admission::queued);
  EXPECT_EQ(admit(a, "order", Entry::beside), Admission::start);
  finish(a);
  EXPECT_THAT(ran_, ElementsAre("long", "order"));
  finish(a);
  EXPECT_THAT(ran_, ElementsAre("long", "order", "waits"));
}

TEST_F(Turns, interleaved_message_waits_for_the_lease_and_behind_what_waits_for_it) {
  auto& a = place("a/1");
  scheduler_.hold(true);
  EXPECT_EQ(admit(a, "first"), Admission::queued);
  EXPECT_EQ(admit(a, "order", Entry::beside), Admission::queued);
}

TEST_F(Turns, no_turn_starts_while_the_lease_is_out) {
  auto& a = place("a/1");
  scheduler_.hold(true);
  EXPECT_EQ(admit(a, "1"), Admission::queued);
  EXPECT_FALSE(scheduler_.take_ready().has_value());
  scheduler_.hold(false);
  EXPECT_EQ(admit(a, "2"), Admission::queued);
  const auto next = scheduler_.take_ready();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->message, "1");
  finish(a);
  EXPECT_THAT(ran_, ElementsAre("2"));
}

TEST_F(Turns, turn_that_ends_without_a_lease_leaves_the_next_waiting) {
  auto& a = place("a/1");
  admit(a, "1");
  admit(a, "2");
  scheduler_.hold(true);
  finish(a);
  EXPECT_THAT(ran_, ElementsAre("1"));
  scheduler_.hold(false);
  EXPECT_EQ(scheduler_.take_ready()->message, "2");
}

TEST_F(Turns, idle_activation_is_offered_for_passivation_once) {
  auto& a = place("a/1", {.idle_timeout = std::chrono::milliseconds(100)});
  EXPECT_EQ(scheduler_.take_idle(an_hour_and(99)), nullptr);
  EXPECT_EQ(scheduler_.take_idle(an_hour_and(100)), &a);
  EXPECT_EQ(scheduler_.take_idle(an_hour_and(1000)), nullptr);
}

TEST_F(Turns, use_postpones_passivation) {
  auto& a = place("a/1", {.idle_timeout = std::chrono::milliseconds(100)});
  admit(a, "m", Entry::ordinary, 50);
  EXPECT_EQ(scheduler_.take_idle(an_hour_and(150)), nullptr);
  finish(a, 160);
  EXPECT_EQ(scheduler_.take_idle(an_hour_and(259)), nullptr);
  EXPECT_EQ(scheduler_.take_idle(an_hour_and(260)), &a);
}

TEST_F(Turns, activation_leaves_when_the_broker_agrees_and_its_mailbox_is_empty) {
  auto& a = place("a/1", {.idle_timeout = std::chrono::milliseconds(100)});
  scheduler_.take_idle(an_hour_and(100));
  admit(a, "came in between");
  EXPECT_TRUE(scheduler_.grant_passivation(a, Epoch(1)));
  EXPECT_FALSE(Scheduler::may_leave(a));
  finish(a);
  EXPECT_TRUE(Scheduler::may_leave(a));
  scheduler_.remove(a);
  EXPECT_EQ(scheduler_.find("a/1"), nullptr);
}

TEST_F(Turns, passivation_of_another_epoch_is_ignored) {
  auto& a = place("a/1", {}, 5);
  EXPECT_FALSE(scheduler_.grant_passivation(a, Epoch(4)));
}

TEST_F(Turns, newer_epoch_holds_for_an_activation_that_is_here) {
  auto& a = place("a/1", {}, 5);
  EXPECT_EQ(&place("a/1", {}, 7), &a);
  EXPECT_EQ(a.epoch, Epoch(7));
  place("a/1", {}, 6);
  EXPECT_EQ(a.epoch, Epoch(7));
}

TEST_F(Turns, lost_session_forgets_handshakes) {
  auto& a = place("a/1", {.idle_timeout = std::chrono::milliseconds(100)});
  scheduler_.take_idle(an_hour_and(100));
  scheduler_.forget_handshakes();
  EXPECT_EQ(scheduler_.take_idle(an_hour_and(200)), &a);
}

TEST_F(Turns, lost_session_drops_what_has_not_started) {
  auto& a = place("a/1");
  for (const char* message : {"running", "waiting", "other"}) admit(a, message);
  const auto dropped = scheduler_.drop_waiting([](const std::string& message) { return message == "waiting"; });
  EXPECT_THAT(dropped, ElementsAre("waiting"));
  EXPECT_EQ(scheduler_.waiting(), 1U);
}

TEST_F(Turns, waiting_message_that_is_taken_out_gives_its_place_back_and_the_others_keep_their_order) {
  TurnRules rules;
  rules.max_mailbox = 3;
  auto& a = place("a/1", rules);
  for (const char* message : {"running", "1", "2", "3"}) admit(a, message);
  const auto is = [](std::string_view name) { return [name](const std::string& message) { return message == name; }; };
  EXPECT_EQ(scheduler_.take_waiting(a, is("2")), "2");
  EXPECT_EQ(scheduler_.take_waiting(a, is("running")), std::nullopt);
  EXPECT_EQ(scheduler_.waiting(), 2U);
  EXPECT_EQ(admit(a, "4"), Admission::queued);
  for (int i = 0; i < 4; ++i) finish(a);
  EXPECT_THAT(ran_, ElementsAre("running", "1", "3", "4"));
}

TEST_F(Turns, eviction_returns_what_waits_and_lets_the_running_turn_end) {
  auto& a = place("a/1");
  admit(a, "running");
  admit(a, "waiting");
  EXPECT_THAT(scheduler_.remove(a), ElementsAre("waiting"));
  EXPECT_EQ(scheduler_.find("a/1"), nullptr);
  EXPECT_EQ(scheduler_.running(), 1U);
  finish(a);
  EXPECT_EQ(scheduler_.running(), 0U);
  EXPECT_THAT(ran_, ElementsAre("running"));
}

TEST_F(Turns, id_can_be_placed_anew_while_its_evicted_turn_still_runs) {
  auto& old = place("a/1");
  admit(old, "old");
  scheduler_.remove(old);
  auto& fresh = place("a/1", {}, 2);
  EXPECT_NE(&fresh, &old);
  EXPECT_EQ(admit(fresh, "new"), Admission::start);
  finish(old);
  EXPECT_EQ(scheduler_.find("a/1"), &fresh);
}

}  // namespace
}  // namespace parley
