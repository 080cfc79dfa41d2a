#include "services/cli/demo_script.hpp"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

Leg leg(std::string kind, std::string from, std::string to) {
  Leg made;
  made.kind = std::move(kind);
  made.from = std::move(from);
  made.to = std::move(to);
  return made;
}

TEST(DemoFlow, names_who_got_the_message_one_after_the_other) {
  const std::vector<Leg> legs{leg("send", "you", "user/a"),       leg("request", "user/a", "router/a"),
                              leg("reply", "router/a", "user/a"), leg("request", "user/a", "hr/a"),
                              leg("reply", "hr/a", "user/a"),     leg("event", "user/a", "you")};
  EXPECT_EQ(flow_of(legs, "you"), "you → user/a → router/a → user/a → hr/a → user/a → you");
}

TEST(DemoFlow, the_parts_of_an_answer_count_once) {
  const std::vector<Leg> legs{leg("send", "you", "user/a"), leg("event", "user/a", "you"),
                              leg("event", "user/a", "you")};
  EXPECT_EQ(flow_of(legs, "you"), "you → user/a → you");
}

TEST(DemoResults, fit_eighty_columns) {
  const DemoResult result{"alice", std::string(200, 'x'), "finance", std::chrono::milliseconds(12), {}};
  for (const auto& line : render_results({result}, 80)) EXPECT_LE(line.size(), 82U) << line;  // … has three bytes
}

}  // namespace
}  // namespace parley::cli
