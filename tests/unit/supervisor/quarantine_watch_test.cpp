#include "services/supervisor/quarantine_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// `event agent reason` of each change.
std::vector<std::string> changes(QuarantineWatch& watch, const std::vector<wire::PsQuarantine>& listed,
                                 const std::vector<std::string>& own = {}) {
  std::vector<std::string> texts;
  for (const Action& action : watch.look(listed, own)) {
    EXPECT_EQ(action.kind, Action::Kind::report);
    texts.push_back(action.event + " " + action.agent + (action.reason.empty() ? "" : " " + action.reason));
  }
  return texts;
}

const std::vector<wire::PsQuarantine> kHr{{"hr", "odd", 0, 0}};

TEST(QuarantineWatch, tells_once_what_an_operator_quarantines_and_releases) {
  QuarantineWatch watch;
  EXPECT_THAT(changes(watch, {}), IsEmpty());
  EXPECT_THAT(changes(watch, kHr), ElementsAre("quarantined hr odd"));
  EXPECT_THAT(changes(watch, kHr), IsEmpty());
  EXPECT_THAT(changes(watch, {}), ElementsAre("released hr"));
  EXPECT_THAT(changes(watch, {}), IsEmpty());
}

TEST(QuarantineWatch, takes_what_it_finds_at_its_first_look_for_no_news) {
  QuarantineWatch watch;
  EXPECT_THAT(changes(watch, kHr), IsEmpty());
  EXPECT_THAT(changes(watch, {}), ElementsAre("released hr"));
}

TEST(QuarantineWatch, leaves_out_what_its_supervisor_has_told_but_not_its_release) {
  QuarantineWatch watch;
  const std::vector<wire::PsQuarantine> alice{{"hr/alice", "two crashes", 0, 0}};
  (void)changes(watch, {});
  EXPECT_THAT(changes(watch, alice, {"hr/alice"}), IsEmpty());
  EXPECT_THAT(changes(watch, {}, {"hr/alice"}), IsEmpty()) << "a new broker is told in a moment";
  EXPECT_THAT(changes(watch, alice, {"hr/alice"}), IsEmpty());
  EXPECT_THAT(changes(watch, {}, {"hr/alice"}), IsEmpty());
  EXPECT_THAT(changes(watch, {}), ElementsAre("released hr/alice"));
}

}  // namespace
}  // namespace parley::supervisor
