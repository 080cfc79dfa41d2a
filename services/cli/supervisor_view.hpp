// What `ps` adds to the broker's report when supervisors answer: restarts, and who is not running and why.
// ask_supervisors(): loop thread; the rest is pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libmsg/messages/supervisor.hpp"
#include "libmsg/wire/control.hpp"
#include "services/cli/bus_session.hpp"

namespace parley::cli {

/// The reports of all supervisors that `report` knows and that answer soon.
Task<std::vector<messages::SupervisorReport>> ask_supervisors(Bus& bus, const wire::PsReport& report);

/// The nodes whose supervisors have a session: a supervisor calls itself `supervisor/<node>`.
[[nodiscard]] std::vector<std::string> supervisor_nodes(const wire::PsReport& report);

/// A line about each supervisor, and a table of the processes that need a word; none when all run and always did.
[[nodiscard]] std::vector<std::string> render_supervisors(const std::vector<messages::SupervisorReport>& reports,
                                                          std::size_t width);

[[nodiscard]] nlohmann::json to_json(const messages::SupervisorReport& report);

}  // namespace parley::cli
