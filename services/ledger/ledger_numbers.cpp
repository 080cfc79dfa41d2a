#include "services/ledger/ledger_numbers.hpp"

#include <array>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/ledger/calendar.hpp"

namespace parley::ledger {
namespace {

constexpr double kNanoPerUsd = 1e9;
constexpr double kMsPerSecond = 1e3;

double usd(std::uint64_t nano_usd) { return static_cast<double>(nano_usd) / kNanoPerUsd; }
double number(std::uint64_t value) { return static_cast<double>(value); }

/// What a limit in one unit is made of.
struct Share {
  std::uint64_t limit = 0;
  std::uint64_t spent = 0;
  std::uint64_t reserved = 0;
  [[nodiscard]] std::uint64_t remaining() const {
    const std::uint64_t used = spent + reserved;
    return limit > used ? limit - used : 0;
  }
};

std::optional<Share> in_money(const LimitFigures& figures) {
  if (!figures.limit.nano_usd) return std::nullopt;
  return Share{*figures.limit.nano_usd, figures.spent.nano_usd, figures.reserved.nano_usd};
}
std::optional<Share> in_tokens(const LimitFigures& figures) {
  if (!figures.limit.tokens) return std::nullopt;
  return Share{*figures.limit.tokens, figures.spent.tokens, figures.reserved.tokens};
}

class Numbers {
 public:
  void add(std::string name, double value) { numbers_.push_back({std::move(name), value}); }
  void add(std::string_view family, const LimitFigures& figures, double value) {
    add(fmt::format("{}{{budget=\"{}\"}}", family, figures.limit.name), value);
  }
  /// The four families of one unit.
  void add_unit(const std::vector<LimitFigures>& all, std::string_view unit,
                std::optional<Share> (*share_of)(const LimitFigures&), double (*shown)(std::uint64_t)) {
    struct Family {
      std::string_view name;
      std::uint64_t (*value)(const Share&);
    };
    constexpr std::array<Family, 4> kFamilies{
        Family{"limit", [](const Share& share) { return share.limit; }},
        Family{"spent", [](const Share& share) { return share.spent; }},
        Family{"reserved", [](const Share& share) { return share.reserved; }},
        Family{"remaining", [](const Share& share) { return share.remaining(); }}};
    for (const auto& [name, value] : kFamilies) {
      for (const LimitFigures& figures : all) {
        const std::optional<Share> share = share_of(figures);
        if (share) add(fmt::format("parley_budget_{}_{}", name, unit), figures, shown(value(*share)));
      }
    }
  }
  std::vector<LedgerNumber> take() { return std::move(numbers_); }

 private:
  std::vector<LedgerNumber> numbers_;
};

}  // namespace

std::vector<LedgerNumber> ledger_numbers(Book& book, Now now) {
  Numbers numbers;
  const std::vector<LimitFigures> all = book.figures(now);
  numbers.add_unit(all, "usd", in_money, usd);
  numbers.add_unit(all, "tokens", in_tokens, number);
  for (const LimitFigures& figures : all) {
    const std::optional<WallTime> end = period_end(figures.limit.period, now.wall);
    if (end) numbers.add("parley_budget_period_end_timestamp_seconds", figures, number(wall_ms(*end)) / kMsPerSecond);
  }
  for (const LimitFigures& figures : all) numbers.add("parley_budget_accounts", figures, number(figures.accounts));
  for (const LimitFigures& figures : all) numbers.add("parley_budget_refused_total", figures, number(figures.refused));
  const BookCounts& counts = book.counts();
  numbers.add("parley_ledger_reservations", number(book.open_count()));
  numbers.add("parley_ledger_granted_total", number(counts.granted));
  numbers.add("parley_ledger_ended_total{ending=\"settled\"}", number(counts.settled));
  numbers.add("parley_ledger_ended_total{ending=\"released\"}", number(counts.released));
  numbers.add("parley_ledger_ended_total{ending=\"expired\"}", number(counts.expired));
  numbers.add("parley_ledger_corrected_total", number(counts.corrected));
  numbers.add("parley_ledger_repeated_total", number(counts.repeated));
  numbers.add("parley_ledger_unreserved_total", number(counts.unreserved));
  numbers.add("parley_ledger_unpriced_tokens_total", number(counts.unpriced_tokens));
  numbers.add("parley_ledger_charged_usd_total", usd(counts.charged_nano_usd));
  numbers.add("parley_ledger_estimated_usd_total", usd(counts.estimated_nano_usd));
  return numbers.take();
}

}  // namespace parley::ledger
