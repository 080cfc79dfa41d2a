// Who hears which topics: (exact topic type or prefix) → agent type. Exact topics are found by hash, prefixes in a
// radix tree, so the cost of a match depends on the length of the topic and on the hits, not on how many subscriptions
// there are. An agent type is a recipient once, however many of its subscriptions match. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/hash.hpp"

namespace parley::broker {

class Subscriptions {
 public:
  Subscriptions();
  Subscriptions(const Subscriptions&) = delete;
  Subscriptions& operator=(const Subscriptions&) = delete;
  ~Subscriptions();

  /// The same subscription may be added several times; it stays until it was removed as often.
  void add(std::string_view topic, bool is_prefix, std::string_view agent_type);
  /// Does nothing when there is no such subscription.
  void remove(std::string_view topic, bool is_prefix, std::string_view agent_type);

  /// The names of the agent types that hear `topic`, each once; valid until the next call of any member.
  [[nodiscard]] std::span<const std::string* const> match(std::string_view topic);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  /// An agent type that some subscription names.
  struct Recipient {
    std::string name;
    std::uint64_t uses = 0;
    std::uint64_t matched = 0;  ///< the last match that counted it
  };
  struct Hit {
    Recipient* recipient = nullptr;
    std::uint32_t count = 0;
  };
  using Hits = std::vector<Hit>;
  struct Node;

  Recipient* use(std::string_view agent_type);
  void release(Recipient* recipient);
  void collect(const Hits& hits);
  Hits& node_for(std::string_view prefix);
  bool remove_below(Node& node, std::string_view prefix, Recipient* recipient);
  bool drop(Hits& hits, Recipient* recipient);

  TextMap<std::unique_ptr<Recipient>> recipients_;
  TextMap<Hits> exact_;
  std::unique_ptr<Node> root_;
  std::vector<const std::string*> matches_;
  std::uint64_t match_number_ = 0;
  std::size_t size_ = 0;
};

}  // namespace parley::broker
