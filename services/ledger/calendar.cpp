#include "services/ledger/calendar.hpp"

#include <spdlog/fmt/fmt.h>

namespace parley::ledger {

using budget::Period;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::year_month_day;

namespace {

year_month_day date_of(WallTime time) { return year_month_day(floor<days>(time)); }

std::chrono::sys_days first_of(std::chrono::year_month month) { return {month / std::chrono::day(1)}; }

}  // namespace

WallTime period_start(Period period, WallTime time) {
  switch (period) {
    case Period::hour:
      return floor<hours>(time);
    case Period::day:
      return floor<days>(time);
    case Period::month: {
      const year_month_day date = date_of(time);
      return first_of(date.year() / date.month());
    }
    case Period::total:
      break;
  }
  return {};
}

std::optional<WallTime> period_end(Period period, WallTime time) {
  switch (period) {
    case Period::hour:
      return floor<hours>(time) + hours(1);
    case Period::day:
      return floor<days>(time) + days(1);
    case Period::month: {
      const year_month_day date = date_of(time);
      return first_of(date.year() / date.month() + std::chrono::months(1));
    }
    case Period::total:
      break;
  }
  return std::nullopt;
}

std::string format_utc(WallTime time) {
  const year_month_day date = date_of(time);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::seconds>(time - floor<days>(time)));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

}  // namespace parley::ledger
