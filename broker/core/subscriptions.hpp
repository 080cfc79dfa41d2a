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
  explicit Subscriptions(HashSeed seed);
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
  /// Who subscribed to one topic or prefix. A short list is searched; a long one has an index, so that adding and
  /// removing a subscription cost the same however many there are.
  class Hits {
   public:
    void add(Recipient* recipient);
    /// False when it is not there.
    bool drop(Recipient* recipient);
    [[nodiscard]] bool empty() const { return list_.empty(); }
    [[nodiscard]] auto begin() const { return list_.begin(); }
    [[nodiscard]] auto end() const { return list_.end(); }

   private:
    /// Address of the recipient → its place in the list.
    using Index = NumberMap<std::uint32_t>;
    [[nodiscard]] std::size_t find(const Recipient* recipient) const;

    std::vector<Hit> list_;
    std::unique_ptr<Index> index_;  ///< null while the list is short
  };
  struct Node;

  Recipient* use(std::string_view agent_type);
  void release(Recipient* recipient);
  void collect(const Hits& hits);
  Hits& node_for(std::string_view prefix);
  bool remove_below(Node& node, std::string_view prefix, Recipient* recipient);

  TextMap<std::unique_ptr<Recipient>> recipients_;
  TextMap<Hits> exact_;
  std::unique_ptr<Node> root_;
  std::vector<const std::string*> matches_;
  std::uint64_t match_number_ = 0;
  std::size_t size_ = 0;
};

}  // namespace parley::broker
