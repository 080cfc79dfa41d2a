#include "services/supervisor/kubernetes/watch_stream.hpp"

#include <nlohmann/json.hpp>

namespace parley::supervisor {
namespace {

using nlohmann::json;

constexpr int kVersionGone = 410;

std::unexpected<Error> broken(std::string what) {
  return fail(Error(ErrorCode::upstream_failed, std::move(what), true));
}

std::string text_at(const json& value, const json::json_pointer& path) {
  return value.contains(path) && value.at(path).is_string() ? value.at(path).get<std::string>() : std::string();
}

std::string version_of(const json& object) { return text_at(object, json::json_pointer("/metadata/resourceVersion")); }

Result<WatchEvent> event_of(const json& line) {
  if (!line.is_object() || !line.contains("object")) return broken("the API's watch said something that is no event");
  const std::string type = text_at(line, json::json_pointer("/type"));
  const json& object = line["object"];
  WatchEvent event;
  event.version = version_of(object);
  if (type == "BOOKMARK") {
    event.kind = WatchEvent::Kind::bookmark;
    return event;
  }
  if (type == "ERROR") {
    const json& code = object.is_object() && object.contains("code") ? object["code"] : json();
    if (code == kVersionGone) {
      event.kind = WatchEvent::Kind::expired;
      return event;
    }
    return broken("the API's watch failed: " + text_at(object, json::json_pointer("/message")));
  }
  if (type != "ADDED" && type != "MODIFIED" && type != "DELETED") {
    return broken("the API's watch said '" + type.substr(0, 60) + "'");
  }
  Result<Pod> pod = read_pod(object);
  if (!pod) return broken(pod.error().message);
  event.kind = type == "DELETED" ? WatchEvent::Kind::deleted : WatchEvent::Kind::changed;
  event.pod = std::move(*pod);
  return event;
}

}  // namespace

Result<std::vector<WatchEvent>> WatchStream::take(std::string_view piece) {
  unread_.append(piece);
  std::vector<WatchEvent> events;
  std::size_t begin = 0;
  for (std::size_t end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n', begin)) {
    const std::string_view line(unread_.data() + begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<WatchEvent> event = event_of(json::parse(line, nullptr, false));
    if (!event) return fail(std::move(event).error());
    events.push_back(std::move(*event));
  }
  unread_.erase(0, begin);
  if (unread_.size() > kMaxLineBytes) return broken("the API's watch sent a line that is too long");
  return events;
}

Result<PodList> read_pod_list(const std::string& text) {
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object() || !value.contains("items") || !value["items"].is_array()) {
    return broken("the API's answer is no list of pods");
  }
  PodList list;
  list.version = version_of(value);
  list.next_page = text_at(value, json::json_pointer("/metadata/continue"));
  for (const json& item : value["items"]) {
    Result<Pod> pod = read_pod(item);
    if (!pod) return broken(pod.error().message);
    list.pods.push_back(std::move(*pod));
  }
  return list;
}

}  // namespace parley::supervisor
