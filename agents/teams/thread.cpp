#include "agents/teams/thread.hpp"

#include <algorithm>
#include <utility>

#include "libmsg/core/utf8.hpp"

namespace parley::teams {

using messages::ThreadMessage;

namespace {

constexpr std::string_view kCutNote = "\n[… cut]";

std::size_t size_of(const ThreadMessage& message) { return message.from.size() + message.text.size(); }

}  // namespace

std::string cut(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  const std::size_t room = max_bytes > kCutNote.size() ? max_bytes - kCutNote.size() : 0;
  return std::string(utf8_prefix(text, room)) + std::string(kCutNote);
}

bool is_visible_to(const ThreadMessage& message, std::string_view name) {
  return message.visible_to.empty() || message.from == name ||
         std::ranges::find(message.visible_to, name) != message.visible_to.end();
}

void Thread::add(ThreadMessage message) {
  message.text = cut(message.text, kMaxBytes);
  bytes_ += size_of(message);
  messages_.push_back(std::move(message));
  while (messages_.size() > 2 && (messages_.size() > kMaxMessages || bytes_ > kMaxBytes)) forget_oldest();
}

void Thread::begin_task() { task_number_ = next_number(); }

void Thread::clear() {
  first_number_ = next_number();
  task_number_ = first_number_;
  messages_.clear();
  bytes_ = 0;
}

/// The task stays: without it nobody knows what it is all about.
void Thread::forget_oldest() {
  const bool is_task_first = task_number_ == first_number_;
  const auto victim = is_task_first ? messages_.begin() + 1 : messages_.begin();
  bytes_ -= size_of(*victim);
  messages_.erase(victim);
  ++first_number_;
  if (is_task_first) task_number_ = first_number_;
}

std::size_t Thread::task_index() const { return static_cast<std::size_t>(task_number_ - first_number_); }

std::vector<ThreadMessage> Thread::seen_by(std::string_view name, const HistoryLimits& limits) const {
  const std::size_t task = task_index();
  const bool has_task = task < messages_.size() && is_visible_to(messages_[task], name);
  std::size_t room = limits.max_bytes;
  std::size_t places = limits.max_messages;
  if (has_task) {
    room -= std::min(size_of(messages_[task]), room / 2);
    places -= std::min<std::size_t>(places, 1);
  }
  std::vector<ThreadMessage> seen;  // newest first
  bool is_full = false;
  for (std::size_t i = messages_.size(); i-- > 0;) {
    const ThreadMessage& message = messages_[i];
    if (has_task && i == task) {
      seen.push_back(message);
      seen.back().text = cut(message.text, limits.max_bytes / 2);
      continue;
    }
    if (is_full || !is_visible_to(message, name)) continue;
    const bool is_newest = room == limits.max_bytes || seen.empty();
    is_full = places == 0 || (size_of(message) > room && !is_newest);
    if (is_full) continue;  // nor may anything older slip in
    seen.push_back(message);
    seen.back().text = cut(message.text, room - std::min(room, message.from.size()));
    room -= std::min(room, size_of(seen.back()));
    --places;
  }
  std::ranges::reverse(seen);
  return seen;
}

std::vector<ThreadMessage> Thread::news_for(std::string_view name, std::uint64_t first) const {
  std::vector<ThreadMessage> news;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    if (first_number_ + i < first || messages_[i].from == name || !is_visible_to(messages_[i], name)) continue;
    news.push_back(messages_[i]);
  }
  return news;
}

const ThreadMessage* Thread::last_of(std::string_view name) const {
  const ThreadMessage* hidden = nullptr;
  for (std::size_t i = messages_.size(); i-- > task_index();) {
    const ThreadMessage& message = messages_[i];
    const bool is_wanted = name.empty() ? message.from != kUserName : message.from == name;
    if (!is_wanted) continue;
    if (message.visible_to.empty()) return &message;
    if (hidden == nullptr) hidden = &message;
  }
  return hidden;
}

std::string_view Thread::task() const {
  return task_index() < messages_.size() ? std::string_view(messages_[task_index()].text) : std::string_view();
}

Thread::Saved Thread::save() const {
  return {std::vector<ThreadMessage>(messages_.begin(), messages_.end()), first_number_, task_number_};
}

void Thread::load(Saved saved) {
  messages_.clear();
  bytes_ = 0;
  first_number_ = saved.first_number;
  task_number_ = std::max(saved.task_number, saved.first_number);
  for (ThreadMessage& message : saved.messages) {
    bytes_ += size_of(message);
    messages_.push_back(std::move(message));
  }
}

Addressed read_address(std::string_view text, std::span<const std::string> members) {
  Addressed ordinary{{}, std::string(text)};
  const std::size_t colon = text.find(':');
  if (!text.starts_with('@') || colon == std::string_view::npos) return ordinary;
  Addressed addressed;
  std::string_view rest = text.substr(0, colon);
  while (!rest.empty()) {
    const std::size_t at = rest.find_first_not_of(" ,");
    if (at == std::string_view::npos) break;
    rest.remove_prefix(at);
    const std::size_t end = std::min(rest.find_first_of(" ,"), rest.size());
    const std::string_view word = rest.substr(0, end);
    const std::string_view name = word.starts_with('@') ? word.substr(1) : std::string_view();
    if (std::ranges::find(members, name) == members.end()) return ordinary;
    addressed.names.emplace_back(name);
    rest.remove_prefix(end);
  }
  if (addressed.names.empty()) return ordinary;
  const std::size_t begin = text.find_first_not_of(" \t\r\n", colon + 1);
  addressed.text = begin == std::string_view::npos ? std::string() : std::string(text.substr(begin));
  return addressed;
}

}  // namespace parley::teams
