// Where an agent lives and how it is, for `parley agent where`. Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libmsg/core/error.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::cli {

/// An error where the worker or the broker is too old or too busy to tell.
using ToldActivation = Result<wire::ActivationReport>;

/// A few lines for people; `now_ms` since 1970. `told` counts only when the agent lives somewhere.
[[nodiscard]] std::vector<std::string> render_where(const wire::WhereReport& place, const ToldActivation& told,
                                                    std::uint64_t now_ms);
/// `id`, `worker`, `epoch`, and one of `activation` and `not_told`, the other null; both when it lives nowhere.
[[nodiscard]] nlohmann::json where_to_json(const wire::WhereReport& place, const ToldActivation& told);

}  // namespace parley::cli
