#include "broker/core/subscriptions.hpp"

#include <algorithm>

namespace parley::broker {
namespace {

std::uint64_t address(const void* thing) { return reinterpret_cast<std::uintptr_t>(thing); }

}  // namespace

/// A radix tree node: the text on the edge to it, who subscribed to exactly the prefix that ends here, and its children
/// sorted by the first character of their edge.
struct Subscriptions::Node {
  std::string edge;
  Hits hits;
  std::vector<std::unique_ptr<Node>> children;

  [[nodiscard]] auto child_at(char first) {
    return std::ranges::lower_bound(children, first, {}, [](const auto& child) { return child->edge.front(); });
  }
  [[nodiscard]] Node* child(char first) {
    const auto it = child_at(first);
    return it != children.end() && (*it)->edge.front() == first ? it->get() : nullptr;
  }
  /// An empty node with one child says nothing by itself: the two become one.
  void merge_only_child() {
    if (!hits.empty() || children.size() != 1) return;
    const std::unique_ptr<Node> child = std::move(children.front());
    edge += child->edge;
    hits = std::move(child->hits);
    children = std::move(child->children);
  }
};

std::size_t Subscriptions::Hits::find(const Recipient* recipient) const {
  if (index_) {
    const auto it = index_->find(address(recipient));
    return it == index_->end() ? list_.size() : it->second;
  }
  return static_cast<std::size_t>(std::ranges::find(list_, recipient, &Hit::recipient) - list_.begin());
}

void Subscriptions::Hits::add(Recipient* recipient) {
  constexpr std::size_t kShort = 16;
  if (const std::size_t at = find(recipient); at < list_.size()) {
    list_[at].count++;
    return;
  }
  list_.push_back({recipient, 1});
  if (!index_ && list_.size() > kShort) {
    index_ = std::make_unique<Index>();
    for (std::uint32_t i = 0; i + 1 < list_.size(); i++) index_->emplace(address(list_[i].recipient), i);
  }
  if (index_) index_->emplace(address(recipient), static_cast<std::uint32_t>(list_.size() - 1));
}

bool Subscriptions::Hits::drop(Recipient* recipient) {
  const std::size_t at = find(recipient);
  if (at == list_.size()) return false;
  if (--list_[at].count > 0) return true;
  if (index_) {
    index_->erase(address(recipient));
    if (at + 1 < list_.size()) (*index_)[address(list_.back().recipient)] = static_cast<std::uint32_t>(at);
  }
  list_[at] = list_.back();
  list_.pop_back();
  return true;
}

Subscriptions::Subscriptions(HashSeed seed)
    : recipients_(0, TextHash(seed)), exact_(0, TextHash(seed)), root_(std::make_unique<Node>()) {}
Subscriptions::~Subscriptions() = default;

Subscriptions::Recipient* Subscriptions::use(std::string_view agent_type) {
  auto it = recipients_.find(agent_type);
  if (it == recipients_.end()) {
    it = recipients_.emplace(std::string(agent_type), std::make_unique<Recipient>()).first;
    it->second->name = agent_type;
  }
  it->second->uses++;
  return it->second.get();
}

void Subscriptions::release(Recipient* recipient) {
  if (--recipient->uses == 0) recipients_.erase(recipients_.find(std::string_view(recipient->name)));
}

Subscriptions::Hits& Subscriptions::node_for(std::string_view prefix) {
  Node* node = root_.get();
  while (!prefix.empty()) {
    auto it = node->child_at(prefix.front());
    if (it == node->children.end() || (*it)->edge.front() != prefix.front()) {
      it = node->children.insert(it, std::make_unique<Node>());
      (*it)->edge = prefix;
      return (*it)->hits;
    }
    const std::string_view edge = (*it)->edge;
    const auto common = static_cast<std::size_t>(std::ranges::mismatch(edge, prefix).in1 - edge.begin());
    if (common < edge.size()) {
      auto upper = std::make_unique<Node>();
      upper->edge = edge.substr(0, common);
      (*it)->edge.erase(0, common);
      upper->children.push_back(std::move(*it));
      *it = std::move(upper);
    }
    node = it->get();
    prefix.remove_prefix(common);
  }
  return node->hits;
}

void Subscriptions::add(std::string_view topic, bool is_prefix, std::string_view agent_type) {
  Recipient* const recipient = use(agent_type);
  Hits* hits = nullptr;
  if (is_prefix) {
    hits = &node_for(topic);
  } else {
    hits = &exact_[std::string(topic)];
  }
  size_++;
  hits->add(recipient);
}

bool Subscriptions::remove_below(Node& node, std::string_view prefix, Recipient* recipient) {
  if (prefix.empty()) return node.hits.drop(recipient);
  const auto it = node.child_at(prefix.front());
  if (it == node.children.end() || !prefix.starts_with((*it)->edge)) return false;
  Node& child = **it;
  if (!remove_below(child, prefix.substr(child.edge.size()), recipient)) return false;
  if (child.hits.empty() && child.children.empty()) {
    node.children.erase(it);
  } else {
    child.merge_only_child();
  }
  return true;
}

void Subscriptions::remove(std::string_view topic, bool is_prefix, std::string_view agent_type) {
  const auto known = recipients_.find(agent_type);
  if (known == recipients_.end()) return;
  Recipient* const recipient = known->second.get();
  bool is_removed = false;
  if (is_prefix) {
    is_removed = remove_below(*root_, topic, recipient);
  } else if (const auto it = exact_.find(topic); it != exact_.end()) {
    is_removed = it.value().drop(recipient);
    if (it->second.empty()) exact_.erase(it);
  }
  if (!is_removed) return;
  size_--;
  release(recipient);
}

void Subscriptions::collect(const Hits& hits) {
  for (const Hit& hit : hits) {
    if (hit.recipient->matched == match_number_) continue;
    hit.recipient->matched = match_number_;
    matches_.push_back(&hit.recipient->name);
  }
}

std::span<const std::string* const> Subscriptions::match(std::string_view topic) {
  matches_.clear();
  match_number_++;
  if (const auto it = exact_.find(topic); it != exact_.end()) collect(it->second);
  collect(root_->hits);
  for (Node* node = root_.get(); !topic.empty();) {
    node = node->child(topic.front());
    if (node == nullptr || !topic.starts_with(node->edge)) break;
    topic.remove_prefix(node->edge.size());
    collect(node->hits);
  }
  return matches_;
}

}  // namespace parley::broker
