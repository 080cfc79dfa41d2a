#include "agents/teams/graph.hpp"

#include "agents/teams/graph_walk.hpp"
#include "tests/unit/teams/strategy_fixture.hpp"

namespace parley::teams {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using When = GraphEdge::When;

/// Nodes a, b, c, … and edges between them.
struct GraphTest : StrategyFixture {
  GraphTest() {
    seats.push_back({"d", "fourth"});
    for (const Seat& seat : seats) graph.nodes.push_back({seat.name});
  }
  void edge(char from, char to, When when = When::always, const std::string& value = "") {
    GraphEdge edge{static_cast<std::size_t>(from - 'a'), static_cast<std::size_t>(to - 'a'), when, value};
    if (when == When::regex) edge.pattern = *Pattern::make(value);
    graph.edges.push_back(std::move(edge));
  }
  void drop_nodes(std::size_t left) {
    seats.resize(left);
    graph.nodes.resize(left);
  }
  void join_all(char node) { graph.nodes[static_cast<std::size_t>(node - 'a')].join = GraphNode::Join::all; }
  [[nodiscard]] std::vector<std::string> problems() {
    if (graph.starts.empty()) graph.starts = natural_starts(graph);
    return problems_of(graph);
  }
  void walk() {
    ASSERT_THAT(problems(), IsEmpty());
    strategy = std::make_unique<GraphWalk>(std::make_shared<const Graph>(graph));
    begin();
  }
  Graph graph;
};

TEST_F(GraphTest, a_chain_runs_from_end_to_end) {
  drop_nodes(3);
  edge('a', 'b');
  edge('b', 'c');
  walk();
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(step(), name);
    hear("x");
  }
  EXPECT_EQ(step(), ".graph:done");
}

TEST_F(GraphTest, a_fan_out_runs_at_once_and_a_join_waits_for_all) {
  edge('a', 'b');
  edge('a', 'c');
  edge('b', 'd');
  edge('c', 'd');
  join_all('d');
  walk();
  hear("x");
  EXPECT_EQ(step(), "b c");
  hear_all({"1", "2"});
  EXPECT_EQ(step(), "d");
  hear("both");
  EXPECT_EQ(step(), ".graph:done");
  EXPECT_EQ(strategy->answer(scene()), "both");
}

TEST_F(GraphTest, a_join_of_all_waits_for_the_longer_way) {
  // a → d, a → b → c → d
  edge('a', 'd');
  edge('a', 'b');
  edge('b', 'c');
  edge('c', 'd');
  join_all('d');
  walk();
  hear("x");
  EXPECT_EQ(step(), "b");
  hear("x");
  EXPECT_EQ(step(), "c");
  hear("x");
  EXPECT_EQ(step(), "d");
}

TEST_F(GraphTest, a_join_of_any_runs_once_for_messages_that_arrive_together) {
  edge('a', 'b');
  edge('a', 'c');
  edge('b', 'd');
  edge('c', 'd');
  walk();
  hear("x");
  hear_all({"1", "2"});
  EXPECT_EQ(step(), "d");
  hear("x");
  EXPECT_EQ(step(), ".graph:done");
}

TEST_F(GraphTest, a_join_of_any_runs_again_for_what_comes_later) {
  edge('a', 'd');
  edge('a', 'b');
  edge('b', 'c');
  edge('c', 'd');
  walk();
  hear("x");
  EXPECT_EQ(step(), "b d");
  hear_all({"x", "x"});
  hear("x");
  EXPECT_EQ(step(), "d");
}

TEST_F(GraphTest, conditions_choose_the_way) {
  edge('a', 'b', When::contains, "yes");
  edge('a', 'c', When::regex, "^no\\b");
  edge('a', 'd', When::otherwise);
  walk();
  hear("yes, please");
  EXPECT_EQ(step(), "b");
  begin();
  hear("first line\nno way");
  EXPECT_EQ(step(), "c");
  begin();
  hear("perhaps yesterday");
  EXPECT_EQ(step(), "d");
}

TEST_F(GraphTest, a_handoff_chooses_the_way) {
  edge('a', 'b', When::handoff);
  edge('a', 'c', When::handoff);
  edge('a', 'd', When::otherwise);
  walk();
  EXPECT_THAT(turn().handoffs, ElementsAre("b", "c"));
  hear(">c");
  EXPECT_EQ(step(), "c");
}

TEST_F(GraphTest, a_loop_runs_until_its_exit_is_taken) {
  drop_nodes(3);
  edge('a', 'b');
  edge('b', 'a', When::contains, "again");
  edge('b', 'c', When::contains, "good");
  graph.starts = {0};
  walk();
  hear("1");
  hear("again");
  EXPECT_EQ(step(), "a");
  hear("2");
  hear("good");
  EXPECT_EQ(step(), "c");
  hear("end");
  EXPECT_EQ(step(), ".graph:done");
}

TEST_F(GraphTest, ends_where_no_condition_is_met) {
  drop_nodes(2);
  edge('a', 'b', When::contains, "go");
  walk();
  hear("stay");
  EXPECT_EQ(step(), ".graph:done");
  EXPECT_EQ(strategy->answer(scene()), "stay");
}

TEST_F(GraphTest, says_for_whom_a_join_has_waited_in_vain) {
  edge('a', 'b');
  edge('a', 'c', When::contains, "both");
  edge('b', 'd');
  edge('c', 'd');
  join_all('d');
  walk();
  hear("one");
  hear("x");
  EXPECT_EQ(step(), ".graph:d still waited for c");
}

TEST_F(GraphTest, a_skipped_node_takes_only_edges_without_a_condition) {
  drop_nodes(3);
  edge('a', 'b');
  edge('a', 'c', When::contains, "x");
  walk();
  hear("-");
  EXPECT_EQ(step(), "b");
}

TEST_F(GraphTest, several_ends_are_put_together) {
  drop_nodes(3);
  edge('a', 'b');
  edge('a', 'c');
  walk();
  hear("x");
  hear_all({"1", "2"});
  EXPECT_EQ(strategy->answer(scene()), "b: 1\n\nc: 2");
}

TEST_F(GraphTest, goes_on_from_saved_state_of_the_same_graph) {
  edge('a', 'b');
  edge('a', 'c');
  edge('b', 'd');
  edge('c', 'd');
  walk();
  hear("x");
  restart(std::make_unique<GraphWalk>(std::make_shared<const Graph>(graph)));
  EXPECT_EQ(step(), "b c");
  Graph smaller = graph;
  smaller.edges.pop_back();
  EXPECT_FALSE(GraphWalk(std::make_shared<const Graph>(smaller)).load(strategy->save()));
}

TEST_F(GraphTest, finds_nodes_that_cannot_be_reached) {
  edge('a', 'b');
  edge('c', 'd', When::contains, "x");
  edge('d', 'c', When::contains, "x");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("'c' cannot be reached"), HasSubstr("'d' cannot be reached")));
}

TEST_F(GraphTest, finds_a_graph_without_a_start) {
  drop_nodes(2);
  edge('a', 'b');
  edge('b', 'a', When::contains, "x");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("say with 'start' where to begin")));
}

TEST_F(GraphTest, finds_loops_that_never_end) {
  drop_nodes(3);
  edge('a', 'b');
  edge('b', 'c');
  edge('c', 'b');
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("the loop of b and c never ends")));
}

TEST_F(GraphTest, finds_loops_without_an_exit_although_they_have_conditions) {
  drop_nodes(3);
  edge('a', 'b');
  edge('b', 'c', When::contains, "x");
  edge('b', 'b', When::otherwise);
  edge('c', 'b');
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("the loop of b and c has no exit")));
}

TEST_F(GraphTest, finds_a_node_that_leads_to_itself_for_ever) {
  drop_nodes(1);
  edge('a', 'a');
  graph.starts = {0};
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("the loop of a never ends")));
}

TEST_F(GraphTest, lets_a_loop_pass_whose_node_may_end) {
  drop_nodes(2);
  edge('a', 'b');
  edge('b', 'a', When::contains, "again");
  graph.starts = {0};
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(GraphTest, finds_an_edge_that_is_there_twice) {
  drop_nodes(2);
  edge('a', 'b');
  edge('a', 'b');
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("from 'a' to 'b' is there twice")));
}

TEST_F(GraphTest, a_huge_line_and_a_hostile_expression_take_no_time) {
  drop_nodes(2);
  edge('a', 'b', When::regex, "(a+)+c$");
  walk();
  hear(std::string(1'000'000, 'a'));
  EXPECT_EQ(step(), ".graph:done");
}

TEST_F(GraphTest, an_expression_looks_at_every_line_to_its_end) {
  drop_nodes(2);
  edge('a', 'b', When::regex, "^x.*ACCEPTED$");
  walk();
  std::string text;
  for (int i = 0; i < 2'000; ++i) text += "a line of no consequence\n";
  hear(text + std::string(10'000, 'x') + "ACCEPTED");
  EXPECT_EQ(step(), "b");
}

}  // namespace
}  // namespace parley::teams
