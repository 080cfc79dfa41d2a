// What others take out of service and put back, people above all, from one look at the broker's `ps` to the next: it
// becomes an event of the fleet, as what the supervisor does itself. Pure. One thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/wire/ps_report.hpp"
#include "services/supervisor/policy.hpp"

namespace parley::supervisor {

class QuarantineWatch {
 public:
  struct Change {
    Action news;
    /// Several supervisors may watch one broker, and one of them tells everybody: the one whose doing it was, else the
    /// first by name.
    bool is_told_here = true;
  };

  /// `self`: the name by which `ps` knows this supervisor.
  explicit QuarantineWatch(std::string self) : self_(std::move(self)) {}

  /// `own`: what this supervisor has quarantined and told already. The first look gives nothing: what is there then is
  /// no news.
  std::vector<Change> look(const wire::PsReport& report, const std::vector<std::string>& own);

 private:
  [[nodiscard]] Change change(std::string event, const wire::PsQuarantine& row, const wire::PsReport& report) const;

  std::string self_;
  std::map<std::string, wire::PsQuarantine> known_;  ///< by agent id or agent type
  bool has_looked_ = false;
};

}  // namespace parley::supervisor
