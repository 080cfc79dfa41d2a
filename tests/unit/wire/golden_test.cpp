// The golden vectors of tests/golden: what this code writes is byte for byte what the files say, and the files are what
// other implementations read (check_golden.py). With PARLEY_WRITE_GOLDEN=1 the .hex files are written instead of
// compared; their meaning, NAME.json, is written by hand.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libmsg/messages/text.hpp"
#include "libmsg/wire/control.hpp"
#include "tests/unit/wire/sample_envelope.hpp"

namespace parley::wire {
namespace {

using Frame = std::vector<std::byte>;

constexpr std::uint64_t kToken = 0x1122334455667788;
constexpr std::uint64_t kIncarnation = 0xA1B2C3D4E5F60718;
constexpr std::uint64_t kEpoch = (std::uint64_t{3} << 32U) | 9U;
constexpr std::string_view kTraceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

Frame one(EnvelopeFields fields, std::uint64_t token = kToken) { return bundle_of({encoded(fields)}, token); }

template <class Body>
std::vector<std::byte> control(Kind kind, const Body& body, std::uint64_t message_id = 0) {
  const ByteBuffer payload = encode_body(body);
  EnvelopeFields fields;
  fields.kind = kind;
  fields.message_id = message_id;
  fields.payload = payload.bytes();
  return encoded(fields);
}

std::vector<std::byte> plain(Kind kind, std::uint64_t message_id = 0, std::uint64_t delivery_id = 0,
                             std::string_view target = {}) {
  EnvelopeFields fields;
  fields.kind = kind;
  fields.message_id = message_id;
  fields.delivery_id = delivery_id;
  fields.target = target;
  return encoded(fields);
}

void append_number(ByteBuffer& out, auto number) { store(out.grow(sizeof number), number); }

Frame hello_worker() {
  Hello hello;
  hello.name = "critic@host1";
  hello.incarnation = kIncarnation;
  hello.is_worker = true;
  hello.credit_bytes = 16'777'216;
  hello.types = {{"critic", 0, {"review"}, 10}, {"audit", 1, {}, 1}};
  hello.subscriptions = {{1, "orders.", true, "audit"}};
  hello.activations = {{"critic/alice", kEpoch}};
  return bundle_of({control(Kind::hello, hello)}, 0);
}

Frame hello_client() {
  Hello hello;
  hello.name = "cli";
  hello.incarnation = 1;
  hello.credit_bytes = 1'000'000;
  return bundle_of({control(Kind::hello, hello)}, 0);
}

Frame welcome() {
  Welcome welcome;
  welcome.token = kToken;
  welcome.shard_epoch = 3;
  return bundle_of({control(Kind::welcome, welcome)}, kToken);
}

EnvelopeFields request_fields(Bytes attributes, Bytes payload) {
  EnvelopeFields fields;
  fields.flags = kFlagTraced;
  fields.message_id = 7;
  fields.remaining_ms = 5000;
  fields.target = "critic/alice";
  fields.payload_type = messages::Text::kTypeName;
  fields.attributes = attributes;
  fields.payload = payload;
  return fields;
}

Frame request() {
  const ByteBuffer attributes =
      attribute_map({{attribute::kTraceparent, kTraceparent}, {attribute::kConversation, "c1"}});
  const ByteBuffer payload = encode_body(messages::Text{"hello", "ann"});
  return one(request_fields(attributes.bytes(), payload.bytes()));
}

Frame request_delivered() {
  const ByteBuffer attributes =
      attribute_map({{attribute::kTraceparent, kTraceparent}, {attribute::kConversation, "c1"}});
  const ByteBuffer payload = encode_body(messages::Text{"hello", "ann"});
  EnvelopeFields fields = request_fields(attributes.bytes(), payload.bytes());
  fields.delivery_id = (std::uint64_t{5} << 32U) | 2U;
  fields.remaining_ms = 4998;
  fields.recipient = 0;
  return bundle_of({plain(Kind::activate, 0, kEpoch, "critic/alice"), encoded(fields)}, kToken);
}

std::vector<std::byte> answer(Kind kind, std::uint64_t message_id, const auto& message) {
  const ByteBuffer payload = encode_body(message);
  EnvelopeFields fields;
  fields.kind = kind;
  fields.message_id = message_id;
  fields.delivery_id = (std::uint64_t{5} << 32U) | 2U;
  fields.payload_type = std::remove_cvref_t<decltype(message)>::kTypeName;
  fields.payload = payload.bytes();
  return encoded(fields);
}

Frame streamed_reply() {
  messages::Usage usage{"offline", 12, 3, 0, 0};
  usage.is_estimated = true;
  return bundle_of(
      {answer(Kind::part, 0, messages::TextPart{"good ", ""}), answer(Kind::part, 0, messages::TextPart{"day", ""}),
       answer(Kind::reply, 0, messages::Answer{"good day", "critic/alice", false, usage})},
      kToken);
}

Frame reply_forwarded() { return bundle_of({answer(Kind::reply, 7, messages::Routed{"hr", "staff", ""})}, kToken); }

Frame error_with_retry() {
  const ByteBuffer attributes = attribute_map({{attribute::kRetryAfterMs, "250"}});
  EnvelopeFields fields;
  fields.kind = Kind::error;
  fields.message_id = 8;
  fields.code = ErrorCode::overloaded;
  fields.payload_type = "parley.Error";
  fields.attributes = attributes.bytes();
  fields.payload = as_bytes("the mailbox of critic/alice is full");
  return one(fields);
}

Frame error_with_details() {
  const ByteBuffer attributes = attribute_map({{attribute::kTraceparent, kTraceparent},
                                               {"detail-budget", "desk"},
                                               {"detail-scope", "agent_type"},
                                               {"detail-subject", "hr"},
                                               {"detail-per", "day"},
                                               {"detail-limit_nano_usd", "5000000000"},
                                               {"detail-spent_nano_usd", "4990000000"},
                                               {"detail-reset_ms", "1795305600000"}});
  EnvelopeFields fields;
  fields.kind = Kind::error;
  fields.flags = kFlagTraced;
  fields.message_id = 8;
  fields.code = ErrorCode::budget_exceeded;
  fields.payload_type = "parley.Error";
  fields.attributes = attributes.bytes();
  fields.payload = as_bytes("budget 'desk' has no room");
  return one(fields);
}

Frame send_and_event() {
  EnvelopeFields send;
  send.kind = Kind::send;
  send.message_id = 9;
  send.source = "critic/alice";
  send.target = "@review";
  send.payload_type = "demo.Raw";
  send.payload = as_bytes("raw \xC3\xA9");
  EnvelopeFields event = send;
  event.kind = Kind::event;
  event.message_id = 10;
  event.remaining_ms = 60'000;
  event.target = "orders.created/42";
  return bundle_of({encoded(send), encoded(event)}, kToken);
}

Frame accepted() {
  ByteBuffer payload;
  append_number(payload, std::uint64_t{9});
  append_number(payload, std::uint32_t{1});
  append_number(payload, std::uint64_t{10});
  append_number(payload, std::uint32_t{3});
  EnvelopeFields fields;
  fields.kind = Kind::accepted;
  fields.payload = payload.bytes();
  return one(fields);
}

Frame done() {
  ByteBuffer payload;
  append_number(payload, std::uint64_t{1} << 32U);
  append_number(payload, (std::uint64_t{7} << 32U) | 1U);
  EnvelopeFields fields;
  fields.kind = Kind::done;
  fields.payload = payload.bytes();
  return one(fields);
}

Frame activation_life() {
  return bundle_of({plain(Kind::passivate, 0, kEpoch, "critic/alice"),
                    plain(Kind::deactivated, 0, kEpoch, "critic/alice"), plain(Kind::evict, 0, kEpoch, "critic/alice")},
                   kToken);
}

Frame session_upkeep() {
  return bundle_of({plain(Kind::heartbeat, 123'456'789), plain(Kind::heartbeat_ack, 123'456'789),
                    plain(Kind::credit, 8'388'608), plain(Kind::drain)},
                   kToken);
}

Frame control_requests() {
  return bundle_of(
      {control(Kind::register_type, TypeRegistration{"poet", 2, {"rhyme", "write"}, 1}, 11),
       control(Kind::subscribe, SubscriptionBody{2, "orders.created", false, "poet"}, 12),
       control(Kind::unsubscribe, SubscriptionId{2}, 13), control(Kind::unregister_type, TypeName{"poet"}, 14),
       control(Kind::query, Query{"where", "critic/alice"}, 15), plain(Kind::cancel, 7)},
      kToken);
}

Frame heartbeat_vitals() {
  WorkerVitals vitals;
  vitals.pid = 4711;
  vitals.loop_lag_ms = 3;
  vitals.rss_bytes = 25'165'824;
  vitals.memory_limit_bytes = 536'870'912;
  vitals.executing = {"critic/alice"};
  TypeVitals critic;
  critic.name = "critic";
  critic.successes = 41;
  critic.failures = 1;
  critic.model_failures = 2;
  critic.consecutive_model_failures = 2;
  critic.inflight = 1;
  critic.oldest_without_progress_ms = 850;
  critic.progress_limit_ms = 300'000;
  critic.last_activity_ms = 1'763'676'000'000;
  critic.latency_avg_us = 1200;
  critic.latency_p50_us = 900;
  critic.latency_p95_us = 4000;
  critic.input_tokens = 5000;
  critic.output_tokens = 700;
  critic.cost_nano_usd = 1'170'000;
  critic.waiting = 2;
  critic.oldest_waiting_ms = 800;
  vitals.types = {critic};
  ActivationVitals alice;
  alice.id = "critic/alice";
  alice.successes = 4;
  alice.consecutive_model_failures = 2;
  alice.without_progress_ms = 850;
  alice.model_failures = 2;
  alice.inflight = 1;
  alice.waiting = 2;
  alice.oldest_waiting_ms = 800;
  vitals.activations = {alice};
  vitals.can_be_inspected = true;
  return bundle_of({control(Kind::heartbeat, vitals, 123'456'789)}, kToken);
}

Frame operate() {
  const ByteBuffer report = encode_body(OperateReport{"critic/alice", "critic@host1", 1});
  EnvelopeFields reply;
  reply.kind = Kind::reply;
  reply.message_id = 17;
  reply.payload_type = "parley.OperateReport";
  reply.payload = report.bytes();
  EnvelopeFields refused;
  refused.kind = Kind::error;
  refused.message_id = 18;
  refused.code = ErrorCode::quarantined;
  refused.payload_type = "parley.Error";
  refused.payload = as_bytes("'critic' is quarantined: two crashes");
  return bundle_of({control(Kind::operate, Operate{"quarantine", "critic", "two crashes"}, 16),
                    control(Kind::operate, Operate{"evict", "critic/alice", ""}, 17), encoded(reply), encoded(refused)},
                   kToken);
}

Frame inspection() {
  EnvelopeFields question;
  question.kind = Kind::inspect;
  question.message_id = 3;
  question.target = "critic/alice";
  ActivationVitals alice;
  alice.id = "critic/alice";
  alice.successes = 4;
  alice.waiting = 2;
  alice.without_progress_ms = 850;
  alice.inflight = 1;
  alice.oldest_waiting_ms = 800;
  const ByteBuffer told = encode_body(alice);
  EnvelopeFields answer = question;
  answer.payload = told.bytes();
  const ByteBuffer report = encode_body(ActivationReport{"critic@host1", alice});
  EnvelopeFields reply;
  reply.kind = Kind::reply;
  reply.message_id = 19;
  reply.payload_type = "parley.ActivationReport";
  reply.payload = report.bytes();
  return bundle_of({control(Kind::query, Query{"activation", "critic/alice"}, 19), encoded(question), encoded(answer),
                    encoded(reply)},
                   kToken);
}

Frame newer_peer() {
  auto longer_header = sample_envelope();
  longer_header.insert(longer_header.begin() + kEnvelopeHeaderBytes, 8, std::byte{0xEE});
  store(longer_header.data() + layout::kFixedBytes, std::uint16_t{56});
  store(longer_header.data() + layout::kLength, static_cast<std::uint32_t>(longer_header.size()));
  auto trailing = plain(Kind::heartbeat, 1);
  trailing.insert(trailing.end(), 3, std::byte{0xEE});
  store(trailing.data() + layout::kLength, static_cast<std::uint32_t>(trailing.size()));
  Frame frame = bundle_of({longer_header, plain(static_cast<Kind>(200), 2), trailing});
  frame.insert(frame.begin() + kBundleHeaderBytes, 4, std::byte{0xEE});
  frame[3] = std::byte{20};
  frame[4] = std::byte{0xFF};
  return frame;
}

Frame second_envelope_cut() {
  Frame frame = bundle_of({plain(Kind::heartbeat, 1), sample_envelope()});
  frame.pop_back();
  return frame;
}

Frame damaged(std::size_t offset, auto value) {
  Frame frame = bundle_of({sample_envelope()});
  store(frame.data() + offset, value);
  return frame;
}

const std::map<std::string, std::function<Frame()>>& vectors() {
  constexpr std::size_t kEnvelope = kBundleHeaderBytes;
  static const std::map<std::string, std::function<Frame()>> all{
      {"hello_worker", hello_worker},
      {"hello_client", hello_client},
      {"welcome", welcome},
      {"reset", [] { return bundle_of({control(Kind::reset, Reason{"unknown session"})}, kToken); }},
      {"goodbye", [] { return bundle_of({control(Kind::goodbye, Reason{"stopping"})}, kToken); }},
      {"request", request},
      {"request_delivered", request_delivered},
      {"streamed_reply", streamed_reply},
      {"reply_forwarded", reply_forwarded},
      {"error_with_retry", error_with_retry},
      {"error_with_details", error_with_details},
      {"send_and_event", send_and_event},
      {"accepted", accepted},
      {"done", done},
      {"activation_life", activation_life},
      {"session_upkeep", session_upkeep},
      {"control_requests", control_requests},
      {"heartbeat_vitals", heartbeat_vitals},
      {"operate", operate},
      {"inspection", inspection},
      {"where_report",
       [] {
         const ByteBuffer payload = encode_body(WhereReport{"critic/alice", "critic@host1", kEpoch});
         EnvelopeFields fields;
         fields.kind = Kind::reply;
         fields.message_id = 15;
         fields.payload_type = "parley.WhereReport";
         fields.payload = payload.bytes();
         return one(fields);
       }},
      {"empty_bundle", [] { return bundle_of({}); }},
      {"newer_peer", newer_peer},
      {"bad_magic", [] { return damaged(0, std::uint8_t{'Q'}); }},
      {"bad_version", [] { return damaged(2, std::uint8_t{2}); }},
      {"bad_header_length", [] { return damaged(3, std::uint8_t{15}); }},
      {"bad_second_envelope", second_envelope_cut},
      {"bad_envelope_length", [] { return damaged(kEnvelope + layout::kLength, std::uint32_t{47}); }},
      {"bad_fixed_length", [] { return damaged(kEnvelope + layout::kFixedBytes, std::uint16_t{47}); }},
      {"bad_address_length", [] { return damaged(kEnvelope + layout::kSourceBytes, std::uint16_t{386}); }},
      {"bad_payload_length", [] { return damaged(kEnvelope + layout::kPayloadBytes, std::uint32_t{0xFFFFFFFF}); }},
      {"bad_attributes_length", [] { return damaged(kEnvelope + layout::kAttributesBytes, std::uint16_t{16'385}); }},
  };
  return all;
}

std::filesystem::path folder() { return std::filesystem::path(PARLEY_SOURCE_DIR) / "tests/golden/vectors"; }

/// Hexadecimal, 32 bytes a line.
std::string to_hex(const Frame& frame) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(frame[i]);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
    if (i % 32 == 31 || i + 1 == frame.size()) text += '\n';
  }
  return text;
}

// [P-BND-1] [P-ENV-1] [P-CTL-1] [P-ACC-1] [P-ACC-2]
TEST(GoldenVectors, are_exactly_what_this_code_writes) {
  for (const auto& [name, make] : vectors()) {
    const auto path = folder() / (name + ".hex");
    const std::string hex = to_hex(make());
    if (std::getenv("PARLEY_WRITE_GOLDEN") != nullptr) std::ofstream(path) << hex;
    std::ifstream in(path);
    const std::string checked_in{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_EQ(checked_in, hex) << name;
  }
}

TEST(GoldenVectors, each_file_has_its_code_and_its_meaning) {
  std::set<std::string> hex_files;
  for (const auto& file : std::filesystem::directory_iterator(folder())) {
    if (file.path().extension() == ".hex") hex_files.insert(file.path().stem());
  }
  for (const auto& [name, make] : vectors()) {
    EXPECT_TRUE(std::filesystem::exists(folder() / (name + ".json"))) << name;
    hex_files.erase(name);
  }
  EXPECT_TRUE(hex_files.empty()) << *hex_files.begin() << " has no code here";
}

// [P-BND-2] [P-BND-3] [P-BND-4] [P-ENV-2] [P-LIM-2] [P-LIM-4] [P-LIM-5]
TEST(GoldenVectors, named_bad_are_refused_and_all_others_walked_to_their_end) {
  for (const auto& [name, make] : vectors()) {
    const Frame frame = make();
    auto bundle = BundleReader::open(frame);
    if (bundle) {
      while (bundle->next()) {
      }
    }
    EXPECT_EQ(!bundle || bundle->error(), name.starts_with("bad_")) << name;
  }
}

}  // namespace
}  // namespace parley::wire
