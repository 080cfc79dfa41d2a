// Questions to people, and their answers. An agent that needs a person asks `sys.questions/<id>` under an id of its own
// and waits; whoever answers (`parley ask`) does so at `sys.questions/default`. PROTOCOL.md §Shared messages documents
// each field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/wire/fields.hpp"

namespace parley::messages {

/// The desk where questions wait. Key: the question's id, or `default` to list and answer.
inline constexpr std::string_view kQuestionsType = "sys.questions";

/// Request to `sys.questions/<id>`; the same id may be asked again after a lost worker. Answered with Answered.
struct Ask {
  static constexpr std::string_view kTypeName = "parley.Ask";
  std::string question;
  std::string asked_by;              ///< agent id
  std::string kind;                  ///< `input` or `approval`
  std::vector<std::string> choices;  ///< empty: any text
  std::uint64_t timeout_ms = 0;      ///< how long to wait for a person
  bool has_default = false;
  std::string default_answer;  ///< given when the time is over; without one the request ends with `timeout`
  PARLEY_FIELDS(question, asked_by, kind, choices, timeout_ms, has_default, default_answer)
  friend bool operator==(const Ask&, const Ask&) = default;
};

struct Answered {
  static constexpr std::string_view kTypeName = "parley.Answered";
  std::string answer;
  std::string by;           ///< who answered, for people
  bool is_default = false;  ///< nobody did
  PARLEY_FIELDS(answer, by, is_default)
  friend bool operator==(const Answered&, const Answered&) = default;
};

/// Request to `sys.questions/default`; answered with Questions.
struct QuestionList {
  static constexpr std::string_view kTypeName = "parley.QuestionList";
  std::string id;  ///< only this one; empty: all
  PARLEY_FIELDS(id)
  friend bool operator==(const QuestionList&, const QuestionList&) = default;
};

struct PendingQuestion {
  std::string id;
  std::string question;
  std::string asked_by;
  std::string kind;
  std::vector<std::string> choices;
  std::uint64_t waiting_ms = 0;
  std::uint64_t remaining_ms = 0;
  bool has_default = false;
  std::string default_answer;
  PARLEY_FIELDS(id, question, asked_by, kind, choices, waiting_ms, remaining_ms, has_default, default_answer)
  friend bool operator==(const PendingQuestion&, const PendingQuestion&) = default;
};

struct Questions {
  static constexpr std::string_view kTypeName = "parley.Questions";
  std::vector<PendingQuestion> questions;  ///< the one that waits longest first
  PARLEY_FIELDS(questions)
  friend bool operator==(const Questions&, const Questions&) = default;
};

/// Request to `sys.questions/default`; answered with an empty payload, or with `invalid` (no such question, or not one
/// of its choices).
struct AnswerQuestion {
  static constexpr std::string_view kTypeName = "parley.AnswerQuestion";
  std::string id;
  std::string answer;
  std::string by;
  PARLEY_FIELDS(id, answer, by)
  friend bool operator==(const AnswerQuestion&, const AnswerQuestion&) = default;
};

}  // namespace parley::messages
