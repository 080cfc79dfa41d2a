// What a team knows: facts and decisions at an agent of kind `knowledge_base`, whose key is the scope they belong to.
// PROTOCOL.md §Shared messages documents each field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/wire/fields.hpp"

namespace parley::messages {

/// One thing that is known.
struct Fact {
  static constexpr std::string_view kTypeName = "parley.Fact";
  std::uint64_t id = 0;
  std::string kind;  ///< `fact` or `decision`
  std::string text;
  std::string source;     ///< where it comes from; may be empty
  std::string rationale;  ///< why it was decided; may be empty
  std::string author;     ///< agent id
  std::uint64_t at_ms = 0;
  double score = 0;  ///< of an answer to Recall: the higher, the more relevant
  PARLEY_FIELDS(id, kind, text, source, rationale, author, at_ms, score)
  friend bool operator==(const Fact&, const Fact&) = default;
};

/// Request: keeps a fact; the same text again keeps it once. Answered with Remembered.
struct Remember {
  static constexpr std::string_view kTypeName = "parley.Remember";
  std::string kind;  ///< empty: `fact`
  std::string text;
  std::string source;
  std::string rationale;
  std::string author;  ///< empty: the sender
  PARLEY_FIELDS(kind, text, source, rationale, author)
  friend bool operator==(const Remember&, const Remember&) = default;
};

struct Remembered {
  static constexpr std::string_view kTypeName = "parley.Remembered";
  std::uint64_t id = 0;
  bool is_new = false;
  PARLEY_FIELDS(id, is_new)
  friend bool operator==(const Remembered&, const Remembered&) = default;
};

/// Request: what is known about a text, the most relevant first. Answered with Facts.
struct Recall {
  static constexpr std::string_view kTypeName = "parley.Recall";
  std::string query;        ///< words; those of a question will do
  std::string kind;         ///< empty: both
  std::uint32_t limit = 5;  ///< at most 100
  PARLEY_FIELDS(query, kind, limit)
  friend bool operator==(const Recall&, const Recall&) = default;
};

/// Request: everything, the newest first, a page at a time. Answered with Facts.
struct KnowledgeList {
  static constexpr std::string_view kTypeName = "parley.KnowledgeList";
  std::uint64_t before = 0;  ///< only ids below; 0: from the newest
  std::uint32_t limit = 50;  ///< at most 100
  PARLEY_FIELDS(before, limit)
  friend bool operator==(const KnowledgeList&, const KnowledgeList&) = default;
};

struct Facts {
  static constexpr std::string_view kTypeName = "parley.Facts";
  std::vector<Fact> facts;
  std::uint64_t total = 0;  ///< that the scope has
  PARLEY_FIELDS(facts, total)
  friend bool operator==(const Facts&, const Facts&) = default;
};

/// Request: forgets one. Answered with an empty payload, or with `invalid` when there is none of this id.
struct Forget {
  static constexpr std::string_view kTypeName = "parley.Forget";
  std::uint64_t id = 0;
  PARLEY_FIELDS(id)
  friend bool operator==(const Forget&, const Forget&) = default;
};

}  // namespace parley::messages
