// A limit on what is spent: how much, of whom, in which period. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"
#include "libmsg/messages/budget.hpp"

namespace parley::budget {

enum class Scope : std::uint8_t { all, agent_type, agent, conversation, model };
/// Hours, days and months are those of the calendar in UTC.
enum class Period : std::uint8_t { hour, day, month, total };

/// The stable names, as in messages, files and metrics.
inline constexpr std::array<std::string_view, 5> kScopeNames{"all", "agent_type", "agent", "conversation", "model"};
inline constexpr std::array<std::string_view, 4> kPeriodNames{"hour", "day", "month", "total"};
[[nodiscard]] std::string_view to_string(Scope scope);
[[nodiscard]] std::string_view to_string(Period period);

/// Each agent, conversation, … has the limit for itself.
inline constexpr std::string_view kEach = "*";
inline constexpr std::size_t kMaxNameBytes = 64;
inline constexpr std::size_t kMaxSubjectBytes = 512;

struct Limit {
  std::string name;  ///< `[A-Za-z0-9_.-]`, at most 64
  Scope scope = Scope::all;
  std::string subject;  ///< whose; kEach; empty for everything
  Period period = Period::total;
  std::optional<std::uint64_t> nano_usd;
  std::optional<std::uint64_t> tokens;
  /// Told and counted when it is spent, and nothing is refused.
  bool is_soft = false;

  [[nodiscard]] bool is_for_each() const { return subject == kEach; }
  friend bool operator==(const Limit&, const Limit&) = default;
};

/// Fails with `invalid`; the message says which field and why.
[[nodiscard]] Result<Limit> limit_from(const messages::BudgetLimit& message);
[[nodiscard]] messages::BudgetLimit to_message(const Limit& limit);

/// `12.34 USD`, with as many decimals as it takes to see something of a small sum.
[[nodiscard]] std::string format_usd(std::uint64_t nano_usd);

/// For people: `everything`, `agent type hr`, `conversation c1`; `each agent` for a limit for each.
[[nodiscard]] std::string describe(Scope scope, std::string_view subject);

}  // namespace parley::budget
