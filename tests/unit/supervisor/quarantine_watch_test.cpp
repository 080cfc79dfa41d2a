#include "services/supervisor/quarantine_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// What a broker says to whom the supervisors of these nodes are connected.
wire::PsReport listing(std::vector<wire::PsQuarantine> quarantines, const std::vector<std::string>& nodes = {"local"}) {
  wire::PsReport report;
  for (const std::string& node : nodes) {
    wire::PsPeer peer;
    peer.name = "supervisor/" + node;
    peer.types = {"sys.supervisor"};
    report.peers.push_back(std::move(peer));
  }
  wire::PsPeer worker;
  worker.name = "archive";
  worker.types = {"archive"};
  report.peers.push_back(std::move(worker));
  report.quarantines = std::move(quarantines);
  return report;
}

/// `event agent reason` of each change; in brackets what another supervisor tells.
std::vector<std::string> changes(QuarantineWatch& watch, const wire::PsReport& report,
                                 const std::vector<std::string>& own = {}) {
  std::vector<std::string> texts;
  for (const auto& [news, is_told_here] : watch.look(report, own)) {
    EXPECT_EQ(news.kind, Action::Kind::report);
    const std::string text = news.event + " " + news.agent + (news.reason.empty() ? "" : " " + news.reason);
    texts.push_back(is_told_here ? text : "(" + text + ")");
  }
  return texts;
}

const wire::PsQuarantine kHr{"hr", "odd", 0, 0, "parley agent"};
const wire::PsQuarantine kAlice{"hr/alice", "two crashes", 0, 0, "supervisor/local"};

TEST(QuarantineWatch, tells_once_what_an_operator_quarantines_and_releases) {
  QuarantineWatch watch("supervisor/local");
  EXPECT_THAT(changes(watch, listing({})), IsEmpty());
  EXPECT_THAT(changes(watch, listing({kHr})), ElementsAre("quarantined hr odd"));
  EXPECT_THAT(changes(watch, listing({kHr})), IsEmpty());
  EXPECT_THAT(changes(watch, listing({})), ElementsAre("released hr"));
  EXPECT_THAT(changes(watch, listing({})), IsEmpty());
}

TEST(QuarantineWatch, takes_what_it_finds_at_its_first_look_for_no_news) {
  QuarantineWatch watch("supervisor/local");
  EXPECT_THAT(changes(watch, listing({kHr})), IsEmpty());
  EXPECT_THAT(changes(watch, listing({})), ElementsAre("released hr"));
}

TEST(QuarantineWatch, leaves_out_what_its_supervisor_has_told_but_not_its_release) {
  QuarantineWatch watch("supervisor/local");
  (void)changes(watch, listing({}));
  EXPECT_THAT(changes(watch, listing({kAlice}), {"hr/alice"}), IsEmpty());
  EXPECT_THAT(changes(watch, listing({}), {"hr/alice"}), IsEmpty()) << "a new broker is told in a moment";
  EXPECT_THAT(changes(watch, listing({kAlice}), {"hr/alice"}), IsEmpty());
  EXPECT_THAT(changes(watch, listing({}), {"hr/alice"}), IsEmpty());
  EXPECT_THAT(changes(watch, listing({})), ElementsAre("released hr/alice"));
}

TEST(QuarantineWatch, of_several_supervisors_the_first_tells_what_an_operator_does) {
  QuarantineWatch first("supervisor/east");
  QuarantineWatch second("supervisor/west");
  for (const auto& [watch, expected] :
       {std::pair(&first, "quarantined hr odd"), std::pair(&second, "(quarantined hr odd)")}) {
    (void)changes(*watch, listing({}, {"west", "east"}));
    EXPECT_THAT(changes(*watch, listing({kHr}, {"west", "east"})), ElementsAre(expected));
  }
  EXPECT_THAT(changes(second, listing({}, {"west"})), ElementsAre("released hr")) << "the first is gone";
}

TEST(QuarantineWatch, leaves_it_to_another_supervisor_to_tell_what_that_one_did) {
  QuarantineWatch first("supervisor/east");
  QuarantineWatch acting("supervisor/local");
  for (QuarantineWatch* const watch : {&first, &acting}) (void)changes(*watch, listing({}, {"east", "local"}));
  EXPECT_THAT(changes(first, listing({kAlice}, {"east", "local"})), ElementsAre("(quarantined hr/alice two crashes)"));
  EXPECT_THAT(changes(acting, listing({kAlice}, {"east", "local"}), {"hr/alice"}), IsEmpty()) << "it has told it";
  EXPECT_THAT(changes(first, listing({}, {"east", "local"})), ElementsAre("(released hr/alice)"));
  EXPECT_THAT(changes(acting, listing({}, {"east", "local"})), ElementsAre("released hr/alice"));
}

TEST(QuarantineWatch, tells_what_nobody_else_could_when_the_list_is_too_long_for_all_peers) {
  QuarantineWatch watch("supervisor/west");
  (void)changes(watch, listing({}, {}));
  EXPECT_THAT(changes(watch, listing({kHr}, {})), ElementsAre("quarantined hr odd"));
}

}  // namespace
}  // namespace parley::supervisor
