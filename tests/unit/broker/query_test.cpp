#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class Queries : public Bus {};

constexpr std::string_view kTraceId = "0af7651916cd43dd8448eb211c80319c";

TEST_F(Queries, of_ps_show_peers_and_types) {
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  const auto report = query<wire::PsReport>({.what = "ps", .key = {}});
  ASSERT_EQ(report.peers.size(), 3U);
  EXPECT_EQ(report.peers[0].types, std::vector<std::string>{"hr"});
  EXPECT_EQ(report.peers[0].inflight, 1U);
  EXPECT_EQ(report.peers[0].activations, 1U);
  ASSERT_EQ(report.types.size(), 1U);
  EXPECT_EQ(report.types[0].name, "hr");
  EXPECT_EQ(report.types[0].workers, 1U);
  EXPECT_EQ(report.types[0].requests, 1U);
  EXPECT_EQ(report.types[0].inflight, 1U);
  EXPECT_FALSE(report.numbers.empty());
  host.fail(host.take(Kind::request), ErrorCode::handler_failed, "boom");
  EXPECT_EQ(core->ps(now).types[0].failures, 1U);
}

TEST_F(Queries, of_where_name_the_worker_of_an_agent) {
  worker({"hr"});
  client().request("hr/a");
  const auto report = query<wire::WhereReport>({.what = "where", .key = "hr/a"});
  EXPECT_TRUE(report.worker.starts_with("worker-"));
  EXPECT_NE(report.epoch, 0U);
  EXPECT_EQ(query<wire::WhereReport>({.what = "where", .key = "hr/b"}).worker, "");
}

TEST_F(Queries, of_trace_list_the_hops_of_a_message) {
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client();
  ByteBuffer attributes;
  const std::string traceparent = "00-" + std::string(kTraceId) + "-b7ad6b7169203331-01";
  ASSERT_TRUE(wire::append_attribute(attributes, wire::attribute::kTraceparent, traceparent).has_value());
  caller.message({.flags = wire::kFlagTraced, .target = "hr/a", .attributes = attributes.bytes()});
  const Received delivery = host.take(Kind::request);
  host.tell({.kind = Kind::reply,
             .flags = wire::kFlagTraced,
             .delivery_id = delivery.delivery_id,
             .attributes = attributes.bytes()});
  const auto report = query<wire::TraceReport>({.what = "trace", .key = std::string(kTraceId)});
  ASSERT_EQ(report.hops.size(), 4U);
  EXPECT_EQ(report.hops[0].kind, "request");
  EXPECT_TRUE(report.hops[0].peer.starts_with("client-"));
  EXPECT_TRUE(report.hops[1].peer.starts_with("worker-"));
  EXPECT_EQ(report.hops[1].delivery_id, delivery.delivery_id);
  EXPECT_EQ(report.hops[3].kind, "reply");
  EXPECT_TRUE(report.hops[3].peer.starts_with("client-"));
}

TEST_F(Queries, of_trace_show_how_a_request_failed) {
  worker({"hr"});
  FakePeer& caller = client();
  ByteBuffer attributes;
  const std::string traceparent = "00-" + std::string(kTraceId) + "-b7ad6b7169203331-01";
  ASSERT_TRUE(wire::append_attribute(attributes, wire::attribute::kTraceparent, traceparent).has_value());
  caller.message({.flags = wire::kFlagTraced, .remaining_ms = 50, .target = "hr/a", .attributes = attributes.bytes()});
  pass(51ms);
  const auto report = query<wire::TraceReport>({.what = "trace", .key = std::string(kTraceId)});
  ASSERT_EQ(report.hops.size(), 3U);
  EXPECT_EQ(report.hops[2].kind, "error");
  EXPECT_EQ(report.hops[2].code, "timeout");
  EXPECT_TRUE(report.hops[2].peer.starts_with("client-"));
}

TEST_F(Queries, of_one_dead_letter_return_its_envelope) {
  client().publish("orders/eu", "order 1");
  const auto report = query<wire::DeadLetterReport>({.what = "dead_letter", .key = "1"});
  ASSERT_EQ(report.rows.size(), 1U);
  const Bytes bytes = std::as_bytes(std::span(report.envelope));
  const auto envelope = wire::EnvelopeView::parse(bytes);
  ASSERT_TRUE(envelope.has_value());
  EXPECT_EQ(as_text(envelope->payload()), "order 1");
}

TEST_F(Queries, of_dead_letters_are_paged_and_old_ones_make_room) {
  start({.max_dead_letters = 3});
  FakePeer& sender = client();
  for (int i = 0; i < 5; i++) sender.publish("orders/eu");
  const auto report = query<wire::DeadLetterReport>({.what = "dead_letters", .key = {}, .limit = 2, .after = 3});
  EXPECT_EQ(report.total, 5U);
  EXPECT_EQ(report.evicted, 2U);
  ASSERT_EQ(report.rows.size(), 2U);
  EXPECT_EQ(report.rows[0].id, 4U);
}

// [P-LIM-15]
TEST_F(Queries, of_dead_letters_never_find_more_bytes_than_may_be_kept) {
  start({.max_dead_letter_bytes = 5000});
  FakePeer& sender = client();
  const std::string text(1000, 'x');
  for (int i = 0; i < 10; i++) sender.publish("orders/eu", text);
  sender.publish("orders/eu", std::string(6000, 'x'));  // alone too large: it is counted only
  const auto report = query<wire::DeadLetterReport>({.what = "dead_letters", .key = {}, .limit = 100});
  EXPECT_EQ(report.total, 11U);
  ASSERT_GE(report.rows.size(), 2U);
  EXPECT_LE(report.rows.size(), 4U);
  EXPECT_EQ(report.rows.back().id, 10U);
  EXPECT_EQ(report.evicted, report.total - report.rows.size());
}

TEST_F(Queries, for_something_unknown_are_invalid) {
  FakePeer& peer = client();
  peer.ask(Kind::query, wire::Query{.what = "everything", .key = {}});
  EXPECT_EQ(peer.take(Kind::error).code, ErrorCode::invalid);
}

class Types : public Bus {};

TEST_F(Types, share_their_agents_by_capacity) {
  wire::Hello big = hello_of({"hr"});
  big.types[0].capacity = 3;
  FakePeer& large = connect();
  large.join(big);
  FakePeer& small = worker({"hr"});
  FakePeer& caller = client();
  for (int i = 0; i < 40; i++) caller.request("hr/" + std::to_string(i));
  EXPECT_EQ(large.count(Kind::request), 30U);
  EXPECT_EQ(small.count(Kind::request), 10U);
}

TEST_F(Types, registered_again_by_one_session_are_done_already) {
  FakePeer& host = worker({"hr"});
  wire::TypeRegistration type;
  type.name = "hr";
  type.index = 0;
  host.ask(Kind::register_type, type);
  host.take(Kind::reply);
  client().request("hr/a");
  EXPECT_EQ(host.count(Kind::request), 1U);
}

TEST_F(Types, registered_again_with_another_index_are_invalid) {
  FakePeer& host = worker({"hr", "finance"});
  wire::TypeRegistration type;
  type.name = "hr";
  type.index = 2;
  host.ask(Kind::register_type, type);
  EXPECT_EQ(host.take(Kind::error).code, ErrorCode::invalid);
  type.name = "legal";
  type.index = 1;
  host.ask(Kind::register_type, type);
  EXPECT_EQ(host.take(Kind::error).code, ErrorCode::invalid);
}

TEST_F(Types, unregistered_again_are_done_already) {
  FakePeer& host = worker({"hr"});
  host.ask(Kind::unregister_type, wire::TypeName{"finance"});
  host.take(Kind::reply);
  EXPECT_EQ(host.count(Kind::error), 0U);
}

}  // namespace
}  // namespace parley::broker
