// What a host does when the broker's word, the clock and the session cross each other.
#include "tests/unit/runtime/host_fixture.hpp"

namespace parley {
namespace {

using ::testing::ElementsAre;

/// Sleeps for a minute and fails with what the sleep says.
Closure sleeper() {
  return [](const Payload&, Context& context) -> Task<Result<Payload>> {
    const Result<> slept = co_await context.sleep(1min);
    if (!slept) co_return fail(slept.error());
    co_return Payload{};
  };
}

TEST_F(HostTest, handler_cut_by_the_deadline_answers_timeout) {
  serve("sleeper", sleeper());
  receive({activation("sleeper/x"), request("sleeper/x", 5, 50)});
  pass(50ms);
  EXPECT_THAT(answers(), ElementsAre("timeout"));
}

TEST_F(HostTest, part_after_the_deadline_makes_the_answer_timeout) {
  serve("talker", [this](const Payload&, Context& context) -> Task<Result<Payload>> {
    clock_.advance(60ms);  // computes for long
    Payload piece{"test.Part", "x"};
    const Result<> said = co_await context.part(std::move(piece));
    co_return fail(said.error());
  });
  receive({activation("talker/x"), request("talker/x", 5, 50)});
  EXPECT_THAT(answers(), ElementsAre("timeout"));
}

TEST_F(HostTest, handler_whose_caller_cancelled_answers_cancelled) {
  serve("sleeper", sleeper());
  receive({activation("sleeper/x"), request("sleeper/x", 5, 50)});
  receive({{.kind = wire::Kind::cancel, .delivery_id = 5}});
  EXPECT_THAT(answers(), ElementsAre("cancelled"));
}

}  // namespace
}  // namespace parley
