// What people take out of service and put back, from one look at the broker's `ps` to the next: it becomes an event of
// the fleet, as what the supervisor does itself. Pure. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libmsg/wire/ps_report.hpp"
#include "services/supervisor/policy.hpp"

namespace parley::supervisor {

class QuarantineWatch {
 public:
  /// `own`: what this supervisor has quarantined and told already. The first look tells nothing: what is there then is
  /// no news.
  std::vector<Action> look(const std::vector<wire::PsQuarantine>& listed, const std::vector<std::string>& own);

 private:
  std::map<std::string, std::string> known_;  ///< reasons by agent id or agent type
  bool has_looked_ = false;
};

}  // namespace parley::supervisor
