// Pods as the API tells of them, and the slots that they fill.
#include <array>
#include <csignal>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "services/supervisor/kubernetes/pod.hpp"
#include "services/supervisor/kubernetes/pod_table.hpp"
#include "services/supervisor/kubernetes/watch_stream.hpp"

namespace parley::supervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json pod_object() {
  return json::parse(R"({
    "kind": "Pod",
    "metadata": {"name": "hr-5c9f8b7d6-x2x7k", "uid": "u-1", "resourceVersion": "100",
      "labels": {"pod-template-hash": "5c9f8b7d6"},
      "ownerReferences": [{"kind": "ReplicaSet", "name": "hr-5c9f8b7d6", "controller": true}]},
    "spec": {"containers": [{"name": "agent"}, {"name": "sidecar"}]},
    "status": {"phase": "Running",
      "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
      "containerStatuses": [
        {"name": "sidecar", "restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        {"name": "agent", "restartCount": 2, "state": {"running": {}},
         "lastState": {"terminated": {"exitCode": 139, "reason": "Error"}}}]}})");
}

TEST(Pod, is_read_with_the_deployment_that_it_belongs_to) {
  const Pod pod = read_pod(pod_object()).value();
  EXPECT_EQ(pod.name, "hr-5c9f8b7d6-x2x7k");
  EXPECT_EQ(pod.workload, "hr");
  EXPECT_FALSE(pod.has_stable_name);
  EXPECT_TRUE(pod.is_running);
  EXPECT_TRUE(pod.is_ready);
  EXPECT_FALSE(pod.is_deleting);
}

TEST(Pod, tells_of_its_first_container_and_how_that_ended_last) {
  const Pod pod = read_pod(pod_object()).value();
  EXPECT_EQ(pod.restarts, 2U);
  ASSERT_TRUE(pod.last_end.has_value());
  EXPECT_EQ(pod.last_end->kind, ProcessEnd::Kind::killed);
  EXPECT_EQ(pod.last_end->value, SIGSEGV);
  EXPECT_TRUE(pod.last_end->is_own_doing());
}

TEST(Pod, that_ran_out_of_memory_is_not_its_agents_doing) {
  EXPECT_FALSE(container_end(137, "OOMKilled").is_own_doing());
  EXPECT_TRUE(container_end(1, "Error").is_own_doing());
  EXPECT_FALSE(container_end(0, "Completed").is_own_doing());
}

TEST(Pod, of_a_stateful_set_keeps_its_name) {
  json object = pod_object();
  object["metadata"]["ownerReferences"] = {{{"kind", "StatefulSet"}, {"name", "store"}, {"controller", true}}};
  EXPECT_TRUE(read_pod(object).value().has_stable_name);
  EXPECT_EQ(read_pod(object).value().workload, "store");
}

TEST(Pod, without_an_owner_is_a_workload_of_its_own) {
  json object = pod_object();
  object["metadata"].erase("ownerReferences");
  EXPECT_EQ(read_pod(object).value().workload, "hr-5c9f8b7d6-x2x7k");
}

TEST(Pod, needs_a_name_and_a_uid_and_nothing_else) {
  EXPECT_TRUE(read_pod(json::parse(R"({"metadata": {"name": "p", "uid": "u"}})")).has_value());
  for (const char* text :
       {"null", "[]", "3", "{}", R"({"metadata": {"name": "p"}})", R"({"metadata": {"name": 3, "uid": 4}})"}) {
    EXPECT_FALSE(read_pod(json::parse(text)).has_value()) << text;
  }
}

TEST(Pod, is_read_whatever_the_types_of_the_rest_are) {
  for (const char* path : {"/metadata/labels", "/metadata/ownerReferences", "/spec", "/spec/containers", "/status",
                           "/status/conditions", "/status/containerStatuses", "/status/containerStatuses/1/state"}) {
    for (const char* value : {"null", "3", "\"x\"", "[]", "{}", "[1]", "[{}]"}) {
      json object = pod_object();
      object[json::json_pointer(path)] = json::parse(value);
      EXPECT_TRUE(read_pod(object).has_value()) << path << " " << value;
    }
  }
}

/// A table, and the pods of one Deployment.
class PodTableTest : public ::testing::Test {
 protected:
  static Pod pod(const std::string& number, bool is_running = true, bool is_ready = true) {
    Pod pod;
    pod.name = "hr-5c9f-" + number;
    pod.uid = "uid-" + number;
    pod.workload = "hr";
    pod.is_running = is_running;
    pod.is_ready = is_ready;
    return pod;
  }
  static Pod deleting(Pod pod) {
    pod.is_deleting = true;
    return pod;
  }
  /// `started hr.0`, …
  static std::vector<std::string> texts(const std::vector<SlotEvent>& events) {
    constexpr std::array kNames{"added", "started", "ready", "ended", "removed"};
    std::vector<std::string> texts;
    for (const SlotEvent& event : events) {
      texts.push_back(std::string(kNames.at(static_cast<std::size_t>(event.kind))) + " " + event.slot);
    }
    return texts;
  }
  std::vector<std::string> update(const Pod& pod) { return texts(table_.update(pod, now_)); }

  PodTable table_;
  TimePoint now_{1h};
};

TEST_F(PodTableTest, tells_how_a_pod_comes_up_step_by_step) {
  EXPECT_THAT(update(pod("a", false, false)), ElementsAre("added hr.0"));
  EXPECT_THAT(update(pod("a", true, false)), ElementsAre("started hr.0"));
  EXPECT_THAT(update(pod("a", true, true)), ElementsAre("ready hr.0"));
  EXPECT_THAT(update(pod("a", true, true)), IsEmpty());
  EXPECT_THAT(update(pod("a", true, false)), IsEmpty()) << "not ready is no end";
  EXPECT_EQ(table_.pod_in("hr.0")->name, "hr-5c9f-a");
}

TEST_F(PodTableTest, gives_each_pod_of_a_workload_a_slot_of_its_own) {
  EXPECT_THAT(update(pod("a")), ElementsAre("added hr.0", "started hr.0", "ready hr.0"));
  EXPECT_THAT(update(pod("b")), ElementsAre("added hr.1", "started hr.1", "ready hr.1"));
}

TEST_F(PodTableTest, lets_the_replacement_follow_into_the_slot_of_a_pod_that_is_being_deleted) {
  update(pod("a"));
  update(pod("b"));
  EXPECT_THAT(update(deleting(pod("a"))), ElementsAre("ended hr.0"));
  EXPECT_THAT(update(pod("c")), ElementsAre("started hr.0", "ready hr.0"));
  EXPECT_THAT(texts(table_.remove("uid-a", now_)), IsEmpty()) << "its end was told";
  EXPECT_EQ(table_.pod_in("hr.0")->name, "hr-5c9f-c");
}

TEST_F(PodTableTest, follows_a_pod_of_a_stateful_set_under_its_own_name) {
  Pod first = pod("a");
  first.name = "store-0";
  first.has_stable_name = true;
  Pod second = first;
  second.uid = "uid-later";
  EXPECT_THAT(update(first), ElementsAre("added store-0", "started store-0", "ready store-0"));
  EXPECT_THAT(update(second), ElementsAre("ended store-0", "started store-0", "ready store-0"));
  EXPECT_THAT(texts(table_.remove("uid-a", now_)), IsEmpty());
  EXPECT_EQ(table_.pod_in("store-0")->uid, "uid-later");
}

TEST_F(PodTableTest, tells_of_a_crash_that_the_kubelet_has_healed_already) {
  update(pod("a"));
  Pod restarted = pod("a");
  restarted.restarts = 1;
  restarted.last_end = ProcessEnd{ProcessEnd::Kind::killed, SIGSEGV};
  const auto events = table_.update(restarted, now_);
  EXPECT_THAT(texts(events), ElementsAre("ended hr.0", "started hr.0", "ready hr.0"));
  EXPECT_EQ(events.front().end.value, SIGSEGV);
}

TEST_F(PodTableTest, tells_of_a_crash_loop_once_for_each_crash) {
  update(pod("a"));
  Pod waiting = pod("a", false, false);
  waiting.last_end = ProcessEnd{ProcessEnd::Kind::exited, 1};
  EXPECT_THAT(update(waiting), ElementsAre("ended hr.0"));
  EXPECT_THAT(update(waiting), IsEmpty());
  Pod again = pod("a", true, false);
  again.restarts = 1;
  EXPECT_THAT(update(again), ElementsAre("started hr.0"));
}

TEST_F(PodTableTest, learns_from_a_list_what_went_unseen) {
  update(pod("a"));
  update(pod("b"));
  EXPECT_THAT(texts(table_.replace({pod("b"), pod("c")}, now_)),
              ElementsAre("ended hr.0", "started hr.0", "ready hr.0"));
}

TEST_F(PodTableTest, has_no_slot_for_a_pod_that_is_over_before_it_was_seen) {
  EXPECT_THAT(update(deleting(pod("a"))), IsEmpty());
  Pod done = pod("b", false, false);
  done.is_over = true;
  EXPECT_THAT(update(done), IsEmpty());
  EXPECT_THAT(table_.slots(), IsEmpty());
}

TEST_F(PodTableTest, forgets_a_slot_that_stays_empty) {
  update(pod("a"));
  update(deleting(pod("a")));
  now_ += PodTable::kForgetAfter - 1s;
  EXPECT_THAT(table_.forget_empty(now_), IsEmpty());
  now_ += 1s;
  EXPECT_THAT(texts(table_.forget_empty(now_)), ElementsAre("removed hr.0"));
  EXPECT_THAT(table_.slots(), IsEmpty());
}

std::string line(const std::string& type, const json& object) {
  return json{{"type", type}, {"object", object}}.dump() + "\n";
}

TEST(WatchStream, reads_events_however_they_are_cut) {
  const std::string text = line("ADDED", pod_object()) + "\n" + line("DELETED", pod_object()) +
                           line("BOOKMARK", {{"metadata", {{"resourceVersion", "200"}}}});
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, text.size()}) {
    WatchStream stream;
    std::vector<WatchEvent> events;
    for (std::size_t at = 0; at < text.size(); at += size) {
      const auto more = stream.take(std::string_view(text).substr(at, size)).value();
      events.insert(events.end(), more.begin(), more.end());
    }
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].kind, WatchEvent::Kind::changed);
    EXPECT_EQ(events[0].pod.uid, "u-1");
    EXPECT_EQ(events[0].version, "100");
    EXPECT_EQ(events[1].kind, WatchEvent::Kind::deleted);
    EXPECT_EQ(events[2].kind, WatchEvent::Kind::bookmark);
    EXPECT_EQ(events[2].version, "200");
  }
}

TEST(WatchStream, knows_that_the_server_has_forgotten_where_it_was) {
  WatchStream stream;
  const auto events = stream.take(line("ERROR", {{"kind", "Status"}, {"code", 410}, {"message", "too old"}})).value();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, WatchEvent::Kind::expired);
}

TEST(WatchStream, fails_on_other_errors_and_on_nonsense) {
  const auto failure = WatchStream().take(line("ERROR", {{"code", 500}, {"message", "etcd is away"}}));
  ASSERT_FALSE(failure.has_value());
  EXPECT_THAT(failure.error().message, HasSubstr("etcd is away"));
  for (const std::string& text :
       {std::string("nonsense\n"), std::string("{}\n"), std::string("[]\n"), line("NEW", pod_object()),
        line("ADDED", json::object()), std::string(WatchStream::kMaxLineBytes + 1, 'x')}) {
    EXPECT_FALSE(WatchStream().take(text).has_value()) << text.substr(0, 80);
  }
}

TEST(PodListText, is_read_with_its_version_and_the_next_page) {
  const json text{{"metadata", {{"resourceVersion", "77"}, {"continue", "more"}}}, {"items", {pod_object()}}};
  const PodList list = read_pod_list(text.dump()).value();
  EXPECT_EQ(list.version, "77");
  EXPECT_EQ(list.next_page, "more");
  EXPECT_EQ(list.pods.size(), 1U);
  for (const char* wrong : {"", "[]", "{}", R"({"items": 3})", R"({"items": [3]})"}) {
    EXPECT_FALSE(read_pod_list(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace parley::supervisor
