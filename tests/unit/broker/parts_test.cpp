// The broker's parts by themselves.
#include <chrono>
#include <gtest/gtest.h>
#include <set>

#include "broker/core/deadline_wheel.hpp"
#include "broker/core/directory.hpp"
#include "broker/core/registry.hpp"
#include "broker/core/subscriptions.hpp"
#include "broker/core/trace_ring.hpp"
#include "libmsg/core/random.hpp"

namespace parley::broker {
namespace {

using namespace std::chrono_literals;

/// As random as a real one: a small number would mix badly.
constexpr HashSeed kSeed{0x9E3779B97F4A7C15U, 0xC2B2AE3D27D4EB4FU};

std::vector<std::string> names(std::span<const std::string* const> matches) {
  std::vector<std::string> found;
  for (const std::string* name : matches) found.push_back(*name);
  std::ranges::sort(found);
  return found;
}

using Names = std::vector<std::string>;

TEST(Subscriptions, match_exact_topics_and_every_prefix) {
  Subscriptions subscriptions{kSeed};
  subscriptions.add("orders.created", false, "exact");
  subscriptions.add("orders.", true, "prefix");
  subscriptions.add("orders.cr", true, "longer");
  subscriptions.add("", true, "all");
  subscriptions.add("orders.deleted", false, "other");
  EXPECT_EQ(names(subscriptions.match("orders.created")), (Names{"all", "exact", "longer", "prefix"}));
  EXPECT_EQ(names(subscriptions.match("orders.")), (Names{"all", "prefix"}));
  EXPECT_EQ(names(subscriptions.match("news")), (Names{"all"}));
}

TEST(Subscriptions, stay_until_removed_as_often_as_added) {
  Subscriptions subscriptions{kSeed};
  subscriptions.add("a", true, "x");
  subscriptions.add("a", true, "x");
  subscriptions.remove("a", true, "x");
  EXPECT_EQ(names(subscriptions.match("abc")), (Names{"x"}));
  subscriptions.remove("a", true, "x");
  subscriptions.remove("a", true, "x");
  EXPECT_TRUE(subscriptions.match("abc").empty());
  EXPECT_EQ(subscriptions.size(), 0U);
}

// A client may name as many agent types as it likes; searching a list of them would make this a matter of minutes.
TEST(Subscriptions, of_many_agent_types_to_one_topic_stay_cheap) {
  Subscriptions subscriptions{kSeed};
  const int count = 100'000;
  for (int i = 0; i < count; i++) subscriptions.add("news", false, "type" + std::to_string(i));
  EXPECT_EQ(subscriptions.match("news").size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; i += 2) subscriptions.remove("news", false, "type" + std::to_string(i));
  EXPECT_EQ(subscriptions.match("news").size(), static_cast<std::size_t>(count / 2));
  for (int i = 1; i < count; i += 2) subscriptions.remove("news", false, "type" + std::to_string(i));
  EXPECT_EQ(subscriptions.size(), 0U);
}

TEST(Subscriptions, agree_with_a_plain_list_under_random_changes) {
  SeededRandom random(7);
  Subscriptions subscriptions{kSeed};
  std::vector<std::tuple<std::string, bool, std::string>> model;
  const auto text = [&](std::uint64_t longest) {
    std::string made;
    for (std::uint64_t i = random.below(longest + 1); i > 0; i--) made += static_cast<char>('a' + random.below(2));
    return made;
  };
  for (int step = 0; step < 5000; step++) {
    if (model.empty() || random.below(5) < 3) {
      model.emplace_back(text(5), random.below(2) == 0, "t" + std::to_string(random.below(4)));
      std::apply([&](const auto&... parts) { subscriptions.add(parts...); }, model.back());
    } else {
      const auto it = model.begin() + static_cast<std::ptrdiff_t>(random.below(model.size()));
      std::apply([&](const auto&... parts) { subscriptions.remove(parts...); }, *it);
      model.erase(it);
    }
    const std::string topic = text(6);
    Names expected;
    for (const auto& [pattern, is_prefix, type] : model) {
      if (is_prefix ? topic.starts_with(pattern) : topic == pattern) expected.push_back(type);
    }
    std::ranges::sort(expected);
    const auto repeated = std::ranges::unique(expected);
    expected.erase(repeated.begin(), repeated.end());
    ASSERT_EQ(names(subscriptions.match(topic)), expected) << "step " << step;
  }
}

TEST(DeadlineWheel, gives_each_deadline_once_and_never_early) {
  SeededRandom random(3);
  TimePoint now{1h};
  Slab<Delivery> slots;
  DeadlineWheel wheel(slots, now);
  std::vector<std::uint32_t> due;
  std::size_t armed = 0;
  for (int step = 0; step < 20'000; step++) {
    const std::uint32_t slot = slots.add();
    slots[slot].deadline = now + Duration(static_cast<std::int64_t>(random.below(30'000'000'000)));
    wheel.add(slot);
    armed++;
    if (random.below(3) == 0) {
      wheel.remove(slot);
      slots.remove(slot);
      armed--;
    }
    now += Duration(static_cast<std::int64_t>(random.below(5'000'000)));
    due.clear();
    wheel.take_due(now, due);
    for (const std::uint32_t late : due) {
      ASSERT_LE(slots[late].deadline, now);
      slots.remove(late);
      armed--;
    }
  }
  due.clear();
  wheel.take_due(now + 31s, due);
  EXPECT_EQ(due.size(), armed);
  EXPECT_EQ(wheel.next_wakeup(), TimePoint::max());
}

TEST(DeadlineWheel, wakes_at_the_next_deadline) {
  const TimePoint start{1h};
  Slab<Delivery> slots;
  DeadlineWheel wheel(slots, start);
  const std::uint32_t slot = slots.add();
  slots[slot].deadline = start + 250ms;
  wheel.add(slot);
  EXPECT_EQ(wheel.next_wakeup(), start + 250ms);
  wheel.remove(slot);
  EXPECT_EQ(wheel.next_wakeup(), TimePoint::max());
}

TEST(Directory, gives_an_agent_id_to_one_worker_only) {
  Directory directory{kSeed};
  ActivationList list;
  for (int i = 0; i < 3000; i++) directory.add("hr/" + std::to_string(i), list);
  EXPECT_EQ(directory.size(), 3000U);
  const std::uint32_t found = directory.find("hr/1234");
  ASSERT_NE(found, kNil);
  EXPECT_EQ(directory[found].id(), "hr/1234");
  directory.remove(found, list);
  EXPECT_EQ(directory.find("hr/1234"), kNil);
  while (list.head != kNil) directory.remove(list.head, list);
  EXPECT_EQ(directory.size(), 0U);
  EXPECT_EQ(list.count, 0U);
}

TEST(DeliveryTable, knows_a_stale_id) {
  DeliveryTable table(41);
  const std::uint32_t slot = table.add();
  const DeliveryId before = table.id_of(slot);
  EXPECT_EQ(table.find(before), slot);
  table.remove(slot);
  EXPECT_EQ(table.find(before), kNil);
  ASSERT_EQ(table.add(), slot);
  EXPECT_EQ(table.find(before), kNil);
  EXPECT_EQ(table.find(DeliveryId(0)), kNil);
  EXPECT_EQ(table.find(DeliveryId(~std::uint64_t{0})), kNil);
}

TEST(Registry, measures_distance_with_swapped_neighbours) {
  EXPECT_EQ(edit_distance("finance", "finance", 4), 0U);
  EXPECT_EQ(edit_distance("fiance", "finance", 4), 1U);
  EXPECT_EQ(edit_distance("fniance", "finance", 4), 1U);
  EXPECT_EQ(edit_distance("hr", "finance", 4), 4U);
}

TEST(TraceRing, reads_the_id_of_a_well_formed_traceparent_only) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(trace_id_of(good), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(trace_id_of(good.substr(0, 40)), "");
  EXPECT_EQ(trace_id_of("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), "");
}

// [P-LIM-16]
TEST(TraceRing, keeps_the_newest_hops_only) {
  TraceRing ring(2);
  const std::string id = "0af7651916cd43dd8448eb211c80319c";
  ByteBuffer attributes;
  ASSERT_TRUE(wire::append_attribute(attributes, wire::attribute::kTraceparent, "00-" + id + "-b7ad6b7169203331-01"));
  for (std::uint64_t number = 1; number <= 3; number++) {
    ByteBuffer encoded;
    ASSERT_TRUE(wire::append_envelope(encoded, {.message_id = number, .attributes = attributes.bytes()}));
    ring.add(*wire::EnvelopeView::parse(encoded.bytes()), "peer", number);
  }
  const wire::TraceReport report = ring.find(id, 10);
  ASSERT_EQ(report.hops.size(), 2U);
  EXPECT_EQ(report.hops[0].message_id, 2U);
  EXPECT_EQ(ring.total(), 3U);
}

TEST(TextHash, depends_on_its_seed_and_on_every_byte) {
  SeededRandom random(1);
  const TextHash hash(HashSeed::draw(random));
  const TextHash other(HashSeed::draw(random));
  std::set<std::size_t> values;
  std::string text;
  for (int length = 0; length < 70; length++) {
    values.insert(hash(text));
    values.insert(other(text));
    for (char& byte : text) {
      byte = static_cast<char>(byte ^ 1);
      values.insert(hash(text));
      byte = static_cast<char>(byte ^ 1);
    }
    text += 'x';
  }
  EXPECT_EQ(values.size(), 70U * 2 + 69U * 70 / 2);
}

}  // namespace
}  // namespace parley::broker
